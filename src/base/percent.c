/* SPDX-License-Identifier: Apache-2.0 */
#include "base/percent.h"

#include <string.h>

static bool is_unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~", c));
}

void percent_put(struct buf *out, struct span bytes)
{
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		if (is_unreserved(bytes.p[i]))
			buf_put_byte(out, bytes.p[i]);
		else
			buf_printf(out, "%%%02X", bytes.p[i]);
	}
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum result percent_parse(struct span text, struct buf *out, struct err *err)
{
	BUF got = BUF_INIT;
	size_t i;

	for (i = 0; i < text.len; i++) {
		if (text.p[i] != '%') {
			buf_put_byte(&got, text.p[i]);
			continue;
		}
		if (text.len - i < 3 || digit(text.p[i + 1]) < 0 || digit(text.p[i + 2]) < 0)
			return err_set(err, ERR_SYNTAX,
				       "URL: '%%' without two digits at offset %zu", i);
		buf_put_byte(&got, (uint8_t)(digit(text.p[i + 1]) << 4 | digit(text.p[i + 2])));
		i += 2;
	}
	buf_put(out, buf_span(&got));
	return buf_check(out, err);
}
