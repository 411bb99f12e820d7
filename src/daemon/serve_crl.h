/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists over HTTP (RFC 5280 4.2.1.13): GET and HEAD of the endpoint's path for the
 * complete list of the oldest generation that is alive, or of a list's name below it ("full.crl" of
 * the first generation, "2/full.crl" of the second), with what caches need (RFC 9111): ETag,
 * Last-Modified, Expires, Cache-Control. 503 with Retry-After where a list is not made yet, 404
 * where there is no such list or generation. Beside the lists lies the certificate that they are
 * verified by: "ca.cer", "2/ca.cer" (RFC 5280 4.2.2.1).
 */
#ifndef DAEMON_SERVE_CRL_H
#define DAEMON_SERVE_CRL_H

#include "ca/crl_publisher.h"
#include "config/config.h"

struct serve_crl {
	struct crl_publisher *publisher;
	int64_t now;
	const struct authority *authority;
	const struct authority_ca *ca; /* the oldest generation that is alive; NULL: none is */
};

void serve_crl(const struct serve_crl *s, const struct config_endpoint *endpoint,
	       const struct http_request *req, struct http_reply *reply);

#endif
