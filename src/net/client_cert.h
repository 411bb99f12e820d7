/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of a TLS client as a proxy in front of this server tells them, in a field of
 * each request. Whether the proxy is believed is for others to say. Pure.
 */
#ifndef NET_CLIENT_CERT_H
#define NET_CLIENT_CERT_H

#include "net/http.h"
#include "net/tls_peer.h"

enum client_cert_format {
	/* RFC 9440: ":base64:", and its chain as a list of such in the field NAME-Chain */
	CLIENT_CERT_RFC9440,
	/* percent-encoded PEM, the client's own first: nginx, AWS */
	CLIENT_CERT_PEM,
	/* base64 of DER, perhaps percent-encoded, commas between several: HAProxy, Traefik */
	CLIENT_CERT_DER,
};

#define CLIENT_CERT_OCTETS 32768 /* of all together, as in a handshake */

struct client_certs {
	struct buf bytes; /* owned: DER, one behind the other */
	size_t lens[TLS_PEER_CERTS_MAX];
	size_t n; /* 0: the client has shown none */
};
void client_certs_clear(struct client_certs *c);
/* Certificate i. */
struct span client_certs_get(const struct client_certs *c, size_t i);

/* Does the request have the field, or the one of its chain? */
bool client_cert_is_there(const struct http_request *req, const char *field);
/*
 * ERR_SYNTAX: not as the format says, twice, or a chain without a certificate; ERR_LIMIT. What is
 * inside a certificate is not looked at.
 */
RESULT client_cert_parse(const struct http_request *req, const char *field,
			 enum client_cert_format format, struct client_certs *out, struct err *err);

#endif
