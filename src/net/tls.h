/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS of a listener: TLS 1.2 and 1.3, sane suites, and client certificates where they are asked
 * for. tls*.c are the only files of net/ that see OpenSSL. Thread-safe.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <sys/types.h>

#include "base/err.h"
#include "base/span.h"

struct tls_server;

/*
 * Are clients asked for a certificate? Some devices fail when they are, so not unless somebody
 * needs it. REQUEST lets everyone in: with none, with one that leads to nowhere (see
 * tls_peer.h). REQUIRE wants a certificate, and where there are CAs to trust, one of theirs.
 */
enum tls_clients { TLS_CLIENTS_NONE, TLS_CLIENTS_REQUEST, TLS_CLIENTS_REQUIRE };

struct tls_server_config {
	const char *certificate; /* PEM file: the chain, leaf first */
	void *key; /* EVP_PKEY of the leaf (see pki/key_pkey.h): this process need not know it */
	enum tls_clients clients;
	const char *client_ca; /* PEM file of CAs to trust; NULL: the handler decides on them... */
	bool trust_later;      /* ...unless tls_server_trust() is to say: nobody until then */
};

/* Checks that key and certificate belong together. */
RESULT tls_server_new(struct tls_server **out, const struct tls_server_config *config,
		      struct err *err);
void tls_server_free(struct tls_server *t);
/*
 * Exchanges certificate, key, staple and trust with another's: a renewed certificate for a listener
 * that runs. Connections that are there keep the old ones, which live on in `other`.
 */
void tls_server_swap(struct tls_server *t, struct tls_server *other);
/*
 * CAs to trust from now on, DER, in place of those there are; for connections to come, and sessions
 * begun before are not resumed. None: no client is verified, nor let in by REQUIRE.
 */
RESULT tls_server_trust(struct tls_server *t, const struct span *cas, size_t n, struct err *err);
/*
 * The OCSP response to staple to the certificate that is there now, in place of the one before;
 * dropped at `until`. Empty: none. A copy is made.
 */
RESULT tls_server_staple(struct tls_server *t, struct span response, int64_t until,
			 struct err *err);
/* An SSL* for one connection, for bufferevent_openssl; NULL if there is no memory. */
void *tls_server_ssl(struct tls_server *t);
/*
 * Sends what fits into one record at once, past the bufferevent, which has nothing to send. 0: not
 * now, and the bufferevent is to begin with the same, in one piece; -1: the connection is broken.
 */
ssize_t tls_server_ssl_send(void *ssl, struct span plain);
/* Says good-bye (close_notify) on a connection that is about to be freed. */
void tls_server_ssl_close(void *ssl);
/* For one that no bufferevent has taken. */
void tls_server_ssl_free(void *ssl);

#endif
