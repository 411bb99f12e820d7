/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret: a challenge, a passphrase, a shared key. Wiped when cleared, never printed, compared
 * in constant time. Start with SECRET_INIT.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/buf.h"

#define SECRET_LINE_MAX 1024

struct secret {
	struct buf bytes;
};

#define SECRET_INIT ((struct secret){ { 0 } })
#define SECRET CLEANUP(secret_clear) struct secret

void secret_clear(struct secret *s);
/* Replaces the content by a copy of bytes. */
RESULT secret_set(struct secret *s, struct span bytes, struct err *err);
/* First line of a file ("-": standard input), without its line end. At most max bytes, ERR_LIMIT
 * beyond. */
RESULT secret_read_file(struct secret *s, const char *path, size_t max, struct err *err);
/*
 * The first line that comes from a descriptor, which may be empty; octet by octet, so that what
 * follows stays unread. ERR_LIMIT: SECRET_LINE_MAX octets or more. ERR_IO.
 */
RESULT secret_read_line(struct secret *s, int fd, struct err *err);
bool secret_eq(const struct secret *s, struct span bytes);

/* Borrowed; the caller must not print or keep it. */
static inline struct span secret_span(const struct secret *s)
{
	return buf_span(&s->bytes);
}

#endif
