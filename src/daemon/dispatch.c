/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/crew.h"
#include "ca/anomaly_raise.h"
#include "daemon/metrics.h"
#include "daemon/serve_crl.h"
#include "daemon/serve_ocsp.h"
#include "est/service.h"
#include "net/refusals.h"
#include "scep/service.h"

#define ADMIN_PREFIX "/v1/"

struct worker {
	uint64_t epoch; /* the server's, before the request's snapshots were taken */
	struct scep_worker *scep;
	struct crypto *crypto; /* of whatever is not SCEP; made when first needed */
};

static RESULT worker_crypto(struct worker *w, struct crypto **out, struct err *err)
{
	if (!w->crypto)
		TRY(crypto_new(&w->crypto, false, err));
	*out = w->crypto;
	return OK;
}

static size_t find_listener(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i + 1 < config->n_listeners; i++)
		if (strcmp(config->listeners[i].name, name) == 0)
			break;
	return i;
}

/* Lists of the CAs whose certificates clients show there; NULL: nobody asks. */
static struct foreign_crl *lists_for(const struct config *config, const struct http_request *req)
{
	const struct config_listener *l = &config->listeners[find_listener(config, req->listener)];

	return req->by_proxy ? l->tls_proxy.client_crl : l->client_crl;
}

/* config: whose operators are let in; NULL: it came by the socket. */
static void handle_admin(struct server *s, struct worker *w, const struct config *config,
			 const struct http_request *req, struct http_reply *reply)
{
	const int64_t begun = clock_mono_us();
	struct authority *authority = server_authority(s);
	const struct admin_gate gate = {
		.operators = config ? config->operators : NULL,
		.authority = authority,
		.anomalies = config ? config->anomalies : NULL,
		.revoked = config ? lists_for(config, req) : NULL,
		.by_proxy =
		    config &&
		    config->listeners[find_listener(config, req->listener)].tls_proxy.operators,
	};
	struct crypto *c = NULL;
	struct err err = { 0 };

	if (worker_crypto(w, &c, &err) != OK)
		http_reply_text(reply, 503, "%s", err_text(&err));
	else
		admin_api_handle(&s->admin, c, config ? &gate : NULL, req, reply);
	metrics_count(s->metrics, DISPATCH_ADMIN, DISPATCH_ADMIN, reply, clock_mono_us() - begun);
	authority_unref(authority);
}

static void handle_scep(struct server *s, struct worker *w, const struct config_endpoint *e,
			const struct http_request *req, struct http_reply *reply)
{
	const struct enrol_context enrol = { .store = s->store, .clock = &s->clock };
	struct authority *authority = server_authority(s);
	const struct authority_ca *ca = authority_find(authority, e->ca, clock_now(&s->clock));
	const struct scep_service service = {
		.enrol = &enrol,
		.log = &s->log,
		.crls = s->publisher,
		.why_none = ca ? NULL : authority_why_none(authority, e->ca),
	};

	crew_share();
	scep_service_handle(&service, w->scep, &e->scep, ca, req, reply);
	authority_unref(authority);
}

/* Of one request, for accounts with the role `device`. */
struct account_check {
	const struct operator_list *operators;
	const struct http_request *req;
	struct anomaly_scene scene; /* of attempts that are not even looked at */
};

static enum result verify_account(const struct verifier *v, struct crypto *c, struct span name,
				  struct span password, struct err *err)
{
	const struct account_check *check = v->ctx;
	const struct operator_shown shown = { .name = name, .password = password };
	const struct operator_account *account = NULL;
	enum result r = operator_check(check->operators, c, check->req, &shown, &account, err);

	if (r == ERR_TOO_MANY) { /* not the request's fault: it may be right, later */
		anomaly_raise_failure(&check->scene, "refused requests");
		return err_prefix(err, ERR_BUSY, "account");
	}
	TRY(r);
	if (account->roles & OPERATOR_DEVICE)
		return OK;
	return err_set(err, ERR_DENIED, "account \"%s\" lacks the role device", account->name);
}

