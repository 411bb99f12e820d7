/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCSP responder (RFC 6960, and RFC 5019 for its GETs): one HTTP request in, one reply out. It
 * answers for one CA with that CA's delegated key; a request that is refused gets a response that
 * says so, with HTTP 200.
 */
#ifndef OCSP_SERVICE_H
#define OCSP_SERVICE_H

#include "net/http.h"
#include "ocsp/answer.h"

struct ocsp_service {
	struct store *store;
	const struct clock *clock;
	const struct log *log;
	struct ocsp_cache *cache; /* NULL: none */
	/* Is told what a response says that answers for one certificate, to anyone: for who keeps
	 * replies. Else it stays as it was. NULL: nobody does. */
	struct ocsp_said *said;
};

/*
 * path: what stands behind the endpoint's own, as received. ca: the oldest generation of the CA;
 * each answers for the certificates that it has issued, until its own certificate ends. NULL, or
 * without a responder's key: tryLater. c: the calling thread's.
 */
void ocsp_service_handle(const struct ocsp_service *s, struct crypto *c,
			 const struct ocsp_endpoint *endpoint, const struct authority_ca *ca,
			 const struct http_request *req, struct span path,
			 struct http_reply *reply);

#endif
