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
#include <stdlib.h>

#include "base/file.h"
#include "base/hex.h"
#include "der/reader.h"
#include "der/writer.h"

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

/*
 * A codec against a message cut off after every byte, and with one byte more: each must be refused.
 * Cut ones are copied to memory of their size, so that a sanitizer sees a read beyond.
 */
static inline void unit_refuses_cuts(struct span whole, enum result (*parse)(struct span))
{
	BUF longer = BUF_INIT;
	size_t n;

	assert_int_equal(parse(whole), OK);
	for (n = 0; n < whole.len; n++) {
		uint8_t *cut = malloc(n ? n : 1);

		assert_non_null(cut);
		memcpy(cut, whole.p, n);
		assert_int_not_equal(parse(span_of(cut, n)), OK);
		free(cut);
	}
	buf_put(&longer, whole);
	buf_put_byte(&longer, 0);
	assert_int_not_equal(parse(buf_span(&longer)), OK);
}

/* And with every byte changed in some ways: it may be taken or refused, but must be survived. */
static inline void unit_survives_flips(struct span whole, enum result (*parse)(struct span))
{
	static const uint8_t flips[] = { 0x01, 0x20, 0x80, 0xff };
	BUF copy = BUF_INIT;
	size_t i, k;

	buf_put(&copy, whole);
	for (i = 0; i < copy.len; i++)
		for (k = 0; k < sizeof(flips); k++) {
			copy.data[i] ^= flips[k];
			if (parse(buf_span(&copy)) == OK)
				assert_non_null(copy.data);
			copy.data[i] ^= flips[k];
		}
}

/* Copies elements, and appends a NULL within the constructed one whose turn comes. */
static inline void unit_put_intruder(struct der_reader r, int *turn, struct buf *out)
{
	struct der_reader inner;
	struct der_tlv tlv;
	size_t mark;

	while (!der_at_end(&r)) {
		assert_int_equal(der_read_any(&r, "element", &tlv, NULL), OK);
		if (!(tlv.tag & DER_CONSTRUCTED)) {
			buf_put(out, tlv.whole);
			continue;
		}
		mark = der_open(out, tlv.tag);
		der_reader_init(&inner, tlv.content);
		unit_put_intruder(inner, turn, out);
		if ((*turn)-- == 0)
			der_put_null(out);
		der_close(out, mark);
	}
}

/*
 * Within how many of its constructed elements a message bears a NULL too many: those that the codec
 * leaves unread, or whose members it passes over.
 */
static inline int unit_bears_intruders(struct span whole, enum result (*parse)(struct span))
{
	int n, turn, borne = 0;

	for (n = 0;; n++) {
		BUF out = BUF_INIT;
		struct der_reader r;

		turn = n;
		der_reader_init(&r, whole);
		unit_put_intruder(r, &turn, &out);
		if (turn >= 0)
			return borne;
		if (parse(buf_span(&out)) == OK)
			borne++;
	}
}

#define assert_span_equal(a, b)                                                                    \
	do {                                                                                       \
		const struct span a_ = (a), b_ = (b);                                              \
		assert_int_equal(a_.len, b_.len);                                                  \
		if (a_.len > 0)                                                                    \
			assert_memory_equal(a_.p, b_.p, a_.len);                                   \
	} while (0)

#endif
