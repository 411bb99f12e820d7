/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/est: one request under way, and the stages that it goes through. */
#ifndef EST_EXCHANGE_H
#define EST_EXCHANGE_H

#include "est/service.h"
#include "pki/cms_signed.h"
#include "pki/csr.h"

#define EST_TRANSACTION 64 /* SHA-256 in hexadecimal digits */

struct est_exchange {
	const struct est_service *service;
	const struct est_endpoint *endpoint;
	const struct authority_ca *ca;
	const struct http_request *http;
	struct crypto *c; /* of the worker */
	struct log log;   /* carries endpoint, peer and, once known, transaction */
	struct enrol_trace trace;

	bool has_client;
	struct cert client;         /* view: of the TLS client; only valid with has_client... */
	bool client_signed;         /* ...unless a signature on the request shows it */
	const struct cert *current; /* the client's, where this CA is said to have issued it */
	bool renewal;               /* it is asked for, and no password will do in its place */
	char vouched[160];          /* who answers for the request; empty: nobody */
	bool registrar;             /* a registration authority does */
	bool key_made_here;         /* serverkeygen: the request's signature proves nothing */
	struct buf credentials;     /* owned, wiped: of HTTP Basic, decoded */
	struct span user;           /* views of them */
	struct span password;
	struct secret otp;  /* the password, where it is an attribute of the request */
	struct buf decoded; /* owned: the body */
	struct csr csr;     /* view of it */
	struct span spki;   /* to be certified: the request's, or of a key that is made for it */
	char transaction[EST_TRANSACTION + 1];
};

/* Operations of the URL. Each fills reply, whatever happens. */
typedef void est_operation_fn(struct est_exchange *x, struct http_reply *reply);
est_operation_fn est_cacerts;
est_operation_fn est_csrattrs;
est_operation_fn est_simpleenroll;
est_operation_fn est_simplereenroll;
est_operation_fn est_serverkeygen;
est_operation_fn est_fullcmc;

/* What the client shows beside its request. False: nothing that would do, and the reply says so. */
bool est_credentials_read(struct est_exchange *x, struct http_reply *reply);
/* 401, with what would do. why NULL: without a body, which BouncyCastle's client trips over. */
void est_credentials_ask(const struct est_exchange *x, const char *why, struct http_reply *reply);

/* Who asks, once x->csr is known. */
RESULT est_credentials_weigh(struct est_exchange *x, struct err *err);
/* Is that a registration authority's, which the endpoint lets act for others? */
bool est_credentials_is_registrar(const struct est_exchange *x, const struct cert *cert);
/* Many clients show nothing until they are asked: that is no event, and not worth a signature. */
bool est_credentials_are_missing(const struct est_exchange *x);
/* Would a password, or another one, let the request in? Known once it has been weighed. */
bool est_credentials_password_counts(const struct est_exchange *x);
/* Is x->csr linked with its connection, as the endpoint wants it? */
RESULT est_binding_check(struct est_exchange *x, struct err *err);

/* Decides on x->csr. */
RESULT est_enrol(struct est_exchange *x, struct enrol_outcome *out, struct err *err);
/* May x->csr have a certificate, by what is shown with it? Decides nothing: see ca_enrol_check. */
RESULT est_enrol_may(struct est_exchange *x, struct err *err);
/* The body into x->csr, with x->transaction. */
RESULT est_enrol_read(struct est_exchange *x, struct err *err);
/* The same of a request that is parsed already; what: its format, for the trace. */
RESULT est_enrol_identify(struct est_exchange *x, const char *what, struct err *err);
/* Is that good enough for a signature of the device's? what: "RFC 7030 4.2.1: the request". */
RESULT est_enrol_check_digest(const struct est_exchange *x, enum digest_alg digest,
			      const char *what, struct err *err);
/* Its own signature, and that it belongs to this connection. */
RESULT est_enrol_check_possession(struct est_exchange *x, struct err *err);
/* Who asks, and for what: all that comes before the decision. False: the reply is made. */
bool est_enrol_prepare(struct est_exchange *x, struct http_reply *reply);
/* For whatever was not issued. */
void est_reply_outcome(const struct est_exchange *x, const struct enrol_outcome *outcome,
		       struct http_reply *reply);
/* Nothing that was shown is good enough, and a password might be. */
bool est_reply_is_unauthorised(const struct est_exchange *x, const struct enrol_outcome *outcome);
/* A request that never came to a decision: its event (readable: it is known what it asks)... */
void est_reply_record(struct est_exchange *x, bool readable, const struct err *why);
/* ...and its reply. 503 where it is our fault. */
void est_reply_refused(struct est_exchange *x, const struct err *why, struct http_reply *reply);

/* 200 with the DER in base64. */
void est_reply_der(const struct est_exchange *x, const char *content_type, struct span der,
		   struct http_reply *reply);
/* 200 with certificates only. */
void est_reply_certs(const struct est_exchange *x, const struct span *certs, size_t n,
		     struct http_reply *reply);
/* With 202 and 503: seconds until the request should come again. */
unsigned est_reply_retry_after(const struct est_exchange *x);
/* 503 with Retry-After; what happened goes to the log only. */
void est_reply_later(const struct est_exchange *x, const struct err *why, struct http_reply *reply);

#endif
