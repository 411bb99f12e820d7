/* SPDX-License-Identifier: Apache-2.0 */
#include "est/body.h"

#include "base/base64.h"

#define COLUMNS 64
#define ARMOUR "-----"

/* Where `what` begins in text; text.len: nowhere. */
static size_t find(struct span text, struct span what)
{
	size_t i;

	for (i = 0; i + what.len <= text.len; i++)
		if (memcmp(text.p + i, what.p, what.len) == 0)
			return i;
	return text.len;
}

/* What stands between the BEGIN and the END line, if it is PEM. */
static struct span without_armour(struct span text)
{
	struct span dashes = SPAN_LIT(ARMOUR);
	size_t begin = find(text, SPAN_LIT(ARMOUR "BEGIN "));

	if (begin == text.len)
		return text;
	text = span_sub(text, begin + dashes.len, SIZE_MAX);
	text = span_sub(text, find(text, dashes) + dashes.len, SIZE_MAX);
	return span_sub(text, 0, find(text, dashes));
}

/* DER of a SEQUENCE begins with '0', base64 of it with 'M': they cannot be mistaken. */
static bool is_der(struct span body)
{
	return body.len > 0 && body.p[0] == 0x30;
}

enum result est_body_read(struct span body, struct buf *decoded, struct span *der, struct err *err)
{
	enum result r;

	if (is_der(body)) {
		*der = body;
		return OK;
	}
	r = base64_parse(without_armour(body), decoded, err);
	if (r != OK)
		return err_prefix(err, r, "RFC 8951 3.1: the body is not base64");
	if (!is_der(buf_span(decoded)))
		return err_set(err, ERR_SYNTAX,
			       "RFC 8951 3.1: the body of %zu octets is not base64 of DER",
			       body.len);
	*der = buf_span(decoded);
	return OK;
}

void est_body_put(struct buf *out, struct span der, enum est_lines lines)
{
	base64_put(out, der, lines == EST_LINES_64 ? COLUMNS : 0);
	if (lines == EST_LINES_64 && out->len && out->data[out->len - 1] != '\n')
		buf_put_byte(out, '\n');
}

bool est_body_is(struct span content_type, const char *type)
{
	size_t n = 0;

	while (n < content_type.len && content_type.p[n] != ';' && content_type.p[n] != ' ' &&
	       content_type.p[n] != '\t')
		n++;
	return span_eq_nocase(span_sub(content_type, 0, n), span_str(type));
}
