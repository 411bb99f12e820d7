/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "admin/backup.h"
#include "audit/audit.h"
#include "daemon/crl_fetch.h"
#include "daemon/dispatch.h"
#include "daemon/housekeeping.h"
#include "daemon/metrics.h"
#include "daemon/monitor.h"
#include "daemon/privileges.h"
#include "daemon/process.h"
#include "daemon/serve_ocsp.h"
#include "daemon/server_admin.h"
#include "daemon/staple_fetch.h"
#include "daemon/tls_listener.h"
#include "daemon/tls_own.h"
#include "net/refusals.h"
#include "net/tls_verifier.h"

#define ADMIN_BODY ((size_t)96 << 20) /* a list of a million devices, as JSON text */
#define KEEPER_TIMEOUT_MS 10000
#define OCSP_CACHE_SLOTS 8192 /* of some 1.5 KiB each */

/* Everything that the process opens, in the order in which it is closed again from the end. */
struct opened {
	struct log_output *outputs[LOG_TAPS_MAX];
	size_t n_outputs;
	struct log_relay_reader *relay;
	struct log_sink *sink;
	struct tls_listener *tls[CONFIG_LISTENERS_MAX];
	struct tls_verifier *verifiers[CONFIG_LISTENERS_MAX];
	struct housekeeping *housekeeping;
	struct staple_fetch *staple_fetch;
	struct crl_fetch *crl_fetch;
	struct server server;
	struct monitor *monitor;
};

/* Nobody logs any more but this thread. */
static void close_outputs(struct opened *o)
{
	size_t i;

	log_relay_stop(o->relay);
	log_sink_clear_taps(o->sink);
	log_sink_set_quiet(o->sink, false);
	for (i = 0; i < o->n_outputs; i++)
		log_output_close(o->outputs[i]);
}

static void opened_clear(struct opened *o)
{
	size_t i;

	crl_fetch_free(o->crl_fetch);
	staple_fetch_free(o->staple_fetch);
	housekeeping_free(o->housekeeping);
	monitor_stop(o->monitor);
	crl_publisher_free(o->server.publisher);
	if (o->server.authority)
		authority_unref(o->server.authority);
	for (i = 0; i < CONFIG_LISTENERS_MAX; i++) {
		tls_listener_free(o->tls[i]);
		tls_verifier_free(o->verifiers[i]);
	}
	refusals_free(o->server.refusals);
	backup_free(o->server.admin.backup);
	audit_close(o->server.audit);
	ocsp_cache_free(o->server.ocsp_cache);
	ocsp_front_free(o->server.ocsp_front);
	metrics_free(o->server.metrics);
	keeper_client_free(o->server.keeper);
	for (i = 0; i < o->n_outputs; i++)
		log_output_unset_store(o->outputs[i]);
	store_close(o->server.store);
	close_outputs(o);
	if (o->server.config)
		config_unref(o->server.config);
	(void)pthread_mutex_destroy(&o->server.lock);
	(void)pthread_mutex_destroy(&o->server.renewing);
	(void)pthread_mutex_destroy(&o->server.tls_lock);
	(void)pthread_mutex_destroy(&o->server.loading);
}

static enum result open_audit(struct server *s, const struct process_context *ctx, struct err *err)
{
	const struct audit_options options = {
		.store = s->store,
		.keeper = s->keeper,
		.clock = &s->clock,
		.log = &s->log,
		.checkpoint_events = ctx->config->checkpoint_events,
		.checkpoint_seconds = ctx->config->checkpoint_seconds,
	};

	return audit_open(&s->audit, &options, err);
}

/* Before there are other threads, which find the outputs in place. */
static enum result open_outputs(struct opened *o, const struct process_context *ctx,
				struct err *err)
{
	const struct config *config = ctx->config;
	size_t i;

	for (; o->n_outputs < config->n_outputs; o->n_outputs++) {
		struct log_output **output = &o->outputs[o->n_outputs];

		TRY(log_output_new(output, &config->outputs[o->n_outputs], &ctx->log, err));
	}
	for (i = 0; i < o->n_outputs; i++)
		TRY(log_sink_add_tap(ctx->sink, log_output_take, o->outputs[i], err));
	log_sink_set_quiet(ctx->sink, !config->log_stderr);
	if (o->n_outputs == 0)
		return OK;
	return log_relay_start(&o->relay, ctx->relay, o->outputs, o->n_outputs, err);
}

static enum result feed_outputs(struct opened *o, struct err *err)
{
	size_t i;

