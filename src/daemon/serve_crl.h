/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists over HTTP (RFC 5280 4.2.1.13): GET and HEAD of the endpoint's path for the
 * complete list of the oldest generation that is alive, or of a list's name below it ("full.crl" of
 * the first generation, "2/full.crl" of the second), with what caches need (RFC 9111): ETag,
 * Last-Modified, Expires, Cache-Control. 503 with Retry-After where a list is not made yet.
 */
#ifndef DAEMON_SERVE_CRL_H
#define DAEMON_SERVE_CRL_H

#include "ca/crl_publisher.h"
#include "daemon/config.h"

struct serve_crl {
	struct crl_publisher *publisher;
	int64_t now;
	unsigned generation; /* of the CA, the oldest that is alive; 0: none is */
};

void serve_crl(const struct serve_crl *s, const struct config_endpoint *endpoint,
	       const struct http_request *req, struct http_reply *reply);

#endif
