/* SPDX-License-Identifier: Apache-2.0 */
#include "base/span.h"

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool span_eq_nocase(struct span a, struct span b)
{
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

struct span span_sub(struct span s, size_t off, size_t len)
{
	if (off > s.len)
		off = s.len;
	if (len > s.len - off)
		len = s.len - off;
	return (struct span){ s.p ? s.p + off : NULL, len };
}

size_t span_find(struct span s, uint8_t c)
{
	const uint8_t *hit = s.len ? memchr(s.p, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.p) : s.len;
}

void span_line(struct span s, char *out, size_t room)
{
	size_t i;

	for (i = 0; i < s.len && i + 1 < room; i++)
		out[i] = s.p[i] < 0x20 || s.p[i] > 0x7e ? ' ' : (char)s.p[i];
	while (i && out[i - 1] == ' ')
		i--;
	out[i] = '\0';
}

bool span_eq_secret(struct span a, struct span b)
{
	uint8_t diff = 0;
	size_t i;

	if (a.len != b.len)
		return false;
	for (i = 0; i < a.len; i++)
		diff |= a.p[i] ^ b.p[i];
	return diff == 0;
}
