/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/api.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/access.h"
#include "admin/route.h"
#include "base/percent.h"

static void call_clear(struct admin_call *call)
{
	buf_clear(&call->arg);
	buf_clear(&call->raw);
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

static void reply_success(struct admin_call *call, int status, struct http_reply *reply)
{
	if (!call->raw_type) {
		reply_json(reply, status, call->answer);
		return;
	}
	reply->status = status;
	reply->content_type = call->raw_type;
	buf_clear(&reply->body);
	reply->body = buf_take(&call->raw);
}

/* ---- requests ---- */

static RESULT authorise(const struct admin_call *call, const struct admin_route *route,
			struct err *err)
{
	if (call->roles & route->roles)
		return OK;
	return err_set(err, ERR_DENIED, "operator \"%s\" has no role that may do this",
		       call->actor);
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

/* A form of some web page, sent by an operator's browser, cannot have this type. */
static RESULT check_type(const struct admin_call *call, struct err *err)
{
	struct span type = http_header(call->req, "Content-Type");

	type = span_sub(type, 0, span_find(type, ';'));
	if (call->req->method != HTTP_POST || !call->req->tls ||
	    span_eq_nocase(type, SPAN_LIT("application/json")))
		return OK;
	return err_set(err, ERR_BAD_REQUEST, "Content-Type must be application/json");
}

static RESULT run(struct admin_call *call, const struct admin_route *route, struct span arg,
		  struct err *err)
{
	TRY(authorise(call, route, err));
	TRY(read_arg(call, arg, err));
	TRY(check_type(call, err));
	TRY(read_body(call, err));
	if (call->origin[0] && route->method != HTTP_GET)
		TRY(admin_access_record_act(call, err));
	return route->fn(call, err);
}

static void refuse(const struct admin_call *call, int status, struct err *err,
		   struct http_reply *reply)
{
	log_warning(call->api->log, "admin request refused", LOG_STR("actor", call->actor),
		    LOG_STR("peer", call->req->peer), LOG_SPAN("path", call->req->path),
		    LOG_ERR(err));
	reply_error(reply, status, err->code, err);
}

/* False: the reply is made. */
static bool let_in(struct admin_call *call, const struct admin_gate *gate, struct http_reply *reply)
{
	struct err err = { 0 };
	enum result r = admin_access_identify(call, gate, &err);
	int status = admin_access_status(call, r);

	if (r == OK)
		return true;
	err.code = r;
	if (r == ERR_DENIED && admin_access_was_tried(call))
		admin_access_record_refusal(call, &err);
	if ((status == 401 || status == 429) && admin_access_was_tried(call))
		admin_access_failed(call, gate);
	refuse(call, status, &err, reply);
	admin_access_challenge(call, status, reply);
	return false;
}

static void answer(struct admin_call *call, struct http_reply *reply)
{
	const struct admin_route *route = NULL;
	struct span arg = SPAN_NONE;
	struct err err = { 0 };
	enum result r = admin_route_find(call->req, &route, &arg, &err);
	int status = r == ERR_BAD_REQUEST ? 405 : err_map(r)->http_status;

	if (r == OK) {
		r = run(call, route, arg, &err);
		status = r == OK ? route->status : err_map(r)->http_status;
	}
	if (r == OK) {
		reply_success(call, status, reply);
		return;
	}
	err.code = r;
	if (r == ERR_DENIED && call->origin[0])
		admin_access_record_refusal(call, &err);
	refuse(call, status, &err, reply);
}

void admin_api_handle(const struct admin_api *api, struct crypto *c, const struct admin_gate *gate,
		      const struct http_request *req, struct http_reply *reply)
{
	CLEANUP(call_clear) struct admin_call call = { .api = api, .c = c, .req = req };

	http_reply_header(reply, "Cache-Control", "no-store");
	http_reply_header(reply, "X-Content-Type-Options", "nosniff");
	if (let_in(&call, gate, reply))
		answer(&call, reply);
}
