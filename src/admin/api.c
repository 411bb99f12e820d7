/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/call.h"
#include "base/percent.h"

/* A star stands for one part of the path, which is the call's argument. */
static const struct route {
	enum http_method method;
	const char *path;
	admin_call_fn *fn;
	int status; /* of a success */
} routes[] = {
	{ HTTP_GET, "/v1/status", admin_status_show, 200 },
	{ HTTP_GET, "/v1/cas", admin_ca_list, 200 },
	{ HTTP_GET, "/v1/cas/*", admin_ca_show, 200 },
	{ HTTP_POST, "/v1/cas", admin_ca_create, 201 },
	{ HTTP_GET, "/v1/challenges", admin_challenge_list, 200 },
	{ HTTP_POST, "/v1/challenges", admin_challenge_create, 201 },
	{ HTTP_DELETE, "/v1/challenges/*", admin_challenge_revoke, 200 },
	{ HTTP_GET, "/v1/certs", admin_cert_list, 200 },
	{ HTTP_GET, "/v1/certs/*", admin_cert_show, 200 },
	{ HTTP_POST, "/v1/certs/*", admin_cert_change, 200 },
	{ HTTP_GET, "/v1/crls", admin_crl_list, 200 },
	{ HTTP_GET, "/v1/crls/*", admin_crl_show, 200 },
	{ HTTP_POST, "/v1/crls/*", admin_crl_rebuild, 200 },
	{ HTTP_GET, "/v1/transactions/*", admin_explain_show, 200 },
	{ HTTP_GET, "/v1/audit/events", admin_audit_list, 200 },
	{ HTTP_GET, "/v1/audit/key", admin_audit_key, 200 },
	{ HTTP_POST, "/v1/audit/seals", admin_audit_seal, 201 },
	{ HTTP_GET, "/v1/requests", admin_request_list, 200 },
	{ HTTP_GET, "/v1/requests/*", admin_request_show, 200 },
	{ HTTP_POST, "/v1/requests/*/approve", admin_request_approve, 200 },
	{ HTTP_POST, "/v1/requests/*/reject", admin_request_reject, 200 },
};

static void call_clear(struct admin_call *call)
{
	buf_clear(&call->arg);
	json_decref(call->body);
	json_decref(call->answer);
}

/* ---- replies ---- */

static void reply_json(struct http_reply *reply, int status, const json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	if (!text) {
		http_reply_text(reply, 503, "out of memory");
		return;
	}
	reply->status = status;
	reply->content_type = "application/json";
	buf_put_str(&reply->body, text);
	buf_put_byte(&reply->body, '\n');
	explicit_bzero(text, strlen(text)); /* a new challenge may stand in it */
	free(text);
}

static void reply_error(struct http_reply *reply, int status, enum result code,
			const struct err *err)
{
	json_t *value = json_pack("{s:s, s:o}", "error", err_name(code), "message",
				  admin_call_json_text(span_str(err_text(err))));

	reply_json(reply, status, value);
	json_decref(value);
}

/* ---- requests ---- */

/* Root, and whoever the daemon runs as: both could read its files anyway. */
static RESULT authorise(struct admin_call *call, struct err *err)
{
	uint32_t uid = call->req->peer_uid;

	if (uid == UINT32_MAX || (uid != 0 && uid != call->api->own_uid))
		return err_set(err, ERR_DENIED,
			       "the admin API is for root and for user id %u; you are user id %d",
			       call->api->own_uid, (int)uid);
	(void)snprintf(call->actor, sizeof(call->actor), "uid %u", uid);
	return OK;
}

static bool matches(const struct route *route, struct span path, struct span *arg)
{
	size_t head = strcspn(route->path, "*");

	if (!route->path[head])
		return span_eq_str(path, route->path);
	if (!span_eq(span_sub(path, 0, head), span_of(route->path, head)))
		return false;
	path = span_sub(path, head, SIZE_MAX);
	*arg = span_sub(path, 0, span_find(path, '/'));
	return arg->len > 0 &&
	       span_eq_str(span_sub(path, arg->len, SIZE_MAX), route->path + head + 1);
}

/* ERR_NOT_FOUND: no such path. ERR_BAD_REQUEST: not by this method. */
static RESULT find_route(const struct http_request *req, const struct route **out, struct span *arg,
			 struct err *err)
{
	bool path_known = false;
	size_t i;

	for (i = 0; i < ARRAY_LEN(routes); i++) {
		if (!matches(&routes[i], req->path, arg))
			continue;
		path_known = true;
		if (routes[i].method == req->method) {
			*out = &routes[i];
			return OK;
		}
	}
	if (path_known)
		return err_set(err, ERR_BAD_REQUEST, "%.*s is not for this method",
			       (int)req->path.len, (const char *)req->path.p);
	return err_set(err, ERR_NOT_FOUND, "there is nothing at %.*s", (int)req->path.len,
		       (const char *)req->path.p);
}

static RESULT read_arg(struct admin_call *call, struct span arg, struct err *err)
{
	TRY(percent_parse(arg, &call->arg, err));
	if (memchr(call->arg.data ? call->arg.data : (const uint8_t *)"", 0, call->arg.len))
		return err_set(err, ERR_BAD_REQUEST, "the path holds a NUL");
	return buf_cstr(&call->arg) ? OK : err_nomem(err);
}

static RESULT read_body(struct admin_call *call, struct err *err)
{
	struct span body = call->req->body;
	json_error_t why;

	if (call->req->method != HTTP_POST)
		return OK;
	call->body = json_loadb((const char *)body.p, body.len, JSON_REJECT_DUPLICATES, &why);
	if (!call->body)
		return err_set(err, ERR_SYNTAX, "body is not JSON: line %d: %s", why.line,
			       why.text);
	if (!json_is_object(call->body))
		return err_set(err, ERR_SYNTAX, "body is not a JSON object");
	return OK;
}

static RESULT run(struct admin_call *call, const struct route *route, struct span arg,
		  struct err *err)
{
	TRY(read_arg(call, arg, err));
	TRY(read_body(call, err));
	return route->fn(call, err);
}

void admin_api_handle(const struct admin_api *api, struct crypto *c, const struct http_request *req,
		      struct http_reply *reply)
{
	CLEANUP(call_clear) struct admin_call call = { .api = api, .c = c, .req = req };
	const struct route *route = NULL;
	struct span arg = SPAN_NONE;
	struct err err = { 0 };
	enum result r = authorise(&call, &err);
	int status;

	if (r == OK)
		r = find_route(req, &route, &arg, &err);
	status = r == ERR_BAD_REQUEST ? 405 : err_map(r)->http_status;
	if (r == OK) {
		r = run(&call, route, arg, &err);
		status = r == OK ? route->status : err_map(r)->http_status;
	}
	if (r == OK) {
		reply_json(reply, status, call.answer);
		return;
	}
	err.code = r;
	log_warning(api->log, "admin request refused", LOG_STR("actor", call.actor),
		    LOG_SPAN("path", req->path), LOG_ERR(&err));
	reply_error(reply, status, r, &err);
}
