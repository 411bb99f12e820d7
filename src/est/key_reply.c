/* SPDX-License-Identifier: Apache-2.0 */
#include "est/key_reply.h"

#include <string.h>

#include "est/body.h"

static void put_part(struct buf *out, const char *type, struct span der)
{
	buf_printf(out,
		   "--" EST_BOUNDARY "\r\nContent-Type: %s\r\n"
		   "Content-Transfer-Encoding: base64\r\n\r\n",
		   type);
	est_body_put(out, der, EST_LINES_64);
}

void est_key_reply_put(struct buf *out, const struct est_key_reply *reply)
{
	put_part(out,
		 reply->encrypted ? "application/pkcs7-mime; smime-type=server-generated-key"
				  : "application/pkcs8",
		 reply->key);
	put_part(out, EST_TYPE_CERTS, reply->cert);
	buf_put_str(out, "--" EST_BOUNDARY "--\r\n");
}

/* ---- in ---- */

#define PARTS_MAX 8

/* Where `what` begins; text.len: nowhere. */
static size_t find(struct span text, const char *what)
{
	size_t len = strlen(what), i;

	for (i = 0; i + len <= text.len; i++)
		if (memcmp(text.p + i, what, len) == 0)
			return i;
	return text.len;
}

/* The line that text begins with, without its end; *text moves behind it. */
static struct span take_line(struct span *text)
{
	size_t n = span_find(*text, '\n');
	struct span line = span_sub(*text, 0, n);

	*text = span_sub(*text, n + 1, SIZE_MAX);
	while (line.len && (line.p[line.len - 1] == '\r' || line.p[line.len - 1] == ' '))
		line.len--;
	return line;
}

/* RFC 2046 5.1.1: the delimiter's first line tells the boundary; what stands before is no part. */
static struct span take_boundary(struct span *text)
{
	struct span line = SPAN_NONE;

	while (text->len && !(line.len > 2 && line.p[0] == '-' && line.p[1] == '-'))
		line = take_line(text);
	return line;
}

static bool begins_with(struct span line, struct span what)
{
	return what.len && span_eq(span_sub(line, 0, what.len), what);
}

/* Up to the next delimiter; *last: it closes the whole. */
static struct span take_part(struct span *text, struct span boundary, bool *last)
{
	const uint8_t *begin = text->p;
	const uint8_t *end = begin;
	struct span line;

	while (text->len) {
		end = text->p;
		line = take_line(text);
		if (!begins_with(line, boundary))
			continue;
		*last = line.len > boundary.len;
		return span_of(begin, (size_t)(end - begin));
	}
	*last = true;
	return SPAN_NONE;
}

static RESULT read_part(struct span part, bool *encrypted, struct buf *key, struct buf *certs,
			struct err *err)
{
	struct span fields = part, line;
	BUF decoded = BUF_INIT;
	struct span der;
	struct buf *out;

	do
		line = take_line(&part);
	while (line.len && part.len);
	fields.len -= part.len;
	TRY(est_body_read(part, &decoded, &der, err));
	*encrypted |= find(fields, "server-generated-key") < fields.len;
	out = *encrypted || find(fields, "application/pkcs8") < fields.len ? key : certs;
	if (out == key && key->len) /* it is known already: this is the certificate */
		out = certs;
	buf_put(out, der);
	if (out == key)
		buf_wipe(&decoded);
	return buf_check(out, err);
}

enum result est_key_reply_parse(struct span body, bool *encrypted, struct buf *key,
				struct buf *certs, struct err *err)
{
	struct span boundary = take_boundary(&body), part;
	bool last = boundary.len == 0;
	unsigned n = 0;

	*encrypted = false;
	while (!last && n++ < PARTS_MAX) {
		part = take_part(&body, boundary, &last);
		if (part.len)
			TRY(read_part(part, encrypted, key, certs, err));
	}
	if (key->len && certs->len)
		return OK;
	return err_set(err, ERR_SYNTAX,
		       "RFC 7030 4.4.2: the answer is not a key and a certificate in two parts");
}
