/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

void hex_put(struct buf *out, struct span bytes)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *at = buf_extend(out, bytes.len * 2);
	size_t i;

	for (i = 0; at && i < bytes.len; i++) {
		*at++ = (uint8_t)digits[bytes.p[i] >> 4];
		*at++ = (uint8_t)digits[bytes.p[i] & 15];
	}
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum result hex_parse(struct span text, struct buf *out, struct err *err)
{
	BUF got = BUF_INIT;
	int high = -1, d;
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.p[i] == ':' || text.p[i] == ' ')
			continue;
		d = digit(text.p[i]);
		if (d < 0)
			return err_set(err, ERR_SYNTAX, "not a hexadecimal digit at offset %zu", i);
		if (high >= 0)
			buf_put_byte(&got, (uint8_t)(high << 4 | d));
		high = high >= 0 ? -1 : d;
	}
	if (high >= 0)
		return err_set(err, ERR_SYNTAX, "odd number of hexadecimal digits");
	buf_put(out, buf_span(&got));
	return buf_check(out, err);
}
