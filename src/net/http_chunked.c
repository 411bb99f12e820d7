/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_framing.h"

#define OVERHEAD_MAX 4096 /* bytes of chunk extensions and trailer fields in one body */
#define DIGITS_MAX 8      /* of a chunk's size */

enum state {
	SIZE,    /* hexadecimal digits */
	EXT,     /* behind ';', ignored */
	SIZE_LF, /* LF that ends the size's line */
	DATA,
	DATA_CR, /* CR LF behind the data */
	DATA_LF,
	LINE,     /* first byte of a trailer line */
	TRAILER,  /* inside of one */
	TRAIL_LF, /* LF that ends one */
	LAST_LF,  /* LF of the empty line */
};

struct step {
	struct http_chunked *c;
	size_t room; /* what the body may still hold */
	int status;
	struct err *err;
};

static void refuse(struct step *s, int status, enum result told)
{
	(void)told;
	s->status = status;
}

static int hex_digit(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	if (b >= 'a' && b <= 'f')
		return b - 'a' + 10;
	if (b >= 'A' && b <= 'F')
		return b - 'A' + 10;
	return -1;
}

static void want(struct step *s, uint8_t b, uint8_t wanted, enum state next)
{
	if (b == wanted)
		s->c->state = next;
	else
		refuse(s, 400,
		       err_set(s->err, ERR_SYNTAX, "RFC 9112 7.1: chunk: byte 0x%02x, not 0x%02x",
			       b, wanted));
}

static void on_size(struct step *s, uint8_t b)
{
	struct http_chunked *c = s->c;
	int digit = hex_digit(b);

	if (digit >= 0 && c->digits < DIGITS_MAX) {
		c->left = c->left << 4 | (uint64_t)digit;
		c->digits++;
	} else if (c->digits && b == ';') {
		c->state = EXT;
	} else if (c->digits && b == '\r') {
		c->state = SIZE_LF;
	} else {
		refuse(s, 400,
		       err_set(s->err, ERR_SYNTAX,
			       "RFC 9112 7.1: a chunk's size is not 1 to %d hexadecimal digits",
			       DIGITS_MAX));
	}
}

/* Extensions and trailers: skipped, but only so many of them, and no control characters. */
static void on_skipped(struct step *s, uint8_t b, enum state next)
{
	if (b == '\r')
		s->c->state = next;
	else if ((b < ' ' && b != '\t') || b == 0x7f)
		refuse(s, 400,
		       err_set(s->err, ERR_SYNTAX,
			       "RFC 9112 7.1: control character 0x%02x between chunks", b));
	else if (++s->c->overhead > OVERHEAD_MAX)
		refuse(s, 400,
		       err_set(s->err, ERR_LIMIT,
			       "more than %d bytes of chunk extensions and trailers",
			       OVERHEAD_MAX));
}

static void on_size_lf(struct step *s, uint8_t b)
{
	struct http_chunked *c = s->c;

	want(s, b, '\n', c->left ? DATA : LINE);
	c->digits = 0;
	if (!s->status && c->left > s->room)
		refuse(s, 413, err_set(s->err, ERR_LIMIT, "the body is larger than the limit"));
}

static void on_line(struct step *s, uint8_t b)
{
	s->c->state = b == '\r' ? LAST_LF : TRAILER;
	if (b != '\r')
		on_skipped(s, b, TRAIL_LF);
}

static void take_byte(struct step *s, uint8_t b)
{
	switch ((enum state)s->c->state) {
	case SIZE:
		on_size(s, b);
		break;
	case EXT:
		on_skipped(s, b, SIZE_LF);
		break;
	case SIZE_LF:
		on_size_lf(s, b);
		break;
	case DATA_CR:
		want(s, b, '\r', DATA_LF);
		break;
	case DATA_LF:
		want(s, b, '\n', SIZE);
		break;
	case LINE:
		on_line(s, b);
		break;
	case TRAILER:
		on_skipped(s, b, TRAIL_LF);
		break;
	case TRAIL_LF:
		want(s, b, '\n', LINE);
		break;
	case LAST_LF:
		want(s, b, '\n', LAST_LF);
		s->c->done = s->status == 0;
		break;
	case DATA:
		break;
	}
}

int http_chunked_take(struct http_chunked *c, struct span bytes, size_t max, struct buf *body,
		      size_t *used, struct err *err)
{
	struct step s = { .c = c, .err = err };
	size_t at = 0;

	while (at < bytes.len && !c->done && !s.status) {
		struct span data;

		if (c->state != DATA) {
			s.room = max > body->len ? max - body->len : 0;
			take_byte(&s, bytes.p[at++]);
			continue;
		}
		data = span_sub(bytes, at, c->left);
		buf_put(body, data);
		at += data.len;
		c->left -= data.len;
		if (c->left == 0)
			c->state = DATA_CR;
	}
	*used = at;
	return s.status;
}