	for (i = 0; i < o->n_outputs; i++)
		TRY(log_output_set_store(o->outputs[i], o->server.store, err));
	return OK;
}

static enum result open_backup(struct server *s, const struct process_context *ctx, struct err *err)
{
	const struct backup_config config = { .store = s->store,
					      .clock = &s->clock,
					      .log = &s->log,
					      .directory = ctx->config->data };

	s->admin.data = ctx->config->data;
	return backup_new(&s->admin.backup, &config, err);
}

static enum result open_state(struct opened *o, const struct process_context *ctx, struct err *err)
{
	struct server *s = &o->server;
	struct store_options store = { .log = ctx->log };
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/store.db", ctx->config->data) >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "data: path too long");
	store.path = path;
	TRY(store_open(&s->store, &store, err));
	TRY(feed_outputs(o, err));
	TRY(keeper_client_new(&s->keeper, ctx->intro, KEEPER_TIMEOUT_MS, err));
	TRY(keeper_ping(s->keeper, err));
	TRY(open_audit(s, ctx, err));
	server_admin_init(s);
	TRY(open_backup(s, ctx, err));
	TRY(metrics_new(&s->metrics, err));
	TRY(refusals_new(&s->refusals, err));
	TRY(ocsp_front_new(&s->ocsp_front, OCSP_CACHE_SLOTS, err));
	TRY(ocsp_cache_new(&s->ocsp_cache, OCSP_CACHE_SLOTS, err));
	TRY(server_load_authority(s, err));
	server_warn_of_urls(s);
	return server_start_publisher(s, err);
}

static enum result open_tls(struct opened *o, const struct config *config, struct err *err)
{
	size_t i;

	for (i = 0; i < config->n_listeners; i++) {
		const struct config_listener *l = &config->listeners[i];

		if (l->tls_certificate)
			TRY(tls_listener_open(&o->tls[i], l, o->server.keeper, err));
		if (l->tls_proxy.field)
			TRY(tls_verifier_new(&o->verifiers[i], l->tls_proxy.client_ca, err));
	}
	o->server.verifiers = o->verifiers;
	o->server.tls = o->tls;
	tls_own_renew_all(&o->server);
	return OK;
}

static struct http_listener http_listener_of(const struct opened *o,
					     const struct process_context *ctx, size_t i)
{
	const struct config_listener *l = &ctx->config->listeners[i];

	return (struct http_listener){ .name = l->name,
				       .fd = ctx->listeners->fds[i],
				       .lenient_gets = true,
				       .tls = tls_listener_get(o->tls[i]),
				       .proxies = l->proxies,
				       .n_proxies = l->n_proxies,
				       .proxy_optional = l->proxy_optional,
				       .tls_proxy = { .field = l->tls_proxy.field,
						      .format = l->tls_proxy.format,
						      .trusted = l->tls_proxy.trusted,
						      .n_trusted = l->tls_proxy.n_trusted,
						      .verifier = o->verifiers[i] } };
}

static enum result start_http(struct opened *o, const struct process_context *ctx, struct err *err)
{
	struct http_listener listeners[CONFIG_LISTENERS_MAX + 1];
	const struct config *config = ctx->config;
	struct http_server_config http = {
		.listeners = listeners,
		.limits = config->limits,
		.loops = config->loops,
		.workers = config->workers,
		.requests = config->requests,
		.handler = dispatch_handle,
		.quick = serve_ocsp_quick,
		.refused = dispatch_refused,
		.ctx = &o->server,
		.worker_new = dispatch_worker_new,
		.worker_free = dispatch_worker_free,
		.log = ctx->log,
		.access_log = config->access_log,
	};
	struct http_server *started = NULL;
	size_t i;

	for (i = 0; i < config->n_listeners; i++)
		listeners[i] = http_listener_of(o, ctx, i);
	listeners[i] = (struct http_listener){ .name = DISPATCH_ADMIN,
					       .fd = ctx->listeners->admin,
					       .body_bytes = ADMIN_BODY };
	http.n_listeners = i + 1;
	TRY(http_server_start(&started, &http, err));
	atomic_store(&o->server.http, started);
	TRY(monitor_start(&o->monitor, &o->server, ctx->listeners->metrics, err));
	listen_close(ctx->listeners);
	return OK;
}

/* CAs that may have changed under the same path. */
static enum result renew_verifier(struct opened *o, const struct config *config, size_t i,
				  struct err *err)
{
	const struct config_tls_proxy *p = &config->listeners[i].tls_proxy;

