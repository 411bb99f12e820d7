/* SPDX-License-Identifier: Apache-2.0 */
/* SCEP's server side: one HTTP request in, one reply out. */
#ifndef SCEP_SERVICE_H
#define SCEP_SERVICE_H

#include "ca/enrol.h"
#include "net/http.h"

struct scep_endpoint {
	const char *name;
	struct enrol_policy policy;
	/* quirks, as data */
	bool include_ca; /* the CA certificate behind the issued one in CertRep */
	bool ra_chain;   /* GetCACert with RA: issued as degenerate PKCS#7 (always so with an RA) */
	bool allow_sha1_3des; /* legacy floor */
	bool allow_md5_des;
	unsigned retry_after; /* seconds told with 503 */
};

struct scep_service {
	const struct enrol_context *enrol;
	const struct log *log;
};

/* A worker thread's own: crypto context and decryption caches. */
struct scep_worker;
RESULT scep_worker_new(struct scep_worker **out, struct err *err);
void scep_worker_free(struct scep_worker *w);

/* ca may be NULL: the endpoint's CA is not initialised; then 503 with a text that says so. */
void scep_service_handle(const struct scep_service *s, struct scep_worker *w,
			 const struct scep_endpoint *endpoint, const struct authority_ca *ca,
			 const struct http_request *req, struct http_reply *reply);

#endif
