/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/access.h"

#include <stdio.h>

#include "base/hex.h"
#include "ca/anomaly_raise.h"
#include "ca/authority.h"
#include "ca/standing.h"
#include "store/revocation.h"

#define PATH_SHOWN 256
#define EVERYTHING (~0u)

static bool is_local(const struct admin_call *call)
{
	return call->req->peer_uid != UINT32_MAX;
}

/* Root, and whoever the daemon runs as: both could read its files anyway. */
static RESULT by_socket(struct admin_call *call, struct err *err)
{
	uint32_t uid = call->req->peer_uid;

	if (uid != 0 && uid != call->api->own_uid)
		return err_set(
		    err, ERR_DENIED,
		    "the admin socket is for root and for user id %u; you are user id %u",
		    call->api->own_uid, uid);
	(void)snprintf(call->actor, sizeof(call->actor), "uid %u", uid);
	call->roles = EVERYTHING;
	return OK;
}

/* *ours: of this CA of ours. ERR_DENIED: and revoked. */
static RESULT check_status(const struct admin_call *call, const char *ca, const struct cert *leaf,
			   bool *ours, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert issued = { 0 };
	struct store_status status = { 0 };
	enum result r = store_find_cert(call->api->store, ca, leaf->serial, &issued, err);

	if (r == ERR_NOT_FOUND)
		return OK;
	TRY(r);
	if (!span_eq(buf_span(&issued.der), leaf->der))
		return OK;
	*ours = true;
	TRY(store_find_status(call->api->store, ca, leaf->serial, &status, err));
	return status.revoked ? err_set(err, ERR_DENIED, "the client certificate is revoked") : OK;
}

/*
 * Of other CAs, where there are lists of theirs. One that is known by its fingerprint alone, of
 * whose CA nobody has heard, has nobody who could revoke it but who wrote that down.
 */
static RESULT check_lists(const struct admin_call *call, const struct admin_gate *gate,
			  const struct cert *leaf, struct err *err)
{
	const struct foreign_crl_query q = { call->c, call->api->log, clock_now(call->api->clock) };
	enum result r;

	if (!gate->revoked)
		return OK;
	r = foreign_crl_ask(gate->revoked, &q, leaf, err);
	if (r == ERR_NOT_FOUND && call->req->client_verified)
		return err_prefix(err, ERR_DENIED, "client certificate");
	return r == ERR_NOT_FOUND ? OK : r;
}

/* Certificates of our own CAs are in the store. */
static RESULT check_revocation(const struct admin_call *call, const struct admin_gate *gate,
			       const struct cert *leaf, struct err *err)
{
	bool ours = false;
	size_t i;

	TRY(ca_standing_check_key(call->api->store, call->c, leaf, err));
	for (i = 0; i < authority_count(gate->authority) && !ours; i++)
		TRY(check_status(call, authority_name(gate->authority, i), leaf, &ours, err));
	return ours ? OK : check_lists(call, gate, leaf, err);
}

/* One that a proxy tells of is none, unless that is said to count here. */
static bool has_certificate(const struct admin_call *call, const struct admin_gate *gate)
{
	return call->req->n_client_certs && (gate->by_proxy || !call->req->by_proxy);
}

static RESULT by_certificate(struct admin_call *call, const struct admin_gate *gate,
			     const struct operator_account **out, struct err *err)
{
	const struct operator_account *account = NULL;
	BUF serial = BUF_INIT;
	struct cert leaf;

	if (!has_certificate(call, gate))
		return err_set(err, ERR_NOT_FOUND, "no client certificate that counts here");
	TRY(operator_recognise(gate->operators, call->c, clock_now(call->api->clock), call->req,
			       &leaf, &account, err));
	TRY(check_revocation(call, gate, &leaf, err));
	hex_put(&serial, leaf.serial);
	TRY(buf_check(&serial, err));
	(void)snprintf(call->origin, sizeof(call->origin), "from %s by certificate %.48s",
		       call->req->peer, buf_cstr(&serial));
	*out = account;
	return OK;
}

static RESULT by_password(struct admin_call *call, const struct admin_gate *gate,
			  const struct operator_account **out, struct err *err)
{
	enum result r = operator_authenticate(gate->operators, call->c, call->req, out, err);

	if (r == ERR_TOO_MANY)
		call->wait = operator_wait(gate->operators, call->req);
	TRY(r);
	(void)snprintf(call->origin, sizeof(call->origin), "from %s by password", call->req->peer);
	return OK;
}

