/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/service.h"

#include <stdlib.h>

#include "scep/exchange.h"

#define RETRY_AFTER_DEFAULT 30

const struct enrol_words scep_words = { .renewal = "RFC 8894 2.5",
					.missing = "RFC 8894 2.4: challengePassword missing",
					.poll = "RFC 8894 3.3.3" };

struct scep_worker {
	struct crypto *crypto;
	struct crypto *legacy; /* with single DES; made when an endpoint first needs it */
};

enum result scep_worker_new(struct scep_worker **out, struct err *err)
{
	CLEANUP(scep_worker_freep) struct scep_worker *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	TRY(crypto_new(&w->crypto, false, err));
	*out = take(w);
	return OK;
}

void scep_worker_free(struct scep_worker *w)
{
	if (!w)
		return;
	crypto_free(w->crypto);
	crypto_free(w->legacy);
	free(w);
}

static RESULT worker_crypto(struct scep_worker *w, const struct scep_endpoint *endpoint,
			    struct crypto **out, struct err *err)
{
	if (endpoint->allow_md5_des && !w->legacy)
		TRY(crypto_new(&w->legacy, true, err));
	*out = endpoint->allow_md5_des ? w->legacy : w->crypto;
	return OK;
}

void scep_reply_later(const struct scep_exchange *x, const struct err *why,
		      struct http_reply *reply)
{
	unsigned seconds =
	    x->endpoint->retry_after ? x->endpoint->retry_after : RETRY_AFTER_DEFAULT;

	log_error(&x->log, "no decision now, the device is told to come back", LOG_ERR(why));
	http_reply_text(reply, 503, "not now: try again in %u seconds", seconds);
	http_reply_header(reply, "Retry-After", "%u", seconds);
}

static const struct {
	scep_operation_fn *run;
	const char *name;
} operations[] = {
	[SCEP_OP_NONE] = { NULL, NULL },
	[SCEP_OP_GET_CA_CAPS] = { scep_get_ca_caps, "GetCACaps" },
	[SCEP_OP_GET_CA_CERT] = { scep_get_ca_cert, "GetCACert" },
	[SCEP_OP_GET_NEXT_CA_CERT] = { scep_get_next_ca_cert, "GetNextCACert" },
	[SCEP_OP_PKI_OPERATION] = { scep_pki_operation, "PKIOperation" },
};

static RESULT check_method(const struct http_request *req, struct err *err)
{
	if (req->method == HTTP_GET || req->method == HTTP_HEAD || req->method == HTTP_POST)
		return OK;
	return err_set(err, ERR_BAD_REQUEST, "RFC 8894 4.1: SCEP uses GET and POST");
}

static void run_operation(struct scep_exchange *x, const struct scep_query *query,
			  struct http_reply *reply)
{
	enum scep_operation operation = query->operation;
	struct err err = { 0 };

	/* many devices leave it out of a POST, for which there is only one (RFC 8894 4.3) */
	if (operation == SCEP_OP_NONE && x->http->method == HTTP_POST)
		operation = SCEP_OP_PKI_OPERATION;
	reply->label.operation = operations[operation].name;
	if (!operations[operation].run) {
		if (err_set(&err, ERR_BAD_REQUEST, "RFC 8894 4.1: the URL lacks ?operation="))
			scep_refusal_by_http(x, 400, &err, reply);
		return;
	}
	if (!x->ca) {
		if (err_set(&err, ERR_BUSY, "CA \"%s\": %.400s", x->endpoint->policy.ca,
			    x->service->why_none ? x->service->why_none
						 : "is not initialised: scepterctl ca init"))
			scep_reply_later(x, &err, reply);
		return;
	}
	operations[operation].run(x, query, reply);
}

static void exchange_clear(struct scep_exchange *x)
{
	scep_message_clear(&x->request);
	pubkey_free(x->signer_key);
	buf_wipe(&x->plain);
	secret_clear(&x->challenge);
	crl_file_unref(x->crl);
	buf_clear(&x->early.leaf);
	buf_clear(&x->early.reply);
}

void scep_service_handle(const struct scep_service *s, struct scep_worker *w,
			 const struct scep_endpoint *endpoint, const struct authority_ca *ca,
			 const struct http_request *req, struct http_reply *reply)
{
	struct scep_exchange x = {
		.service = s, .endpoint = endpoint, .ca = ca, .speaker = ca, .http = req
	};
	struct scep_query query = { .operation = SCEP_OP_NONE };
	struct err err = { 0 };

	x.log = *s->log;
	log_hold(&x.log, req->lines);
	log_bind(&x.log, LOG_STR("endpoint", endpoint->name));
	log_bind(&x.log, LOG_STR("peer", req->peer));
	if (check_method(req, &err) != OK) {
		scep_refusal_by_http(&x, 405, &err, reply);
		http_reply_header(reply, "Allow", "GET, HEAD, POST");
		return;
	}
	if (scep_query_parse(req->query, &query, &err) != OK) {
		if (scep_is_our_fault(err.code))
			scep_reply_later(&x, &err, reply);
		else
			scep_refusal_by_http(&x, 400, &err, reply);
		return;
	}
	if (worker_crypto(w, endpoint, &x.c, &err) != OK)
		scep_reply_later(&x, &err, reply);
	else
		run_operation(&x, &query, reply);
	exchange_clear(&x);
	scep_query_clear(&query);
}