static void handle_est(struct server *s, struct worker *w, const struct config_endpoint *e,
		       const struct http_request *req, struct http_reply *reply)
{
	const struct config *config = server_config(s);
	const struct enrol_context enrol = { .store = s->store, .clock = &s->clock };
	struct account_check check = { .operators = config->operators,
				       .req = req,
				       .scene = { .anomalies = config->anomalies,
						  .store = s->store,
						  .log = &s->log,
						  .endpoint = e->name,
						  .ca = e->ca,
						  .peer = req->peer,
						  .now = clock_now(&s->clock) } };
	const struct verifier accounts = { .verify = verify_account, .ctx = &check };
	const struct est_service service = { .enrol = &enrol,
					     .log = &s->log,
					     .accounts = &accounts,
					     .crls = s->publisher,
					     .revoked = lists_for(config, req) };
	struct authority *authority = server_authority(s);
	struct crypto *c = NULL;
	struct err err = { 0 };

	crew_share();
	if (worker_crypto(w, &c, &err) != OK)
		http_reply_text(reply, 503, "%s", err_text(&err));
	else
		est_service_handle(&service, c, &e->est,
				   authority_find(authority, e->ca, clock_now(&s->clock)), req,
				   config_behind(e, req->path), reply);
	authority_unref(authority);
	config_unref(config);
}

static void handle_crl(struct server *s, UNUSED struct worker *w, const struct config_endpoint *e,
		       const struct http_request *req, struct http_reply *reply)
{
	struct serve_crl serve = { .publisher = s->publisher, .now = clock_now(&s->clock) };
	struct authority *authority = server_authority(s);
	const struct authority_ca *ca = authority_oldest(authority, e->ca);

	/* certificates of the first generation may name the endpoint's path alone */
	while (ca && !authority_ca_is_alive(ca, serve.now))
		ca = ca->next;
	serve.authority = authority;
	serve.ca = ca;
	serve_crl(&serve, e, req, reply);
	authority_unref(authority);
}

static void handle_ocsp(struct server *s, struct worker *w, const struct config_endpoint *e,
			const struct http_request *req, struct http_reply *reply)
{
	struct crypto *c = NULL;
	struct err err = { 0 };

	if (worker_crypto(w, &c, &err) != OK)
		http_reply_text(reply, 503, "%s", err_text(&err));
	else
		serve_ocsp(&(struct serve_ocsp){ s, c, w->epoch }, e, req, reply);
}

static void handle_ndes(struct server *s, struct worker *w, const struct config_endpoint *e,
			const struct http_request *req, struct http_reply *reply)
{
	const struct config *config = server_config(s);
	struct authority *authority = server_authority(s);
	const struct ndes_service service = { .store = s->store,
					      .clock = &s->clock,
					      .log = &s->log,
					      .operators = config->operators,
					      .anomalies = config->anomalies,
					      .reusing = &s->reusing };
	struct crypto *c = NULL;
	struct err err = { 0 };

	if (worker_crypto(w, &c, &err) != OK)
		http_reply_text(reply, 503, "%s", err_text(&err));
	else
		ndes_handle(&service, c, &e->ndes,
			    authority_find(authority, e->ca, clock_now(&s->clock)), req,
			    config_behind(e, req->path), reply);
	authority_unref(authority);
	config_unref(config);
}

typedef void protocol_fn(struct server *s, struct worker *w, const struct config_endpoint *e,
			 const struct http_request *req, struct http_reply *reply);

static protocol_fn *const protocols[] = { [CONFIG_SCEP] = handle_scep,
					  [CONFIG_CRL] = handle_crl,
					  [CONFIG_OCSP] = handle_ocsp,
					  [CONFIG_NDES] = handle_ndes,
					  [CONFIG_EST] = handle_est };

