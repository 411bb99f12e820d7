/* SPDX-License-Identifier: Apache-2.0 */
/* How the server is, at a glance: what it serves, how long that lasts, and what wants attention. */
#include <sys/statvfs.h>

#include "admin/call.h"
#include "pki/cert.h"
#include "store/health.h"
#include "store/request.h"
#include "store/revocation.h"

#define DAY 86400
#define CA_DAYS 60 /* that a CA's certificate should last */
#define RA_DAYS 30
#define FREE_MIN (1u << 30)

struct status {
	struct admin_call *call;
	int64_t now;
	json_t *cas;
	json_t *authorities;
	json_t *crls;
	json_t *endpoints;
	json_t *warnings;
};

static void status_clear(struct status *s)
{
	json_decref(s->cas);
	json_decref(s->authorities);
	json_decref(s->crls);
	json_decref(s->endpoints);
	json_decref(s->warnings);
}

static void warn(struct status *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void warn(struct status *s, const char *fmt, ...)
{
	BUF text = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	(void)json_array_append_new(s->warnings, admin_call_json_text(buf_span(&text)));
}

/* ---- authorities and their lists ---- */

static bool is_newest(const struct store_ca *ca, const struct store_ca_key *key)
{
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		if (ca->keys[i].role == key->role && ca->keys[i].generation > key->generation)
			return false;
	return true;
}

/* The responder renews itself. */
static void add_certificate(struct status *s, const struct store_ca *ca,
			    const struct store_ca_key *key)
{
	bool own = key->role == STORE_KEY_CA;
	struct cert cert;
	int64_t days;

	if (key->role == STORE_KEY_OCSP || !is_newest(ca, key) ||
	    cert_parse(buf_span(&key->cert), &cert, NULL) != OK)
		return;
	days = (cert.not_after - s->now) / DAY;
	if (own)
		(void)json_array_append_new(
		    s->authorities,
		    json_pack("{s:s, s:i, s:o, s:I}", "ca", ca->name, "generation",
			      (int)key->generation, "not_after",
			      admin_call_json_time(cert.not_after), "days", (json_int_t)days));
	if (cert.not_after <= s->now)
		warn(s, "%s of CA %s is expired", own ? "the certificate" : "an RA certificate",
		     ca->name);
	else if (days < (own ? CA_DAYS : RA_DAYS))
		warn(s, "%s of CA %s ends in %lld days",
		     own ? "the certificate" : "an RA certificate", ca->name, (long long)days);
}

static void check_urls(struct status *s, const struct store_ca *ca)
{
	const struct admin_api *api = s->call->api;
	struct err why = { 0 };
	size_t i;

	for (i = 0; i < ca->n_keys && ca->keys[i].generation < 2; i++)
		;
	if (i < ca->n_keys && api->check_urls &&
	    api->check_urls(api->ctx, ca->name, &why) == ERR_CONFLICT)
		warn(s, "%s", err_text(&why));
}

static enum result add_ca(void *ctx, const struct store_ca *ca, struct err *err)
{
	struct status *s = ctx;
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		add_certificate(s, ca, &ca->keys[i]);
	check_urls(s, ca);
	return json_array_append_new(s->cas, json_string(ca->name)) == 0 ? OK : err_nomem(err);
}

static enum result add_crl(void *ctx, const struct store_crl *crl, struct err *err)
{
	struct status *s = ctx;
	bool late = crl->next_update <= s->now;

	if (crl->scope[0] || crl->is_delta)
		return OK;
	if (late)
		warn(s, "the revocation list %llu of CA %s is out of date",
		     (unsigned long long)crl->number, crl->ca);
	if (json_array_append_new(
		s->crls, json_pack("{s:s, s:i, s:I, s:I, s:o, s:b}", "ca", crl->ca, "generation",
				   (int)crl->generation, "number", (json_int_t)crl->number,
				   "entries", (json_int_t)crl->entries, "next_update",
				   admin_call_json_time(crl->next_update), "late", late)) != 0)
		return err_nomem(err);
	return OK;
}

/* ---- endpoints ---- */

static bool is_there(const json_t *cas, const char *name)
{
	const json_t *ca;
	size_t i;

	json_array_foreach(cas, i, ca) if (strcmp(json_string_value(ca), name) == 0) return true;
	return false;
}

static void add_endpoint(void *arg, const struct admin_endpoint *e)
{
	struct status *s = arg;
	bool ready = is_there(s->cas, e->ca);

	if (!ready)
		warn(s, "endpoint %s waits for its CA: scepterctl ca init %s", e->name, e->ca);
	(void)json_array_append_new(
	    s->endpoints, json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", e->name, "protocol",
				    e->protocol, "path", e->path, "ca", e->ca, "ready", ready));
}

