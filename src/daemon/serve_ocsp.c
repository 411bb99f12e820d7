/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/serve_ocsp.h"

#include <stdatomic.h>

#include "ca/responder.h"
#include "daemon/metrics.h"
#include "store/revocation.h"

/* ---- responders ---- */

/* The responder's certificate of each generation: is one in its last third, or over? */
static void responders_due(const struct authority_ca *ca, int64_t now, bool *due, bool *over)
{
	*due = *over = false;
	for (; ca; ca = ca->next)
		if (responder_is_due(ca, now)) {
			*due = true;
			*over |= !responder_is_valid(ca, now);
		}
}

static void renew_those_due(struct server *s, struct crypto *c, const char *name, int64_t now)
{
	struct authority *a = server_authority(s);
	const struct authority_ca *ca;
	struct err err = { 0 };
	enum result r = OK;
	bool renewed = false;

	for (ca = authority_oldest(a, name); ca && r == OK; ca = ca->next)
		if (responder_is_due(ca, now)) {
			r = responder_renew(s->store, s->keeper, c, now, ca, &err);
			renewed |= r == OK;
		}
	if (renewed && r == OK)
		r = server_load_authority(s, &err);
	if (r != OK)
		log_error(&s->log, "OCSP responder not renewed", LOG_STR("ca", name),
			  LOG_ERR(&err));
	authority_unref(a);
}

/*
 * A request that finds a responder's certificate in its last third renews it; others go on with
 * what there is meanwhile, if that still holds.
 */
void serve_ocsp_renew(struct server *s, struct crypto *c, const char *name)
{
	int64_t now = clock_now(&s->clock);
	struct authority *a = server_authority(s);
	bool due, over;

	responders_due(authority_oldest(a, name), now, &due, &over);
	authority_unref(a);
	if (!due || (over ? pthread_mutex_lock : pthread_mutex_trylock)(&s->renewing) != 0)
		return;
	renew_those_due(s, c, name, now);
	(void)pthread_mutex_unlock(&s->renewing);
}

/* ---- answers ---- */

/* Before anything is looked at: what changes meanwhile then differs. */
static struct ocsp_front_state front_state(const struct server *s, uint64_t epoch)
{
	return (struct ocsp_front_state){ .now = clock_now(&s->clock),
					  .changes = store_revocation_changes(s->store),
					  .epoch = epoch };
}

bool serve_ocsp_quick(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct server *s = ctx;
	const int64_t begun = clock_mono_us();
	const struct ocsp_front_state state = front_state(s, atomic_load(&s->epoch));
	const char *endpoint = NULL;

	if (!ocsp_front_get(s->ocsp_front, req, &state, reply, &endpoint))
		return false;
	metrics_count(s->metrics, endpoint, "ocsp", reply, clock_mono_us() - begun);
	return true;
}

void serve_ocsp(const struct serve_ocsp *serve, const struct config_endpoint *e,
		const struct http_request *req, struct http_reply *reply)
{
	struct server *s = serve->server;
	const struct ocsp_front_state state = front_state(s, serve->epoch);
	struct ocsp_said said = { .state = OCSP_UNKNOWN };
	const struct ocsp_service service = { .store = s->store,
					      .clock = &s->clock,
					      .log = &s->log,
					      .cache = s->ocsp_cache,
					      .said = &said };
	struct authority *authority;

	serve_ocsp_renew(s, serve->c, e->ca);
	authority = server_authority(s);
	reply->label.operation = "looked-up";
	ocsp_service_handle(&service, serve->c, &e->ocsp, authority_oldest(authority, e->ca), req,
			    config_behind(e, req->path), reply);
	authority_unref(authority);
	/* what was never issued may be issued now; and who may come is a worker's to decide */
	if (said.state != OCSP_UNKNOWN && !e->admission)
		ocsp_front_put(s->ocsp_front, req, &state, e->name, &said, reply);
}
