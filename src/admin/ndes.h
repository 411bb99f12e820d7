/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The challenge page of Microsoft's NDES (/certsrv/mscep_admin/), for the MDM servers and scripts
 * that fetch a challenge from it: an operator with the role challenge-issuer, known by HTTP Basic,
 * gets a challenge for one SCEP endpoint with each GET. Thread-safe.
 */
#ifndef ADMIN_NDES_H
#define ADMIN_NDES_H

#include <pthread.h>

#include "admin/ndes_page.h"
#include "admin/operator.h"
#include "ca/authority.h"

/* Immutable; strings borrowed. */
struct ndes_endpoint {
	const char *name;
	const char *path;     /* without the slash at its end, which the page has */
	const char *endpoint; /* of protocol scep: who takes the challenges */
	enum ndes_encoding encoding;
	enum challenge_form form;
	int64_t lifetime;          /* seconds */
	unsigned maximum;          /* unused challenges at a time */
	bool reusable;             /* one challenge for all and for ever... */
	const char *password_file; /* ...which is kept here, to be shown again; absolute */
	bool allow_plain;          /* without TLS */
};

struct ndes_service {
	struct store *store;
	const struct clock *clock;
	const struct log *log;
	const struct operator_list *operators;
	struct anomalies *anomalies; /* what failed logins are held against; NULL: nothing */
	pthread_mutex_t *reusing;    /* one at a time makes a reusable challenge and its file */
};

/* c: the calling thread's. rest: of the path, behind the endpoint's. ca may be NULL: not made yet;
 * then 503. */
void ndes_handle(const struct ndes_service *s, struct crypto *c,
		 const struct ndes_endpoint *endpoint, const struct authority_ca *ca,
		 const struct http_request *req, struct span rest, struct http_reply *reply);

#endif
