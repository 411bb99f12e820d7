/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_text.h"

/* Length of the valid UTF-8 sequence at s, 0 if there is none. */
static size_t utf8_len(struct span s)
{
	size_t n, i;

	if (s.p[0] < 0x80)
		return 1;
	n = (s.p[0] & 0xe0) == 0xc0   ? 2
	    : (s.p[0] & 0xf0) == 0xe0 ? 3
	    : (s.p[0] & 0xf8) == 0xf0 ? 4
				      : 0;
	if (n == 0 || n > s.len || s.p[0] == 0xc0 || s.p[0] == 0xc1 || s.p[0] > 0xf4)
		return 0;
	for (i = 1; i < n; i++)
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	if ((s.p[0] == 0xe0 && s.p[1] < 0xa0) || (s.p[0] == 0xed && s.p[1] > 0x9f) ||
	    (s.p[0] == 0xf0 && s.p[1] < 0x90) || (s.p[0] == 0xf4 && s.p[1] > 0x8f))
		return 0;
	return n;
}

/* How many bytes from the start need no escape and are ASCII: most text is nothing else. */
static size_t plain_len(struct span s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

static void put_escape(struct buf *out, uint8_t c)
{
	if (c == '"' || c == '\\')
		buf_printf(out, "\\%c", c);
	else
		buf_printf(out, "\\u%04x", c);
}

void json_text_put(struct buf *out, struct span text)
{
	size_t n;

	for (; text.len; text = span_sub(text, n, SIZE_MAX)) {
		n = plain_len(text);
		if (n == 0 && text.p[0] >= 0x80)
			n = utf8_len(text);
		if (n)
			buf_put(out, span_sub(text, 0, n));
		else
			put_escape(out, text.p[0]);
		n = n ? n : 1;
	}
}
