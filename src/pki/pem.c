/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pem.h"

#include "base/base64.h"

#define COLUMNS 64

void pem_put(struct buf *out, const char *label, struct span der)
{
	buf_printf(out, "-----BEGIN %s-----\n", label);
	base64_put(out, der, COLUMNS);
	if (!out->failed && out->len > 0 && out->data[out->len - 1] != '\n')
		buf_put_byte(out, '\n');
	buf_printf(out, "-----END %s-----\n", label);
}

/* Offset of the boundary line, or text.len. */
static size_t find(struct span text, struct span boundary)
{
	const void *at = text.len ? memmem(text.p, text.len, boundary.p, boundary.len) : NULL;

	return at ? (size_t)((const uint8_t *)at - text.p) : text.len;
}

enum result pem_next(struct span *text, const char *label, struct buf *out, struct err *err)
{
	BUF begin = BUF_INIT, end = BUF_INIT;
	struct span body;
	size_t at;

	buf_printf(&begin, "-----BEGIN %s-----", label);
	buf_printf(&end, "-----END %s-----", label);
	TRY(buf_check(&begin, err));
	TRY(buf_check(&end, err));
	at = find(*text, buf_span(&begin));
	if (at == text->len)
		return err_set(err, ERR_NOT_FOUND, "no PEM block %s", label);
	body = span_sub(*text, at + begin.len, SIZE_MAX);
	at = find(body, buf_span(&end));
	if (at == body.len)
		return err_set(err, ERR_SYNTAX, "PEM block %s has no END line", label);
	TRY(base64_parse(span_sub(body, 0, at), out, err));
	*text = span_sub(body, at + end.len, SIZE_MAX);
	return OK;
}
