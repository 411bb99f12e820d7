/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crew.h"
#include "base/file.h"
#include "ca/anomaly_raise.h"
#include "daemon/generation_urls.h"
#include "daemon/metrics.h"
#include "daemon/refusals.h"
#include "daemon/serve_crl.h"
#include "daemon/serve_ocsp.h"
#include "daemon/tls_clients.h"
#include "daemon/tls_own.h"
#include "est/service.h"
#include "scep/service.h"

#define ADMIN_PREFIX "/v1/"

struct worker {
	uint64_t epoch; /* the server's, before the request's snapshots were taken */
	struct scep_worker *scep;
	struct crypto *crypto; /* of whatever is not SCEP; made when first needed */
};

static const char *const protocol_names[] = { [CONFIG_SCEP] = "scep",
					      [CONFIG_CRL] = "crl",
					      [CONFIG_OCSP] = "ocsp",
					      [CONFIG_NDES] = "ndes",
					      [CONFIG_EST] = "est" };

/* ---- snapshots ---- */

const struct config *server_config(struct server *s)
{
	const struct config *c;

	(void)pthread_mutex_lock(&s->lock);
	c = config_ref(s->config);
	(void)pthread_mutex_unlock(&s->lock);
	return c;
}

struct authority *server_authority(struct server *s)
{
	struct authority *a;

	(void)pthread_mutex_lock(&s->lock);
	a = authority_ref(s->authority);
	(void)pthread_mutex_unlock(&s->lock);
	return a;
}

void server_set_config(struct server *s, const struct config *config)
{
	const struct config *old;

	(void)pthread_mutex_lock(&s->lock);
	old = s->config;
	s->config = config;
	atomic_fetch_add(&s->epoch, 1);
	(void)pthread_mutex_unlock(&s->lock);
	config_unref(old);
}

static void log_faults(const struct server *s, const struct authority *a)
{
	size_t i;

	for (i = 0; i < authority_count(a); i++)
		if (*authority_fault(a, i))
			log_error(&s->log, "CA is not whole; the others are not concerned",
				  LOG_STR("ca", authority_name(a, i)),
				  LOG_STR("fault", authority_fault(a, i)));
}

static void swap_authority(struct server *s, struct authority *made)
{
	struct authority *old;

	log_faults(s, made);
	(void)pthread_mutex_lock(&s->lock);
	old = s->authority;
	s->authority = made;
	atomic_fetch_add(&s->epoch, 1);
	(void)pthread_mutex_unlock(&s->lock);
	if (old)
		authority_unref(old);
}

enum result server_load_authority(struct server *s, struct err *err)
{
	struct authority *made = NULL;
	enum result r;

	(void)pthread_mutex_lock(&s->loading);
	r = authority_load(&made, s->store, s->keeper, err);
	if (r == OK)
		swap_authority(s, made);
	(void)pthread_mutex_unlock(&s->loading);
	if (r == OK)
		tls_clients_trust_all(s);
	return r;
}

/* ---- revocation lists ---- */

static struct authority *authority_of(void *ctx)
{
	return server_authority(ctx);
}

enum result server_set_plans(struct server *s, struct err *err)
{
	struct crl_plan plans[CONFIG_ENDPOINTS_MAX];
	const struct config *config = server_config(s);
	char folder[PATH_MAX];
	size_t i, n = 0;
	enum result r = OK;

	for (i = 0; i < config->n_endpoints; i++)
		if (config->endpoints[i].protocol == CONFIG_CRL)
			plans[n++] = config->endpoints[i].crl;
	(void)snprintf(folder, sizeof(folder), "%s/crl", config->data);
	if (n)
		r = file_mkdir(folder, 0755, err);
	if (r == OK)
		r = crl_publisher_set(s->publisher, plans, n, err);
	config_unref(config);
	return r;
}

enum result server_start_publisher(struct server *s, struct err *err)
{
	const struct crl_publisher_config config = { .store = s->store,
						     .clock = &s->clock,
						     .log = s->log,
						     .authority = authority_of,
						     .ctx = s };

	TRY(crl_publisher_new(&s->publisher, &config, err));
	s->admin.publisher = s->publisher;
	return server_set_plans(s, err);
}

