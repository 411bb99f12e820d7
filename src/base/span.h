/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes. A span never owns; it is valid as long as what it points into. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p;
	size_t len;
};

#define SPAN_NONE ((struct span){ NULL, 0 })
/* Of a string literal or array, without its final NUL. */
#define SPAN_LIT(s) ((struct span){ (const uint8_t *)(s), sizeof(s) - 1 })
#define SPAN_ARRAY(a) ((struct span){ (const uint8_t *)(a), sizeof(a) })

static inline struct span span_of(const void *p, size_t len)
{
	return (struct span){ (const uint8_t *)p, len };
}

/* Of a C string; NULL gives an empty span. */
static inline struct span span_str(const char *s)
{
	return (struct span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static inline bool span_eq(struct span a, struct span b)
{
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): where a length is, bytes are */
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool span_eq_str(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

/* ASCII letters without case. */
bool span_eq_nocase(struct span a, struct span b);

/* Bytes from off on, at most len; clipped to what is there. */
struct span span_sub(struct span s, size_t off, size_t len);

/* Offset of the first byte c, or s.len. */
size_t span_find(struct span s, uint8_t c);

/*
 * As text of one line, as far as there is room, NUL included: what is no printable ASCII as a
 * space, without those at the end.
 */
void span_line(struct span s, char *out, size_t room);

/* Does not leak by its run time where the bytes differ (lengths are not secret). */
bool span_eq_secret(struct span a, struct span b);

#endif
