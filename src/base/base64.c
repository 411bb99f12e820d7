/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_group(struct buf *out, struct span in)
{
	uint32_t v = (uint32_t)in.p[0] << 16;
	uint8_t four[4];

	if (in.len > 1)
		v |= (uint32_t)in.p[1] << 8;
	if (in.len > 2)
		v |= in.p[2];
	four[0] = (uint8_t)alphabet[v >> 18];
	four[1] = (uint8_t)alphabet[v >> 12 & 63];
	four[2] = in.len > 1 ? (uint8_t)alphabet[v >> 6 & 63] : '=';
	four[3] = in.len > 2 ? (uint8_t)alphabet[v & 63] : '=';
	buf_put(out, SPAN_ARRAY(four));
}

void base64_put(struct buf *out, struct span bytes, size_t width)
{
	size_t i, column = 0;

	for (i = 0; i < bytes.len; i += 3) {
		if (width && column >= width) {
			buf_put_byte(out, '\n');
			column = 0;
		}
		put_group(out, span_sub(bytes, i, 3));
		column += 4;
	}
	if (width && bytes.len)
		buf_put_byte(out, '\n');
}

enum { SKIP = -1, PAD = -2, BAD = -3 };

static int value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	switch (c) {
	case '+':
	case '-':
		return 62;
	case '/':
	case '_':
		return 63;
	case '=':
		return PAD;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return SKIP;
	default:
		return BAD;
	}
}

enum result base64_parse(struct span text, struct buf *out, struct err *err)
{
	BUF got = BUF_INIT;
	uint32_t acc = 0;
	size_t i, digits = 0, pads = 0;
	int v;

	buf_reserve(&got, text.len / 4 * 3 + 3);
	for (i = 0; i < text.len; i++) {
		v = value(text.p[i]);
		if (v == SKIP)
			continue;
		if (v == PAD && ++pads <= 2)
			continue;
		if (v < 0 || pads)
			return err_set(err, ERR_SYNTAX,
				       "base64: unexpected byte 0x%02x at offset %zu", text.p[i],
				       i);
		acc = acc << 6 | (uint32_t)v;
		if (++digits % 4 == 0) {
			uint8_t three[3] = { (uint8_t)(acc >> 16), (uint8_t)(acc >> 8),
					     (uint8_t)acc };

			buf_put(&got, SPAN_ARRAY(three));
		}
	}
	if (digits % 4 == 1)
		return err_set(err, ERR_SYNTAX, "base64: ends within a character group");
	if (digits % 4 >= 2)
		buf_put_byte(&got, (uint8_t)(digits % 4 == 2 ? acc >> 4 : acc >> 10));
	if (digits % 4 == 3)
		buf_put_byte(&got, (uint8_t)(acc >> 2));
	buf_put(out, buf_span(&got));
	return buf_check(out, err);
}
