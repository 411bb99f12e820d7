/* SPDX-License-Identifier: Apache-2.0 */
/* What unit tests share. Both give bytes that the caller clears (BUF), and fail the test if not. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/file.h"
#include "base/hex.h"

static inline struct buf unit_hex(const char *digits)
{
	struct buf out = BUF_INIT;

	assert_int_equal(hex_parse(span_str(digits), &out, NULL), OK);
	return out;
}

/* A file of tests/unit/vectors; its README says what made it. */
static inline struct buf unit_vector(const char *name)
{
	struct buf out = BUF_INIT;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", UNIT_VECTORS, name);
	assert_int_equal(file_read(path, 1 << 20, &out, NULL), OK);
	return out;
}

#define assert_span_equal(a, b)                                                                    \
	do {                                                                                       \
		const struct span a_ = (a), b_ = (b);                                              \
		assert_int_equal(a_.len, b_.len);                                                  \
		if (a_.len > 0)                                                                    \
			assert_memory_equal(a_.p, b_.p, a_.len);                                   \
	} while (0)

#endif
