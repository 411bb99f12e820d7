/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/call.h"

static enum result add_name(void *ctx, const struct store_ca *ca, struct err *err)
{
	return json_array_append_new(ctx, json_string(ca->name)) == 0 ? OK : err_nomem(err);
}

struct endpoints {
	json_t *list;
	const json_t *cas;
};

static bool is_there(const json_t *cas, const char *name)
{
	const json_t *ca;
	size_t i;

	json_array_foreach(cas, i, ca) if (strcmp(json_string_value(ca), name) == 0) return true;
	return false;
}

static void add_endpoint(void *arg, const struct admin_endpoint *e)
{
	struct endpoints *to = arg;

	(void)json_array_append_new(to->list,
				    json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", e->name,
					      "protocol", e->protocol, "path", e->path, "ca", e->ca,
					      "ready", is_there(to->cas, e->ca)));
}

static json_t *http_json(const struct admin_api *api)
{
	struct http_server_stats s = { 0 };

	if (!api->http_stats)
		return json_null();
	api->http_stats(api->ctx, &s);
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "connections", (int)s.connections,
			 "queued", (int)s.queued, "requests", (json_int_t)s.requests,
			 "refused_busy", (json_int_t)s.refused_busy, "refused_address",
			 (json_int_t)s.refused_address, "timed_out", (json_int_t)s.timed_out);
}

enum result admin_status_show(struct admin_call *call, struct err *err)
{
	const struct admin_api *api = call->api;
	json_t *cas = json_array(), *endpoints = json_array();
	struct endpoints to = { endpoints, cas };
	int64_t now = clock_now(api->clock);
	struct err why = { 0 };
	enum result r = store_each_ca(api->store, add_name, cas, err);
	bool keeper = keeper_ping(api->keeper, &why) == OK;

	if (r == OK && api->each_endpoint)
		api->each_endpoint(api->ctx, add_endpoint, &to);
	if (r != OK) {
		json_decref(cas);
		json_decref(endpoints);
		return r;
	}
	return admin_call_answer(
	    call,
	    json_pack("{s:s, s:o, s:I, s:b, s:s, s:o, s:o, s:o}", "version", SCEPTER_VERSION,
		      "time", admin_call_json_time(now), "uptime", (json_int_t)(now - api->started),
		      "keeper", keeper, "keeper_message", keeper ? "answers" : err_text(&why),
		      "cas", cas, "endpoints", endpoints, "http", http_json(api)),
	    err);
}
