/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/query.h"

#include "base/base64.h"
#include "base/percent.h"

static const struct {
	const char *name;
	enum scep_operation operation;
} operations[] = {
	{ "GetCACaps", SCEP_OP_GET_CA_CAPS },
	{ "GetCACert", SCEP_OP_GET_CA_CERT },
	{ "GetNextCACert", SCEP_OP_GET_NEXT_CA_CERT },
	{ "PKIOperation", SCEP_OP_PKI_OPERATION },
};

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * Once, and '+' stays: devices escape '=' only, or nothing at all. An escape that is none stays as
 * it came: a CA identifier may be any text, and base64 will name the byte.
 */
static void percent_decode(struct span text, struct buf *out)
{
	size_t i;

	buf_reserve(out, text.len);
	for (i = 0; i < text.len; i++) {
		int high = -1, low = -1;

		if (text.p[i] == '%' && text.len - i > 2) {
			high = hex_value(text.p[i + 1]);
			low = hex_value(text.p[i + 2]);
		}
		if (high < 0 || low < 0) {
			buf_put_byte(out, text.p[i]);
			continue;
		}
		buf_put_byte(out, (uint8_t)(high << 4 | low));
		i += 2;
	}
}

/* What came from outside, short and harmless enough for an error text. */
static void quote(struct span text, char out[40])
{
	size_t i, n = text.len < 39 ? text.len : 39;

	for (i = 0; i < n; i++)
		out[i] = (char)(text.p[i] > 0x20 && text.p[i] < 0x7f && text.p[i] != '"' ? text.p[i]
											 : '?');
	out[n] = '\0';
}

static RESULT parse_operation(struct span value, enum scep_operation *out, struct err *err)
{
	BUF name = BUF_INIT;
	char text[40];
	size_t i;

	percent_decode(value, &name);
	TRY(buf_check(&name, err));
	for (i = 0; i < ARRAY_LEN(operations); i++)
		if (span_eq_nocase(buf_span(&name), span_str(operations[i].name))) {
			*out = operations[i].operation;
			return OK;
		}
	quote(buf_span(&name), text);
	return err_set(err, ERR_BAD_REQUEST, "RFC 8894 4.1: operation \"%s\" is unknown", text);
}

/* The value of name=value pairs with that name, without case; which of two is meant nobody knows.
 */
static RESULT find_parameter(struct span query, const char *name, bool *found, struct span *value,
			     struct err *err)
{
	*found = false;
	while (query.len) {
		struct span pair = span_sub(query, 0, span_find(query, '&'));
		size_t equals = span_find(pair, '=');

		query = span_sub(query, pair.len + 1, SIZE_MAX);
		if (!span_eq_nocase(span_sub(pair, 0, equals), span_str(name)))
			continue;
		if (*found)
			return err_set(err, ERR_BAD_REQUEST, "RFC 8894 4.1: %s= stands twice",
				       name);
		*found = true;
		*value = span_sub(pair, equals + 1, SIZE_MAX);
	}
	return OK;
}

enum result scep_query_parse(struct span query, struct scep_query *out, struct err *err)
{
	struct scep_query got = { .operation = SCEP_OP_NONE };
	struct span operation, message = SPAN_NONE;
	bool has_operation;

	TRY(find_parameter(query, "operation", &has_operation, &operation, err));
	TRY(find_parameter(query, "message", &got.has_message, &message, err));
	if (has_operation)
		TRY(parse_operation(operation, &got.operation, err));
	percent_decode(message, &got.message);
	if (got.message.failed) {
		buf_clear(&got.message);
		return err_nomem(err);
	}
	*out = got;
	return OK;
}

void scep_query_clear(struct scep_query *q)
{
	buf_wipe(&q->message);
	*q = (struct scep_query){ .operation = SCEP_OP_NONE };
}

enum result scep_query_decode_message(struct span message, struct buf *out, struct err *err)
{
	BUF text = BUF_INIT;
	size_t i;

	buf_put(&text, message);
	TRY(buf_check(&text, err));
	/* a blank was a '+' before somebody decoded the query as a form; base64_parse skips blanks
	 */
	for (i = 0; i < text.len; i++)
		if (text.data[i] == ' ')
			text.data[i] = '+';
	return base64_parse(buf_span(&text), out, err);
}

enum result scep_query_encode_message(struct span bytes, struct buf *out, struct err *err)
{
	BUF text = BUF_INIT;

	base64_put(&text, bytes, 0);
	TRY(buf_check(&text, err));
	percent_put(out, buf_span(&text));
	return buf_check(out, err);
}
