/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/decode_input.h"

#include "base/hex.h"
#include "pki/pem.h"

static const struct span crlf2 = { (const uint8_t *)"\r\n\r\n", 4 };

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim(struct span s)
{
	while (s.len && is_space(s.p[0]))
		s = span_sub(s, 1, SIZE_MAX);
	while (s.len && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* Offset of a text without case, or s.len. */
static size_t find_text(struct span s, struct span text)
{
	size_t i;

	for (i = 0; i + text.len <= s.len; i++)
		if (span_eq_nocase(span_sub(s, i, text.len), text))
			return i;
	return s.len;
}

/* The query around operation=, in a URL, a request line or a line of a log. */
static bool find_query(struct span text, struct span *query)
{
	size_t at = find_text(text, SPAN_LIT("operation=")), end;

	if (at == text.len)
		return false;
	while (at > 0 && text.p[at - 1] != '?' && !is_space(text.p[at - 1]))
		at--;
	for (end = at; end < text.len && !is_space(text.p[end]) && text.p[end] != '"'; end++)
		;
	*query = span_sub(text, at, end - at);
	return true;
}

static RESULT read_query(struct span text, struct span query, struct decode_input *in,
			 struct err *err)
{
	size_t head = find_text(text, crlf2);

	in->form = head == text.len ? "URL" : "HTTP request";
	in->is_url = true;
	TRY(scep_query_parse(query, &in->query, err));
	if (in->query.operation != SCEP_OP_PKI_OPERATION)
		return OK;
	if (in->query.has_message)
		return scep_query_decode_message(buf_span(&in->query.message), &in->bytes, err);
	buf_put(&in->bytes, span_sub(text, head + crlf2.len, SIZE_MAX));
	return buf_check(&in->bytes, err);
}

static RESULT read_pem(struct span text, struct decode_input *in, struct err *err)
{
	static const char *const labels[] = { "CERTIFICATE", "CERTIFICATE REQUEST",
					      "NEW CERTIFICATE REQUEST", "PKCS7", "CMS" };
	size_t i;

	in->form = "PEM";
	for (i = 0; i < ARRAY_LEN(labels); i++) {
		struct span rest = text;

		if (pem_next(&rest, labels[i], &in->bytes, NULL) == OK)
			return OK;
	}
	if (!memmem(text.p, text.len, "-----END ", 9))
		return err_set(err, ERR_SYNTAX, "PEM that is cut off: there is no END line");
	return err_set(err, ERR_SYNTAX,
		       "PEM, but neither certificate, nor request, nor PKCS#7 or CMS message");
}

static RESULT read_armoured(struct span text, struct decode_input *in, struct err *err)
{
	BUF bytes = BUF_INIT;

	in->form = "hexadecimal digits";
	if (hex_parse(text, &bytes, NULL) != OK) {
		in->form = "base64";
		buf_reset(&bytes);
		if (scep_query_decode_message(text, &bytes, NULL) != OK)
			return err_set(
			    err, ERR_SYNTAX,
			    "neither ASN.1, nor PEM, base64 or hexadecimal digits, nor a "
			    "SCEP URL or request");
	}
	in->bytes = buf_take(&bytes);
	return OK;
}

static RESULT read_any(struct span text, struct decode_input *in, struct err *err)
{
	struct span trimmed = trim(text), query;

	if (trimmed.len == 0)
		return err_set(err, ERR_SYNTAX, "there is nothing in it");
	/* 0x30 is '0' too, and base64 never begins like that where ASN.1 is meant */
	if (text.p[0] == 0x30 && text.len > 1 && !(text.p[1] >= '0' && text.p[1] <= '9')) {
		in->form = "DER or BER";
		buf_put(&in->bytes, text);
		return buf_check(&in->bytes, err);
	}
	if (find_text(trimmed, SPAN_LIT("-----BEGIN ")) < trimmed.len)
		return read_pem(trimmed, in, err);
	if (find_query(text, &query))
		return read_query(text, query, in, err);
	return read_armoured(trimmed, in, err);
}

enum result decode_input_read(struct span text, struct decode_input *out, struct err *err)
{
	struct decode_input in = { .form = "" };
	enum result r = read_any(text, &in, err);

	if (r != OK) {
		decode_input_clear(&in);
		return r;
	}
	*out = in;
	return OK;
}

void decode_input_clear(struct decode_input *in)
{
	scep_query_clear(&in->query);
	buf_clear(&in->bytes);
}
