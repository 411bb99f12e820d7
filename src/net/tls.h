/* SPDX-License-Identifier: Apache-2.0 */
/* TLS of a listener: TLS 1.2 and 1.3, sane suites. The only file of net/ that sees OpenSSL. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/err.h"
#include "base/span.h"

struct tls_server;

struct tls_server_config {
	const char *certificate; /* PEM file: the chain, leaf first */
	void *key; /* EVP_PKEY of the leaf (see pki/key_pkey.h): this process need not know it */
};

/* Checks that key and certificate belong together. */
RESULT tls_server_new(struct tls_server **out, const struct tls_server_config *config,
		      struct err *err);
void tls_server_free(struct tls_server *t);
/*
 * Exchanges certificate and key with another's: a renewed certificate for a listener that runs.
 * Connections that are there keep the old ones, which live on in `other`.
 */
void tls_server_swap(struct tls_server *t, struct tls_server *other);
/* An SSL* for one connection, for bufferevent_openssl; NULL if there is no memory. */
void *tls_server_ssl(struct tls_server *t);
/* Says good-bye (close_notify) on a connection that is about to be freed. */
void tls_server_ssl_close(void *ssl);
/* For one that no bufferevent has taken. */
void tls_server_ssl_free(void *ssl);

#endif