/* The record has the first refusals only; the access log has a line for each. */
static void record_refusal(struct server *s, const char *kind, const char *endpoint,
			   const struct http_request *req, const char *reason)
{
	const struct store_event event = { .time = clock_now(&s->clock),
					   .kind = kind,
					   .endpoint = endpoint,
					   .actor = req->peer,
					   .reason = reason };
	struct err err = { 0 };

	log_warning(&s->log, "address refused", LOG_STR("endpoint", endpoint),
		    LOG_STR("peer", req->peer), LOG_STR("reason", reason));
	if (store_add_event(s->store, &event, &err) != OK)
		log_error(&s->log, "a refusal could not be recorded", LOG_ERR(&err));
}

void dispatch_refused(void *ctx, const struct http_request *req, const char *reason)
{
	struct server *s = ctx;

	if (refusals_tell(s->refusals, &req->address, clock_mono_us()))
		record_refusal(s, "access.denied", NULL, req, reason);
}

/* False: the reply is made. */
static bool is_admitted(struct server *s, const struct config_endpoint *e,
			const struct http_request *req, struct http_reply *reply)
{
	enum admission_answer answer = ADMISSION_YES;
	unsigned wait = 0;
	bool tell = false;

	if (e->admission)
		answer =
		    admission_check(e->admission, &req->address, clock_mono_us(), &wait, &tell);
	if (answer == ADMISSION_YES)
		return true;
	if (answer == ADMISSION_FORBIDDEN) {
		http_reply_text(reply, 403, "this endpoint is not for your address");
	} else {
		http_reply_text(reply, 429, "too many requests from your address");
		http_reply_header(reply, "Retry-After", "%u", wait);
	}
	if (tell && answer == ADMISSION_FORBIDDEN)
		record_refusal(s, "access.denied", e->name, req, "by the endpoint's addresses");
	else if (tell)
		record_refusal(s, "access.limited", e->name, req, "over limits.address");
	return false;
}

static bool is_admin(const struct config *config, size_t listener, struct span path)
{
	return (config->admin_listeners >> listener & 1) &&
	       span_eq_str(span_sub(path, 0, strlen(ADMIN_PREFIX)), ADMIN_PREFIX);
}

static void handle_endpoint(struct server *s, struct worker *w, const struct config *config,
			    const struct http_request *req, struct http_reply *reply)
{
	const struct config_endpoint *e =
	    config_route(config, find_listener(config, req->listener), req->path);
	const int64_t begun = clock_mono_us();

	if (!e)
		http_reply_text(reply, 404, "no endpoint has this path");
	else if (is_admitted(s, e, req, reply))
		protocols[e->protocol](s, w, e, req, reply);
	metrics_count(s->metrics, e ? e->name : NULL, e ? config_protocol_name(e->protocol) : NULL,
		      reply, clock_mono_us() - begun);
}

static void handle_listener(struct server *s, struct worker *w, const struct http_request *req,
			    struct http_reply *reply)
{
	const struct config *config;

	w->epoch = atomic_load(&s->epoch);
	config = server_config(s);
	if (is_admin(config, find_listener(config, req->listener), req->path))
		handle_admin(s, w, config, req, reply);
	else
		handle_endpoint(s, w, config, req, reply);
	config_unref(config);
}

void dispatch_handle(void *ctx, void *worker, const struct http_request *req,
		     struct http_reply *reply)
{
	if (strcmp(req->listener, DISPATCH_ADMIN) == 0)
		handle_admin(ctx, worker, NULL, req, reply);
	else
		handle_listener(ctx, worker, req, reply);
}

enum result dispatch_worker_new(UNUSED void *ctx, void **worker, struct err *err)
{
	struct worker *w = calloc(1, sizeof(*w));
	enum result r;

	if (!w)
		return err_nomem(err);
	r = scep_worker_new(&w->scep, err);
	if (r != OK)
		free(w);
	else
		*worker = w;
	return r;
}

void dispatch_worker_free(UNUSED void *ctx, void *worker)
{
	struct worker *w = worker;

	if (!w)
		return;
	scep_worker_free(w->scep);
	crypto_free(w->crypto);
	free(w);
}
