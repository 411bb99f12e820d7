/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owned, growing bytes. Appending does not return an error: a buffer that could not grow is marked
 * failed, ignores all that follows, and buf_check() says so once at the end.
 * Start with BUF_INIT; buf_clear() frees. Not thread-safe.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool failed;
};

#define BUF_INIT ((struct buf){ 0 })

void buf_clear(struct buf *b);
/* Wipes the bytes before they are freed: for content that was decrypted. */
void buf_wipe(struct buf *b);
/* Keeps the memory, forgets the content. */
void buf_reset(struct buf *b);

/* Makes room for n more bytes. */
void buf_reserve(struct buf *b, size_t n);
void buf_put(struct buf *b, struct span s);
void buf_put_str(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Inserts s at offset off. */
void buf_insert(struct buf *b, size_t off, struct span s);
/* n bytes more, for the caller to fill; NULL if there is no memory. */
uint8_t *buf_extend(struct buf *b, size_t n);

static inline void buf_put_byte(struct buf *b, uint8_t c)
{
	if (b->len == b->cap || b->failed)
		buf_put(b, span_of(&c, 1));
	else
		b->data[b->len++] = c;
}

/* ERR_NOMEM if any append failed. */
RESULT buf_check(const struct buf *b, struct err *err);

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){ b->data, b->len };
}

/* The content with a NUL behind it, owned by the buffer; NULL if there is no memory. */
const char *buf_cstr(struct buf *b);

/* Moves the content out; *b is left empty. */
struct buf buf_take(struct buf *b);

#define BUF CLEANUP(buf_clear) struct buf
#define BUF_SECRET CLEANUP(buf_wipe) struct buf

#endif
