/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a CA says of certificates: looked up in the store, signed by its delegated key, or found
 * signed already.
 */
#ifndef OCSP_ANSWER_H
#define OCSP_ANSWER_H

#include "ca/authority.h"
#include "ocsp/cache.h"

struct ocsp_endpoint {
	const char *name;
	int64_t validity; /* thisUpdate to nextUpdate */
	/* what is said of a serial number that was never issued: `unknown`, or `revoked` with the
	 * extension extended-revoke (RFC 6960 2.2); never `good` */
	bool revoke_unissued;
	bool by_name;  /* responderID by name instead of by key */
	unsigned most; /* certificates that a request may ask for; 0: OCSP_CERTS_MAX */
};

struct ocsp_source {
	struct store *store;
	struct ocsp_cache *cache; /* NULL: none */
	const struct ocsp_endpoint *endpoint;
	int64_t now;
};

/*
 * Appends the OCSPResponse. ca: the oldest generation of the CA; each answers for the certificates
 * that it has issued, until its own certificate ends. *said: of the first certificate asked for.
 * ERR_DENIED: they are not of this CA; ERR_BUSY: it has no responder's key yet. c: the calling
 * thread's.
 */
RESULT ocsp_answer(const struct ocsp_source *s, struct crypto *c, const struct authority_ca *ca,
		   const struct ocsp_request *request, struct ocsp_said *said, struct buf *out,
		   struct err *err);

#endif
