/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor.h"

#include <jansson.h>
#include <stdlib.h>

#include "daemon/metrics.h"
#include "daemon/tls_watch.h"
#include "integrations/exposition.h"
#include "store/health.h"

#define WORKERS 2 /* one may wait for the store or the keeper */
#define CONNECTIONS 64

struct monitor {
	struct server *server;
	struct http_server *http;
};

/* ---- is it ready? ---- */

static void complain(json_t *list, const char *what, const char *name, const char *text)
{
	json_t *entry = json_pack("{s:s, s:s}", "what", what, "reason", text);

	if (name)
		(void)json_object_set_new(entry, "name", json_string(name));
	(void)json_array_append_new(list, entry);
}

static void check_store(struct server *s, json_t *list)
{
	struct err err = { 0 };

	if (store_check_writable(s->store, &err) != OK)
		complain(list, "store", NULL, err_text(&err));
}

static void check_keeper(struct server *s, json_t *list)
{
	struct err err = { 0 };

	if (keeper_ping(s->keeper, &err) != OK)
		complain(list, "keeper", NULL, err_text(&err));
}

/* Each CA is named once, however many endpoints it has. */
static bool is_first_of_ca(const struct config *config, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (strcmp(config->endpoints[j].ca, config->endpoints[i].ca) == 0)
			return false;
	return true;
}

static void check_authorities(struct server *s, json_t *list)
{
	const struct config *config = server_config(s);
	struct authority *authority = server_authority(s);
	int64_t now = clock_now(&s->clock);
	size_t i;

	for (i = 0; i < config->n_endpoints; i++) {
		const char *ca = config->endpoints[i].ca;

		if (!authority_find(authority, ca, now) && is_first_of_ca(config, i))
			complain(list, "ca", ca, authority_why_none(authority, ca));
	}
	authority_unref(authority);
	config_unref(config);
}

static void check_listeners(struct server *s, json_t *list)
{
	const struct config *config = server_config(s);
	char why[ERR_TEXT_MAX];
	size_t i;

	for (i = 0; i < config->n_listeners; i++)
		if (tls_watch_is_away(s, i, why))
			complain(list, "listener", config->listeners[i].name, why);
	config_unref(config);
}

static json_t *not_ready(struct server *s)
{
	json_t *list = json_array();

	check_store(s, list);
	check_keeper(s, list);
	check_authorities(s, list);
	check_listeners(s, list);
	return list;
}

/* ---- answers ---- */

static void answer_json(struct http_reply *reply, int status, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	json_decref(value);
	reply->status = text ? status : 500;
	reply->content_type = "application/json";
	if (text)
		buf_printf(&reply->body, "%s\n", text);
	free(text);
}

static void answer_metrics(struct server *s, struct http_reply *reply)
{
	reply->status = 200;
	reply->content_type = EXPOSITION_TYPE;
	metrics_page(s, &reply->body);
}

static void answer_health(UNUSED struct server *s, struct http_reply *reply)
{
	answer_json(reply, 200, json_pack("{s:b}", "alive", 1));
}

static void answer_readiness(struct server *s, struct http_reply *reply)
{
	json_t *list = not_ready(s);
	bool ready = json_array_size(list) == 0;

	answer_json(reply, ready ? 200 : 503,
		    json_pack("{s:b, s:o}", "ready", (int)ready, "not_ready", list));
}

static const struct {
	const char *path;
	void (*answer)(struct server *s, struct http_reply *reply);
} paths[] = {
	{ "/metrics", answer_metrics },
	{ "/healthz", answer_health },
	{ "/readyz", answer_readiness },
};

static void handle(void *ctx, UNUSED void *worker, const struct http_request *req,
		   struct http_reply *reply)
{
	struct monitor *m = ctx;
	size_t i;

	http_reply_header(reply, "Cache-Control", "no-store");
	for (i = 0; i < ARRAY_LEN(paths); i++)
		if (span_eq_str(req->path, paths[i].path))
			break;
	if (i == ARRAY_LEN(paths)) {
		http_reply_text(reply, 404, "there are /metrics, /healthz and /readyz");
	} else if (req->method != HTTP_GET && req->method != HTTP_HEAD) {
		http_reply_text(reply, 405, "this is read by GET");
		http_reply_header(reply, "Allow", "GET, HEAD");
	} else {
		paths[i].answer(m->server, reply);
	}
}

/* ---- life ---- */

enum result monitor_start(struct monitor **out, struct server *s, int fd, struct err *err)
{
	struct http_listener listener = { .name = "metrics", .fd = fd, .lenient_gets = true };
	struct http_server_config config = {
		.listeners = &listener,
		.n_listeners = 1,
		.limits = HTTP_LIMITS_DEFAULT,
		.loops = 1,
		.workers = WORKERS,
		.handler = handle,
		.log = s->log,
	};
	struct monitor *m;
	enum result r;

	*out = NULL;
	if (fd < 0)
		return OK;
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem(err);
	m->server = s;
	config.ctx = m;
	config.limits.connections = CONNECTIONS;
	r = http_server_start(&m->http, &config, err);
	if (r == OK)
		*out = m;
	else
		free(m);
	return r;
}

void monitor_stop(struct monitor *m)
{
	if (!m)
		return;
	http_server_drain(m->http, 1);
	free(m);
}
