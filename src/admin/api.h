/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API: JSON over HTTP, on the Unix socket for root and the daemon's own user, who may do
 * everything, and on HTTPS listeners for operators, who may do what their roles say (the table in
 * api.c). docs/openapi.json describes it, and is served at /v1/openapi.json.
 *
 * Errors are {"error": word, "message": text} with the HTTP status of err.h's table; 401 asks for
 * credentials. Lists: see page.h. Whatever changes something over HTTPS is an event before it is
 * done.
 */
#ifndef ADMIN_API_H
#define ADMIN_API_H

#include "admin/operator.h"
#include "base/clock.h"
#include "base/log.h"
#include "ca/enrol.h"
#include "ca/foreign_crl.h"
#include "keeper/client.h"
#include "net/http.h"
#include "net/http_server.h"
#include "store/store.h"

struct audit;  /* audit/audit.h */
struct backup; /* admin/backup.h */

/* An endpoint of the configuration. Strings borrowed for the call. */
struct admin_endpoint {
	const char *name;
	const char *protocol;
	const char *path;
	const char *ca;
};
typedef void admin_endpoint_fn(void *arg, const struct admin_endpoint *endpoint);

/* An endpoint's policy and CA (NULL: not made yet), borrowed for the call. */
typedef enum result admin_policy_fn(void *arg, const struct enrol_policy *policy,
				    const struct authority_ca *ca, struct err *err);

/* Borrowed for the call. */
typedef enum result admin_ca_fn(void *arg, const struct authority_ca *ca, struct err *err);

/* What the API works on. Immutable, shared by threads; the functions must be thread-safe. */
struct admin_api {
	struct store *store;
	struct keeper_client *keeper;
	struct audit *audit;
	const struct clock *clock;
	const struct log *log;
	struct crl_publisher *publisher; /* NULL: no revocation lists */
	struct backup *backup;           /* NULL: none are made */
	const char *data;                /* the data directory */
	uint32_t own_uid;
	int64_t started; /* time */
	void *ctx;       /* of the functions */
	/* A CA was made: the daemon reads its authorities again, before the reply goes out. */
	RESULT (*changed)(void *ctx, struct err *err);
	/* Each endpoint of the configuration in force. */
	void (*each_endpoint)(void *ctx, admin_endpoint_fn *fn, void *arg);
	/* Calls fn for that endpoint and returns what it does. ERR_NOT_FOUND: there is none. */
	RESULT(*with_policy)
	(void *ctx, const char *endpoint, admin_policy_fn *fn, void *arg, struct err *err);
	/* The same for the CA of that name, in the generation that is in charge. ERR_NOT_FOUND:
	   there is none, or it is not whole. */
	RESULT (*with_ca)(void *ctx, const char *name, admin_ca_fn *fn, void *arg, struct err *err);
	/* Do URLs in certificates tell the generations of that CA's keys apart? ERR_CONFLICT: not
	   all. NULL: nobody knows. */
	RESULT (*check_urls)(void *ctx, const char *ca, struct err *err);
	/* NULL: not told. */
	void (*http_stats)(void *ctx, struct http_server_stats *out);
};

/* What operators are known by, for requests over HTTPS. */
struct admin_gate {
	const struct operator_list *operators;
	const struct authority *authority; /* whose certificates are seen not to be revoked */
	bool by_proxy;                     /* does a certificate count that a proxy tells of? */
	struct anomalies *anomalies;       /* what failed logins are held against; NULL: nothing */
	struct foreign_crl *revoked;       /* by other CAs; NULL: that is not asked */
};

/* c: the calling thread's. gate NULL: only the Unix socket is let in. */
void admin_api_handle(const struct admin_api *api, struct crypto *c, const struct admin_gate *gate,
		      const struct http_request *req, struct http_reply *reply);

#endif
