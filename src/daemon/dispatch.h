/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a request finds its way through the server: from its listener to the admin API or to an
 * endpoint, past the endpoint's address rules, to the protocol's service.
 */
#ifndef DAEMON_DISPATCH_H
#define DAEMON_DISPATCH_H

#include "daemon/server.h"

/* The listener of that name goes to the admin API, the others to the endpoints. */
#define DISPATCH_ADMIN "admin"

/* http_handler and its worker's state; ctx is the struct server. */
void dispatch_handle(void *ctx, void *worker, const struct http_request *req,
		     struct http_reply *reply);
/* http_refused */
void dispatch_refused(void *ctx, const struct http_request *req, const char *reason);
RESULT dispatch_worker_new(void *ctx, void **worker, struct err *err);
void dispatch_worker_free(void *ctx, void *worker);

#endif
