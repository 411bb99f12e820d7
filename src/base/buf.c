/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_clear(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT;
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_clear(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* A fresh block, the old one wiped: realloc could leave a copy of a secret behind. */
static bool grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : 256;
	uint8_t *data;

	while (cap < need) {
		if (cap > SIZE_MAX / 2)
			return false;
		cap *= 2;
	}
	data = malloc(cap);
	if (!data)
		return false;
	if (b->data) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->cap);
		free(b->data);
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void buf_reserve(struct buf *b, size_t n)
{
	if (b->failed || n <= b->cap - b->len)
		return;
	if (n > SIZE_MAX - b->len || !grow(b, b->len + n))
		b->failed = true;
}

uint8_t *buf_extend(struct buf *b, size_t n)
{
	uint8_t *at;

	buf_reserve(b, n);
	if (b->failed || !b->data)
		return NULL;
	at = b->data + b->len;
	b->len += n;
	return at;
}

void buf_put(struct buf *b, struct span s)
{
	uint8_t *at;

	if (s.len == 0)
		return;
	at = buf_extend(b, s.len);
	if (at)
		memcpy(at, s.p, s.len);
}

void buf_put_str(struct buf *b, const char *s)
{
	buf_put(b, span_str(s));
}

/* Once where there is room: most is short. */
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->failed ? 0 : b->cap - b->len;
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(room ? (char *)b->data + b->len : NULL, room, fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if ((size_t)n >= room) {
		buf_reserve(b, (size_t)n + 1);
		if (b->failed)
			return;
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	}
	b->len += (size_t)n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_insert(struct buf *b, size_t off, struct span s)
{
	if (off > b->len || s.len == 0)
		return;
	buf_reserve(b, s.len);
	if (b->failed)
		return;
	memmove(b->data + off + s.len, b->data + off, b->len - off);
	memcpy(b->data + off, s.p, s.len);
	b->len += s.len;
}

enum result buf_check(const struct buf *b, struct err *err)
{
	return b->failed ? err_nomem(err) : OK;
}

const char *buf_cstr(struct buf *b)
{
	buf_reserve(b, 1);
	if (b->failed)
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

struct buf buf_take(struct buf *b)
{
	struct buf out = *b;

	*b = BUF_INIT;
	return out;
}