/* By what was said of the certificate. */
static RESULT refuse(struct admin_call *call, const struct admin_gate *gate, enum result r,
		     struct err *err)
{
	bool shown = has_certificate(call, gate);

	if (r != ERR_NOT_FOUND && r != ERR_DENIED)
		return r;
	call->wait = shown ? operator_wait(gate->operators, call->req) : 0;
	if (call->wait)
		return err_set(err, ERR_LIMIT,
			       "too many failed logins from %s: try again in %u seconds",
			       call->req->peer, call->wait);
	if (shown)
		operator_blame(gate->operators, call->req);
	if (r == ERR_NOT_FOUND)
		r = err_set(err, ERR_DENIED, "%s, and no password was sent",
			    shown ? "the client certificate is no operator's"
			    : call->req->n_client_certs
				? "client certificates that a proxy tells of do not count here "
				  "(tls_proxy.operators)"
				: "no client certificate");
	return r;
}

/* A browser may show a certificate that it has for something else: then the password counts. */
static RESULT by_https(struct admin_call *call, const struct admin_gate *gate, struct err *err)
{
	const struct operator_account *account = NULL;
	enum result r = by_certificate(call, gate, &account, err);

	if (r == ERR_NOT_FOUND && operator_is_named(call->req))
		TRY(r = by_password(call, gate, &account, err));
	if (r != OK)
		return refuse(call, gate, r, err);
	(void)snprintf(call->actor, sizeof(call->actor), "%s", account->name);
	call->roles = account->roles;
	return OK;
}

enum result admin_access_identify(struct admin_call *call, const struct admin_gate *gate,
				  struct err *err)
{
	if (is_local(call))
		return by_socket(call, err);
	if (!gate || !call->req->tls)
		return err_set(err, ERR_DENIED, "the admin API is not served here");
	return by_https(call, gate, err);
}

int admin_access_status(const struct admin_call *call, enum result r)
{
	return r == ERR_DENIED && call->req->tls ? 401 : err_map(r)->http_status;
}

void admin_access_challenge(const struct admin_call *call, int status, struct http_reply *reply)
{
	if (status == 401)
		http_reply_header(reply, "WWW-Authenticate",
				  "Basic realm=\"Scepter\", charset=\"UTF-8\"");
	if (status == 429)
		http_reply_header(reply, "Retry-After", "%u", call->wait ? call->wait : 1);
}

bool admin_access_was_tried(const struct admin_call *call)
{
	return call->req->n_client_certs || operator_is_named(call->req);
}

void admin_access_failed(const struct admin_call *call, const struct admin_gate *gate)
{
	const struct anomaly_scene scene = { .anomalies = gate ? gate->anomalies : NULL,
					     .store = call->api->store,
					     .log = call->api->log,
					     .peer = call->req->peer,
					     .now = clock_now(call->api->clock) };

	anomaly_raise_failure(&scene, "failed logins");
}

/* ---- the record ---- */

static const char *method_name(enum http_method method)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",     [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "other"
	};

	return names[method];
}

static RESULT record(const struct admin_call *call, const char *kind, const char *why,
		     struct err *err)
{
	const struct http_request *req = call->req;
	struct span path = span_sub(req->path, 0, PATH_SHOWN);
	struct store_event event = { .time = clock_now(call->api->clock),
				     .kind = kind,
				     .actor = call->actor[0] ? call->actor : req->peer };
	BUF reason = BUF_INIT;

	buf_printf(&reason, "%s %.*s %s%s%s", method_name(req->method), (int)path.len,
		   (const char *)path.p, call->origin, why ? ": " : "", why ? why : "");
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	return store_add_event(call->api->store, &event, err);
}

enum result admin_access_record_act(const struct admin_call *call, struct err *err)
{
	return record(call, "admin.called", NULL, err);
}

void admin_access_record_refusal(const struct admin_call *call, const struct err *why)
{
	struct err err = { 0 };

	if (record(call, call->actor[0] ? "admin.refused" : "operator.denied", err_text(why),
		   &err) != OK)
		log_error(call->api->log, "a refusal could not be recorded", LOG_ERR(&err));
}
