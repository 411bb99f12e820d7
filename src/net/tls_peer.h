/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TLS handshake has told of the other side: its certificates, whether they lead to a CA that
 * the listener trusts, and the channel's binding. Immutable; shared by a connection and the
 * requests that outlive it. References are counted from any thread.
 */
#ifndef NET_TLS_PEER_H
#define NET_TLS_PEER_H

#include <stdatomic.h>

#include "base/attr.h"
#include "base/span.h"

#define TLS_PEER_CERTS_MAX 8
#define TLS_PEER_BINDING_MAX 36

struct tls_peer {
	atomic_uint refs;
	bool verified; /* by the listener's client CA, and in validity now; false without such a CA
			*/
	size_t n_certs;
	struct span
	    certs[TLS_PEER_CERTS_MAX]; /* DER, leaf first; a resumed session has that only */
	size_t binding_len;
	uint8_t binding[TLS_PEER_BINDING_MAX]; /* TLS 1.3: tls-exporter (RFC 9266); TLS 1.2:
						  tls-unique (RFC 5929) where it is safe; or none */
	uint8_t bytes[];
};

/* The binding of a connection, of either side, after its handshake; its length, 0: none. */
size_t tls_peer_bind(void *ssl, uint8_t out[TLS_PEER_BINDING_MAX]);
/* After the handshake on ssl (SSL *). NULL: no memory, or more certificates than we take. */
struct tls_peer *tls_peer_new(void *ssl);
/* Of a client that a proxy has told of: DER, leaf first; at most TLS_PEER_CERTS_MAX. NULL: no
 * memory. */
struct tls_peer *tls_peer_told(const struct span *certs, size_t n, bool verified);
struct tls_peer *tls_peer_ref(struct tls_peer *p);
/* NULL does nothing. */
void tls_peer_unref(struct tls_peer *p);

#endif