	if (!o->verifiers[i] || p->client_authority) /* see tls_clients.h */
		return OK;
	return p->client_ca ? tls_verifier_load(o->verifiers[i], p->client_ca, err)
			    : tls_verifier_trust(o->verifiers[i], NULL, 0, err);
}

/* Certificates that were renewed under the same path. */
static enum result renew_tls(struct opened *o, const struct config *config, struct err *err)
{
	bool renewed = false;
	enum result r = OK;
	size_t i;

	(void)pthread_mutex_lock(&o->server.tls_lock);
	for (i = 0; i < config->n_listeners && r == OK; i++) {
		r = renew_verifier(o, config, i, err);
		if (!o->tls[i] || r != OK)
			continue;
		r = tls_listener_renew(o->tls[i], &config->listeners[i], o->server.keeper, &renewed,
				       err);
		if (r == OK && renewed)
			log_info(&o->server.log, "TLS certificate renewed",
				 LOG_STR("listener", config->listeners[i].name));
	}
	(void)pthread_mutex_unlock(&o->server.tls_lock);
	return r;
}

static void reload(struct opened *o, const struct process_context *ctx)
{
	const struct config *config = NULL;
	struct server *s = &o->server;
	struct err err = { 0 };

	if (config_load(&config, ctx->config_path, CONFIG_ALONE, NULL, &err) != OK) {
		log_error(&s->log, "configuration refused; the old one stays", LOG_ERR(&err));
		return;
	}
	if (renew_tls(o, config, &err) != OK)
		log_error(&s->log, "TLS certificate refused; the old one stays", LOG_ERR(&err));
	log_sink_set_floor(ctx->sink, config->log_level);
	server_set_config(s, config);
	server_warn_of_urls(s);
	tls_own_renew_all(s);
	if (server_set_plans(s, &err) != OK)
		log_error(&s->log, "no revocation lists by the new configuration", LOG_ERR(&err));
	log_info(&s->log, "configuration reloaded", LOG_INT("endpoints", config->n_endpoints));
}

static enum result report_ready(const struct process_context *ctx, struct err *err)
{
	const uint8_t ready = PROCESS_READY;

	if (send(ctx->control, &ready, 1, MSG_NOSIGNAL) != 1)
		return err_errno(err, errno, "report to the parent");
	return OK;
}

/* Until the parent says drain, or is gone. */
static enum result obey(struct opened *o, const struct process_context *ctx, struct err *err)
{
	uint8_t command;
	ssize_t n;

	TRY(report_ready(ctx, err));
	for (;;) {
		n = recv(ctx->control, &command, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1 || command == PROCESS_DRAIN)
			return OK;
		reload(o, ctx);
		TRY(report_ready(ctx, err));
	}
}

enum result process_server(const struct process_context *ctx, struct err *err)
{
	const struct privileges privileges = { ctx->config->user, ctx->parent, SANDBOX_SERVER };
	CLEANUP(opened_clear)
	struct opened o = {
		.sink = ctx->sink,
		.server = { .clock = CLOCK_SYSTEM,
			    .log = ctx->log,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .renewing = PTHREAD_MUTEX_INITIALIZER,
			    .tls_lock = PTHREAD_MUTEX_INITIALIZER,
			    .loading = PTHREAD_MUTEX_INITIALIZER,
			    .reusing = PTHREAD_MUTEX_INITIALIZER,
			    .board = ctx->board,
			    .config = config_ref(ctx->config) },
	};
	enum result r;

	if (!privileges_raise_files(ctx->config->limits.connections))
		log_warning(&ctx->log,
			    "fewer files may be open than http.limits.connections wants; "
			    "raise LimitNOFILE= or ulimit -n");
	TRY(privileges_drop(&privileges, &ctx->log, err));
	TRY(open_outputs(&o, ctx, err));
	TRY(open_state(&o, ctx, err));
	TRY(open_tls(&o, ctx->config, err));
	TRY(housekeeping_start(&o.housekeeping, &o.server, err));
	TRY(staple_fetch_start(&o.staple_fetch, &o.server, err));
	TRY(crl_fetch_start(&o.crl_fetch, &o.server, err));
	TRY(start_http(&o, ctx, err));
	r = obey(&o, ctx, err);
	/* it looks at what is to be freed; refusing is an answer, too, to who asks for readiness */
	monitor_stop(take(o.monitor));
	http_server_drain(o.server.http, ctx->config->drain_seconds);
	return r;
}
