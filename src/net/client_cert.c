/* SPDX-License-Identifier: Apache-2.0 */
#include "net/client_cert.h"

#include "base/base64.h"
#include "base/percent.h"

#define CHAIN "-Chain"
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"

void client_certs_clear(struct client_certs *c)
{
	buf_clear(&c->bytes);
	*c = (struct client_certs){ .n = 0 };
}

struct span client_certs_get(const struct client_certs *c, size_t i)
{
	size_t off = 0, j;

	for (j = 0; j < i; j++)
		off += c->lens[j];
	return span_sub(buf_span(&c->bytes), off, c->lens[i]);
}

/* ---- fields ---- */

static bool is_chain(struct span name, const char *field)
{
	size_t n = strlen(field);

	return span_eq_nocase(span_sub(name, 0, n), span_str(field)) &&
	       span_eq_nocase(span_sub(name, n, SIZE_MAX), SPAN_LIT(CHAIN));
}

bool client_cert_is_there(const struct http_request *req, const char *field)
{
	size_t i;

	for (i = 0; i < req->n_headers; i++)
		if (span_eq_nocase(req->headers[i].name, span_str(field)) ||
		    is_chain(req->headers[i].name, field))
			return true;
	return false;
}

/* NULL: there is none. */
static RESULT find_once(const struct http_request *req, const char *field,
			const struct http_header **out, struct err *err)
{
	const struct http_header *found = NULL;
	size_t i;

	for (i = 0; i < req->n_headers; i++) {
		if (!span_eq_nocase(req->headers[i].name, span_str(field)))
			continue;
		if (found)
			return err_set(
			    err, ERR_SYNTAX,
			    "%s stands in the request twice: the proxy must replace what "
			    "its client sends",
			    field);
		found = &req->headers[i];
	}
	*out = found;
	return OK;
}

/* ---- certificates ---- */

static RESULT add(struct client_certs *c, struct span base64, struct err *err)
{
	size_t before = c->bytes.len;

	if (c->n == TLS_PEER_CERTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d certificates", TLS_PEER_CERTS_MAX);
	TRY(base64_parse(base64, &c->bytes, err));
	if (c->bytes.len == before)
		return err_set(err, ERR_SYNTAX, "an empty certificate");
	if (c->bytes.len > CLIENT_CERT_OCTETS)
		return err_set(err, ERR_LIMIT, "certificates of more than %d octets",
			       CLIENT_CERT_OCTETS);
	c->lens[c->n++] = c->bytes.len - before;
	return OK;
}

static struct span trim(struct span s)
{
	while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = span_sub(s, 1, SIZE_MAX);
	while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* What stands before the next comma; *list moves behind it. */
static struct span next_of(struct span *list)
{
	size_t n = span_find(*list, ',');
	struct span one = span_sub(*list, 0, n);

	*list = span_sub(*list, n + 1, SIZE_MAX);
	return trim(one);
}

/* sf-binary of RFC 8941 3.3.5, without parameters. */
static RESULT add_binary(struct client_certs *c, struct span s, struct err *err)
{
	struct span inside;

	if (s.len < 2 || s.p[0] != ':' || s.p[s.len - 1] != ':')
		return err_set(
		    err, ERR_SYNTAX,
		    "RFC 9440 2.1: no byte sequence, which begins and ends with a colon");
	inside = span_sub(s, 1, s.len - 2);
	if (span_find(inside, ' ') != inside.len)
		return err_set(err, ERR_SYNTAX, "RFC 8941 3.3.5: a space in a byte sequence");
	return add(c, inside, err);
}

/* An empty value is an empty list (RFC 8941 3.1). */
static RESULT add_chain(struct client_certs *c, const struct http_header *h, struct err *err)
{
	struct span list = trim(h->value);

	if (list.len && list.p[list.len - 1] == ',')
		return err_set(err, ERR_SYNTAX, "RFC 8941 4.2.1: a comma at the end");
	while (list.len)
		TRY(add_binary(c, next_of(&list), err));
	return OK;
}

static RESULT parse_rfc9440(const struct http_request *req, const char *field,
			    const struct http_header *own, struct client_certs *c, struct err *err)
{
	size_t i;

	if (own)
		TRY(err_prefix(err, add_binary(c, trim(own->value), err), "%s", field));
	for (i = 0; i < req->n_headers; i++) {
		if (!is_chain(req->headers[i].name, field))
			continue;
		if (!own)
			return err_set(err, ERR_SYNTAX, "RFC 9440 2.3: %s" CHAIN " without %s",
				       field, field);
		TRY(err_prefix(err, add_chain(c, &req->headers[i], err), "%s" CHAIN, field));
	}
	return OK;
}

/* What lies before text in *rest, which moves behind it. False: text does not come. */
static bool cut(struct span *rest, const char *text, struct span *before)
{
	const uint8_t *at = rest->len ? memmem(rest->p, rest->len, text, strlen(text)) : NULL;
	size_t n = at ? (size_t)(at - rest->p) : 0;

	if (!at)
		return false;
	*before = span_sub(*rest, 0, n);
	*rest = span_sub(*rest, n + strlen(text), SIZE_MAX);
	return true;
}

static bool is_blank(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' && s.p[i] != '\n')
			return false;
	return true;
}

static RESULT parse_pem(struct span text, struct client_certs *c, struct err *err)
{
	struct span between, base64;

	while (!is_blank(text)) {
		if (!cut(&text, BEGIN, &between) || !is_blank(between) || !cut(&text, END, &base64))
			return err_set(err, ERR_SYNTAX, "not PEM certificates");
		TRY(add(c, base64, err));
	}
	return OK;
}

static RESULT parse_der(struct span text, struct client_certs *c, struct err *err)
{
	if (text.len && text.p[text.len - 1] == ',')
		return err_set(err, ERR_SYNTAX, "a comma at the end");
	while (text.len)
		TRY(add(c, next_of(&text), err));
	return OK;
}

/* The two in which proxies write base64 as it comes; an empty value is no certificate. */
static RESULT parse_encoded(const struct http_header *own, enum client_cert_format format,
			    struct client_certs *c, struct err *err)
{
	BUF text = BUF_INIT;

	if (!own)
		return OK;
	TRY(percent_parse(trim(own->value), &text, err));
	return format == CLIENT_CERT_PEM ? parse_pem(buf_span(&text), c, err)
					 : parse_der(buf_span(&text), c, err);
}

enum result client_cert_parse(const struct http_request *req, const char *field,
			      enum client_cert_format format, struct client_certs *out,
			      struct err *err)
{
	CLEANUP(client_certs_clear) struct client_certs c = { .n = 0 };
	const struct http_header *own = NULL;

	TRY(find_once(req, field, &own, err));
	if (format == CLIENT_CERT_RFC9440)
		TRY(parse_rfc9440(req, field, own, &c, err));
	else
		TRY(err_prefix(err, parse_encoded(own, format, &c, err), "%s", field));
	*out = c;
	c = (struct client_certs){ .n = 0 };
	return OK;
}
