/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"

#include <stdlib.h>

#include "scep/service.h"

struct worker {
	struct scep_worker *scep;
};

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
	(void)pthread_mutex_unlock(&s->lock);
	config_unref(old);
}

enum result server_load_authority(struct server *s, struct err *err)
{
	struct authority *made = NULL, *old;

	TRY(authority_load(&made, s->store, s->keeper, err));
	(void)pthread_mutex_lock(&s->lock);
	old = s->authority;
	s->authority = made;
	(void)pthread_mutex_unlock(&s->lock);
	if (old)
		authority_unref(old);
	return OK;
}

/* ---- requests ---- */

static void handle_scep(struct server *s, struct worker *w, const struct config_endpoint *e,
			const struct http_request *req, struct http_reply *reply)
{
	const struct enrol_context enrol = { .store = s->store, .clock = &s->clock };
	const struct scep_service service = { .enrol = &enrol, .log = &s->log };
	struct authority *authority = server_authority(s);

	scep_service_handle(&service, w->scep, &e->scep,
			    authority_find(authority, e->scep.policy.ca), req, reply);
	authority_unref(authority);
}

static size_t find_listener(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i + 1 < config->n_listeners; i++)
		if (strcmp(config->listeners[i].name, name) == 0)
			break;
	return i;
}

void server_handle(void *ctx, void *worker, const struct http_request *req,
		   struct http_reply *reply)
{
	struct server *s = ctx;
	const struct config *config = server_config(s);
	const struct config_endpoint *e;

	e = config_route(config, find_listener(config, req->listener), req->path);
	if (e)
		handle_scep(s, worker, e, req, reply);
	else
		http_reply_text(reply, 404, "no endpoint has this path");
	config_unref(config);
}

enum result server_worker_new(UNUSED void *ctx, UNUSED unsigned index, void **worker,
			      struct err *err)
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
	free(w);
}
