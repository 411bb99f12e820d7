/* SPDX-License-Identifier: Apache-2.0 */
/* The patterns of a profile, and what no value in a certificate may hold. Pure. */
#ifndef CA_PROFILE_PATTERN_H
#define CA_PROFILE_PATTERN_H

#include <regex.h>

#include "base/buf.h"

/* POSIX extended, made to match the whole value. ERR_CONFIG with the library's reason. */
RESULT profile_pattern_compile(const char *text, regex_t *out, struct err *err);

/* What is checked, and how errors call it: "subject", "CN". */
struct profile_pattern_value {
	const char *where;
	const char *type;
	struct buf *text;     /* UTF-8 */
	const regex_t *regex; /* NULL: any text */
	const char *regex_text;
};

/*
 * ERR_BAD_TEMPLATE: the value has control characters (a NUL would hide its rest from many readers)
 * or does not match.
 */
RESULT profile_pattern_check(const struct profile_pattern_value *v, struct err *err);

#endif
