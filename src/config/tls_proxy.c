/* SPDX-License-Identifier: Apache-2.0 */
/* tls_proxy of a listener: whom to believe what he says of a TLS client. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/build.h"

#define FIELD "Client-Cert" /* RFC 9440 2.2 */
#define FIELD_MAX 64
#define IPV4_BITS 96 /* in front of the 32, in struct address_block */

struct making {
	struct config_item item;
	const struct file_tls_proxy *f;
	struct config_tls_proxy *p;
};

/* Those that every request has, or that something else is read from. */
static bool is_taken(const char *field)
{
	static const char *const others[] = { "Host",
					      "Authorization",
					      "Content-Type",
					      "Content-Length",
					      "Transfer-Encoding",
					      "Connection",
					      "User-Agent",
					      "Accept",
					      "Expect" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(others); i++)
		if (span_eq_nocase(span_str(field), span_str(others[i])))
			return true;
	return false;
}

static void check_field(struct making *m)
{
	const char *field = m->p->field;
	size_t i;

	for (i = 0; field[i]; i++)
		if (!isalnum((unsigned char)field[i]) && field[i] != '-')
			break;
	if (i == 0 || i > FIELD_MAX || field[i])
		COMPLAIN(m, AT(m, "tls_proxy.header"),
			 "is the name of a header field: at most %d letters, digits and hyphens",
			 FIELD_MAX);
	else if (is_taken(field))
		COMPLAIN(m, AT(m, "tls_proxy.header"),
			 "%s has another meaning; have the proxy send another field, such as "
			 "X-SSL-Client-Cert",
			 field);
}

static void build_field(struct making *m)
{
	m->p->format = (enum client_cert_format)m->f->format;
	m->p->field = m->f->header ? m->f->header : FIELD;
	if (!m->f->header && m->f->format != CLIENT_CERT_RFC9440)
		COMPLAIN(m, AT(m, "tls_proxy.header"),
			 "is missing: the name of the field in which the proxy sends this format, "
			 "such as X-SSL-Client-Cert");
	check_field(m);
}

static bool is_everybody(const struct address_block *block)
{
	return block->bits == 0 || (address_is_ipv4(&block->first) && block->bits == IPV4_BITS);
}

static RESULT build_trusted(struct making *m, struct err *err)
{
	struct err why = { 0 };
	size_t i;

	m->p->trusted = calloc(m->f->trusted_count + 1, sizeof(*m->p->trusted));
	if (!m->p->trusted)
		return err_nomem(err);
	m->p->n_trusted = m->f->trusted_count;
	if (m->f->trusted_count == 0)
		COMPLAIN(m, AT(m, "tls_proxy.trusted"),
			 "names nobody, and so the header could come from nobody; list the "
			 "addresses of the proxies");
	for (i = 0; i < m->f->trusted_count; i++)
		if (address_block_parse(m->f->trusted[i], &m->p->trusted[i], &why) != OK)
			COMPLAIN(m, AT(m, "tls_proxy.trusted[%zu]", i), "%s", err_text(&why));
		else if (is_everybody(&m->p->trusted[i]))
			COMPLAIN(
			    m, AT(m, "tls_proxy.trusted[%zu]", i),
			    "\"%s\" is everybody: then everybody could be any device; list the "
			    "addresses of the proxies",
			    m->f->trusted[i]);
	return OK;
}

enum result config_build_tls_proxy(struct config_build *b, size_t i, struct err *err)
{
	struct making m = { .item = { .b = b, .list = "http.listeners", .i = i },
			    .f = b->file->http.listeners[i].tls_proxy,
			    .p = &b->config->listeners[i].tls_proxy };

	if (!m.f)
		return OK;
	build_field(&m);
	m.p->operators = m.f->operators;
	m.p->client_ca = m.f->trust.client_ca;
	m.p->client_authority = m.f->trust.client_authority;
	TRY(config_build_trust(&m.item, "tls_proxy", &m.f->trust, &m.p->client_crl, err));
	return build_trusted(&m, err);
}