/* ---- what the admin API asks of the daemon ---- */

static enum result authorities_changed(void *ctx, struct err *err)
{
	TRY(server_load_authority(ctx, err));
	tls_own_renew_all(ctx);
	return OK;
}

static void each_endpoint(void *ctx, admin_endpoint_fn *fn, void *arg)
{
	const struct config *config = server_config(ctx);
	size_t i;

	for (i = 0; i < config->n_endpoints; i++) {
		const struct config_endpoint *e = &config->endpoints[i];

		fn(arg, &(struct admin_endpoint){ .name = e->name,
						  .protocol = protocol_names[e->protocol],
						  .path = e->path,
						  .ca = e->ca });
	}
	config_unref(config);
}

static enum result with_policy(void *ctx, const char *endpoint, admin_policy_fn *fn, void *arg,
			       struct err *err)
{
	const struct config *config = server_config(ctx);
	struct authority *authority = server_authority(ctx);
	int64_t now = clock_now(&((struct server *)ctx)->clock);
	enum result r = err_set(err, ERR_NOT_FOUND,
				"the configuration has no endpoint \"%s\" any more", endpoint);
	size_t i;

	for (i = 0; i < config->n_endpoints; i++) {
		const struct config_endpoint *e = &config->endpoints[i];
		const struct enrol_policy *policy = e->policy;

		if (policy && strcmp(e->name, endpoint) == 0)
			r = fn(arg, policy, authority_find(authority, policy->ca, now), err);
	}
	authority_unref(authority);
	config_unref(config);
	return r;
}

static enum result with_ca(void *ctx, const char *name, admin_ca_fn *fn, void *arg, struct err *err)
{
	struct server *s = ctx;
	struct authority *authority = server_authority(s);
	const struct authority_ca *ca = authority_find(authority, name, clock_now(&s->clock));
	enum result r = OK;

	if (ca)
		r = fn(arg, ca, err);
	else
		r = err_set(err, ERR_NOT_FOUND, "CA \"%.64s\": %.400s", name,
			    authority_why_none(authority, name));
	authority_unref(authority);
	return r;
}

static enum result check_urls(void *ctx, const char *ca, struct err *err)
{
	const struct config *config = server_config(ctx);
	enum result r = generation_urls_check(config, ca, err);

	config_unref(config);
	return r;
}

static void http_stats(void *ctx, struct http_server_stats *out)
{
	struct server *s = ctx;
	const struct http_server *http = atomic_load(&s->http);

	if (http)
		http_server_stats(http, out);
}

void server_init_admin(struct server *s)
{
	s->admin = (struct admin_api){
		.store = s->store,
		.keeper = s->keeper,
		.audit = s->audit,
		.clock = &s->clock,
		.log = &s->log,
		.own_uid = geteuid(),
		.started = clock_now(&s->clock),
		.ctx = s,
		.changed = authorities_changed,
		.each_endpoint = each_endpoint,
		.with_policy = with_policy,
		.with_ca = with_ca,
		.check_urls = check_urls,
		.http_stats = http_stats,
	};
}

/* ---- requests ---- */

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
	metrics_count(s->metrics, SERVER_ADMIN, SERVER_ADMIN, reply, clock_mono_us() - begun);
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

void server_refused(void *ctx, const struct http_request *req, const char *reason)
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
	metrics_count(s->metrics, e ? e->name : NULL, e ? protocol_names[e->protocol] : NULL, reply,
		      clock_mono_us() - begun);
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

void server_handle(void *ctx, void *worker, const struct http_request *req,
		   struct http_reply *reply)
{
	if (strcmp(req->listener, SERVER_ADMIN) == 0)
		handle_admin(ctx, worker, NULL, req, reply);
	else
		handle_listener(ctx, worker, req, reply);
}

enum result server_worker_new(UNUSED void *ctx, void **worker, struct err *err)
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

void server_worker_free(UNUSED void *ctx, void *worker)
{
	struct worker *w = worker;

	if (!w)
		return;
	scep_worker_free(w->scep);
	crypto_free(w->crypto);
	free(w);
}
