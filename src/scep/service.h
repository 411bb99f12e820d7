/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP's server side: one HTTP request in, one reply out. Whatever could be read far enough to be
 * answered gets a signed CertRep with HTTP 200, a FAILURE with failInfo and failInfoText where it
 * was refused; 4xx is for what could not be read, 503 with Retry-After for what could not be
 * decided now.
 */
#ifndef SCEP_SERVICE_H
#define SCEP_SERVICE_H

#include "ca/crl_publisher.h"
#include "ca/enrol.h"
#include "net/http.h"
#include "scep/quirks.h"

struct scep_endpoint {
	const char *name;
	struct enrol_policy policy;
	struct scep_habits habits; /* quirks, as data */
	bool allow_sha1_3des;      /* legacy floor; the default one is SHA-256 and AES */
	bool allow_md5_des;        /* opens SHA-1 and 3DES as well */
	unsigned retry_after;      /* seconds told with 503; 0: 30 */
};

struct scep_service {
	const struct enrol_context *enrol;
	const struct log *log;
	struct crl_publisher *crls; /* NULL: none are published */
	const char *why_none;       /* where the endpoint's CA is NULL: for the log */
};

/* A worker thread's own: its crypto contexts. */
struct scep_worker;
RESULT scep_worker_new(struct scep_worker **out, struct err *err);
void scep_worker_free(struct scep_worker *w);
DEFINE_CLEANUP(struct scep_worker, scep_worker_free)

/* ca may be NULL: the endpoint's CA is not initialised; then 503 with a text that says so. */
void scep_service_handle(const struct scep_service *s, struct scep_worker *w,
			 const struct scep_endpoint *endpoint, const struct authority_ca *ca,
			 const struct http_request *req, struct http_reply *reply);

#endif