/* ---- the rest ---- */

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

static uint64_t free_bytes(const char *directory)
{
	struct statvfs fs;

	if (!directory || statvfs(directory, &fs) != 0)
		return 0;
	return (uint64_t)fs.f_bavail * fs.f_frsize;
}

static json_t *store_json(struct status *s)
{
	const struct admin_api *api = s->call->api;
	uint64_t free = free_bytes(api->data);
	struct store_stats stats;

	store_stats(api->store, &stats);
	if (stats.failing)
		warn(s, "the store cannot write: see the log");
	if (api->data && free < FREE_MIN)
		warn(s, "%s has %llu MiB left", api->data, (unsigned long long)(free >> 20));
	return json_pack("{s:I, s:I, s:I, s:b}", "bytes", (json_int_t)stats.file_bytes, "log_bytes",
			 (json_int_t)stats.log_bytes, "free_bytes", (json_int_t)free, "writes",
			 !stats.failing);
}

static enum result add_event(void *ctx, const struct store_event *e, struct err *err)
{
	json_t **out = ctx;

	*out =
	    json_pack("{s:I, s:o}", "id", (json_int_t)e->id, "time", admin_call_json_time(e->time));
	return *out ? OK : err_nomem(err);
}

static RESULT last_event(const struct admin_call *call, json_t **out, struct err *err)
{
	const struct store_event_filter newest = { .limit = 1, .newest_first = true };

	TRY(store_each_event(call->api->store, &newest, add_event, out, err));
	if (!*out)
		*out = json_null();
	return OK;
}

static RESULT collect(struct status *s, struct err *err)
{
	const struct admin_api *api = s->call->api;

	s->cas = json_array();
	s->authorities = json_array();
	s->crls = json_array();
	s->endpoints = json_array();
	s->warnings = json_array();
	TRY(store_each_ca(api->store, add_ca, s, err));
	TRY(store_each_crl(api->store, NULL, add_crl, s, err));
	if (api->each_endpoint)
		api->each_endpoint(api->ctx, add_endpoint, s);
	return OK;
}

enum result admin_status_show(struct admin_call *call, struct err *err)
{
	const struct admin_api *api = call->api;
	CLEANUP(status_clear) struct status s = { .call = call, .now = clock_now(api->clock) };
	struct err why = { 0 };
	bool keeper = keeper_ping(api->keeper, &why) == OK;
	json_t *event = NULL, *store;
	uint64_t pending = 0;

	TRY(collect(&s, err));
	TRY(store_count_requests(api->store, s.now, &pending, err));
	TRY(last_event(call, &event, err));
	store = store_json(&s);
	if (!keeper)
		warn(&s, "the keeper does not answer: %s", err_text(&why));
	return admin_call_answer(
	    call,
	    json_pack("{s:s, s:o, s:I, s:b, s:s, s:O, s:O, s:O, s:I, s:o, s:o, s:O, s:o, s:O}",
		      "version", SCEPTER_VERSION, "time", admin_call_json_time(s.now), "uptime",
		      (json_int_t)(s.now - api->started), "keeper", keeper, "keeper_message",
		      keeper ? "answers" : err_text(&why), "cas", s.cas, "authorities",
		      s.authorities, "crls", s.crls, "pending_requests", (json_int_t)pending,
		      "last_event", event, "store", store, "endpoints", s.endpoints, "http",
		      http_json(api), "warnings", s.warnings),
	    err);
}
