/* SPDX-License-Identifier: Apache-2.0 */
/* OCSP over HTTP: by a worker, or from an event loop where the same was answered before. */
#ifndef DAEMON_SERVE_OCSP_H
#define DAEMON_SERVE_OCSP_H

#include "daemon/server.h"

struct serve_ocsp {
	struct server *server;
	struct crypto *c; /* the calling thread's */
	uint64_t epoch;   /* the server's, read before its snapshots were */
};

void serve_ocsp(const struct serve_ocsp *serve, const struct config_endpoint *e,
		const struct http_request *req, struct http_reply *reply);

/* http_quick; ctx is the struct server. */
bool serve_ocsp_quick(void *ctx, const struct http_request *req, struct http_reply *reply);

/* Renews the certificates of the CA's responders that are due. c: the calling thread's. */
void serve_ocsp_renew(struct server *s, struct crypto *c, const char *ca);

#endif
