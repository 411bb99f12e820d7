/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists over HTTP (RFC 5280 4.2.1.13): GET and HEAD of the endpoint's path for the
 * complete list, or of a list's name below it, with what caches need (RFC 9111): ETag,
 * Last-Modified, Expires, Cache-Control. 503 with Retry-After where a list is not made yet.
 */
#ifndef DAEMON_SERVE_CRL_H
#define DAEMON_SERVE_CRL_H

#include "ca/crl_publisher.h"
#include "daemon/config.h"

void serve_crl(struct crl_publisher *publisher, const struct config_endpoint *endpoint, int64_t now,
	       const struct http_request *req, struct http_reply *reply);

#endif
