/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EST's server side (RFC 7030, RFC 8951): one HTTP request in, one reply out. A refusal is text
 * that names what disagreed: 401 where no credential does, 400 and 403 else; 202 with Retry-After
 * while an operator has to approve; 503 for what could not be decided now.
 */
#ifndef EST_SERVICE_H
#define EST_SERVICE_H

#include "ca/crl_publisher.h"
#include "ca/enrol.h"
#include "ca/foreign_crl.h"
#include "net/http.h"

/*
 * Must the request be linked with the TLS connection that it comes by (RFC 7030 3.5)? By tls-unique
 * on TLS 1.2, by tls-exporter (RFC 9266) on TLS 1.3. OPTIONAL: what links must do so rightly.
 */
enum est_binding { EST_BINDING_OFF, EST_BINDING_OPTIONAL, EST_BINDING_REQUIRED };

/*
 * May devices ask for a key (RFC 7030 4.4)? It is made for the request, goes out encrypted to a key
 * of the device, and is kept nowhere. PLAIN: also under TLS alone.
 */
enum est_server_keys { EST_KEYS_OFF, EST_KEYS_ENCRYPTED, EST_KEYS_PLAIN };

/* Immutable; strings borrowed. */
struct est_endpoint {
	const char *name;
	struct enrol_policy policy;
	bool accounts;     /* device accounts may enrol, by HTTP Basic */
	bool certificates; /* so may whoever has a client certificate that the listener has verified
			      and another CA has issued: a manufacturer's... */
	bool both;         /* ...which also shows a password */
	bool registrars;   /* certificates of this CA for id-kp-cmcRA enrol others */
	bool allow_sha1;   /* under requests; else SHA-256 is the least */
	enum est_binding binding;
	enum est_server_keys server_keys;
	const char *shared_keys; /* file: see est/shared_keys.h; NULL: there are none */
	bool full_cmc;           /* Full PKI Requests (RFC 7030 4.3) are taken, revocations too */
	unsigned retry_after;    /* seconds told with 202 and 503; 0: 30 */
};

struct est_service {
	const struct enrol_context *enrol;
	const struct log *log;
	const struct verifier *accounts; /* of devices; NULL: there are none */
	struct crl_publisher *crls;      /* NULL: none are published */
	struct foreign_crl *revoked;     /* by makers' CAs; NULL: that is not asked */
};

/*
 * c: the calling thread's. path: behind the endpoint's: "/simpleenroll". ca may be NULL: the
 * endpoint's CA is not initialised; then 503 with a text that says so.
 */
void est_service_handle(const struct est_service *s, struct crypto *c,
			const struct est_endpoint *endpoint, const struct authority_ca *ca,
			const struct http_request *req, struct span path, struct http_reply *reply);

#endif
