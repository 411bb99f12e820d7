/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_peer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#define EXPORTER "EXPORTER-Channel-Binding" /* RFC 9266 4.2 */
#define EXPORTED 32

/* The leaf and what was sent behind it; the library keeps the two apart. */
struct chain {
	X509 *certs[TLS_PEER_CERTS_MAX];
	size_t n;
	size_t bytes;
};

/* False: too many, or one that cannot be encoded. */
static bool chain_add(struct chain *chain, X509 *cert)
{
	int len = i2d_X509(cert, NULL);

	if (len <= 0 || chain->n == TLS_PEER_CERTS_MAX)
		return false;
	chain->certs[chain->n++] = cert;
	chain->bytes += (size_t)len;
	return true;
}

static bool chain_collect(struct chain *chain, SSL *ssl, X509 *leaf)
{
	STACK_OF(X509) *rest = SSL_get_peer_cert_chain(ssl);
	int i;

	if (!leaf)
		return true;
	if (!chain_add(chain, leaf))
		return false;
	for (i = 0; i < sk_X509_num(rest); i++)
		if (!chain_add(chain, sk_X509_value(rest, i)))
			return false;
	return true;
}

static void put_certs(struct tls_peer *p, const struct chain *chain)
{
	uint8_t *at = p->bytes;

	for (; p->n_certs < chain->n; p->n_certs++) {
		uint8_t *begin = at;

		(void)i2d_X509(chain->certs[p->n_certs], &at);
		p->certs[p->n_certs] = span_of(begin, (size_t)(at - begin));
	}
}

/* A resumed session was verified when it began: its certificate may have expired since. */
static bool is_verified(const SSL *ssl, const X509 *leaf)
{
	return leaf && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) &&
	       SSL_get_verify_result(ssl) == X509_V_OK &&
	       X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0 &&
	       X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0;
}

/* tls-unique is the first Finished; without RFC 7627 two channels could have the same. */
static size_t bind_tls12(const SSL *ssl, uint8_t out[TLS_PEER_BINDING_MAX])
{
	/* the client's Finished comes first, but where a session is resumed */
	bool own = SSL_session_reused(ssl) == SSL_is_server(ssl);
	size_t n;

	if (SSL_get_extms_support((SSL *)(uintptr_t)ssl) != 1)
		return 0;
	n = own ? SSL_get_finished(ssl, out, TLS_PEER_BINDING_MAX)
		: SSL_get_peer_finished(ssl, out, TLS_PEER_BINDING_MAX);
	return n <= TLS_PEER_BINDING_MAX ? n : 0;
}

size_t tls_peer_bind(void *ssl, uint8_t out[TLS_PEER_BINDING_MAX])
{
	if (SSL_version(ssl) < TLS1_3_VERSION)
		return bind_tls12(ssl, out);
	if (SSL_export_keying_material(ssl, out, EXPORTED, EXPORTER, strlen(EXPORTER),
				       (const unsigned char *)"", 0, 1) != 1)
		return 0;
	return EXPORTED;
}

struct tls_peer *tls_peer_new(void *ssl)
{
	X509 *leaf = SSL_get1_peer_certificate(ssl);
	struct chain chain = { .n = 0 };
	struct tls_peer *p = NULL;

	if (chain_collect(&chain, ssl, leaf))
		p = malloc(sizeof(*p) + chain.bytes);
	if (p) {
		*p = (struct tls_peer){ .verified = is_verified(ssl, leaf) };
		atomic_init(&p->refs, 1);
		put_certs(p, &chain);
		p->binding_len = tls_peer_bind(ssl, p->binding);
	}
	X509_free(leaf);
	ERR_clear_error();
	return p;
}

struct tls_peer *tls_peer_told(const struct span *certs, size_t n, bool verified)
{
	struct tls_peer *p;
	size_t bytes = 0, i;
	uint8_t *at;

	for (i = 0; i < n; i++)
		bytes += certs[i].len;
	p = malloc(sizeof(*p) + bytes);
	if (!p)
		return NULL;
	*p = (struct tls_peer){ .verified = verified, .n_certs = n };
	atomic_init(&p->refs, 1);
	for (at = p->bytes, i = 0; i < n; at += certs[i++].len) {
		memcpy(at, certs[i].p, certs[i].len);
		p->certs[i] = span_of(at, certs[i].len);
	}
	return p;
}

struct tls_peer *tls_peer_ref(struct tls_peer *p)
{
	if (p)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void tls_peer_unref(struct tls_peer *p)
{
	if (p && atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
		free(p);
}
