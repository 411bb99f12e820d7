/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/ndes.h"

#include "base/file.h"
#include "base/secret.h"
#include "ca/anomaly_raise.h"

#define RETRY_SECONDS 5
#define FOR_EVER 253402300799 /* 9999-12-31T23:59:59Z */
#define PASSWORD_MAX 64

/* One request on its way. */
struct call {
	const struct ndes_service *s;
	struct crypto *c;
	const struct ndes_endpoint *e;
	const struct authority_ca *ca;
	const struct http_request *req;
	struct span rest; /* of the path, behind the endpoint's */
	const struct operator_account *operator;
	struct log log;
};

/* What was refused, and to whom. */
static void record(const struct call *call, const char *kind, const char *reason)
{
	const struct store_event event = { .time = clock_now(call->s->clock),
					   .kind = kind,
					   .endpoint = call->e->name,
					   .actor = call->operator? call->operator->
								    name : call->req->peer,
					   .reason = reason, };
	struct err err = { 0 };

	if (store_add_event(call->s->store, &event, &err) != OK)
		log_error(&call->log, "a refusal could not be recorded", LOG_ERR(&err));
}

/* ---- the challenge ---- */

static RESULT make_challenge(const struct call *call, struct secret *out, struct err *err)
{
	const struct ndes_endpoint *e = call->e;
	int64_t now = clock_now(call->s->clock);
	struct challenge_new n = { .form = e->form,
				   .endpoint = e->endpoint,
				   .lifetime = e->reusable ? FOR_EVER - now : e->lifetime,
				   .actor = call->operator->name,
				   .source = e->name,
				   .most = e->reusable ? 0 : e->maximum,
				   .reusable = e->reusable };
	char id[STORE_NAME_MAX];

	TRY(challenge_create(call->s->store, call->c, call->s->clock, &n, out, id, err));
	log_info(&call->log, "challenge created", LOG_STR("id", id));
	return OK;
}

/* ERR_NOT_FOUND: there is none yet, or what the file has is good no more. */
static RESULT read_reusable(const struct call *call, struct secret *out, struct err *err)
{
	CLEANUP(store_challenge_clear) struct store_challenge ch = { 0 };
	uint8_t hash[STORE_HASH];
	SECRET text = SECRET_INIT;

	TRY(secret_read_file(&text, call->e->password_file, PASSWORD_MAX, err));
	if (challenge_hash_one_time(call->c, secret_span(&text), hash, NULL) != OK)
		return err_set(err, ERR_NOT_FOUND, "%s: no challenge", call->e->password_file);
	TRY(store_find_challenge(call->s->store, hash, &ch, err));
	if (!ch.reusable || ch.revoked || strcmp(ch.endpoint, call->e->endpoint) != 0)
		return err_set(err, ERR_NOT_FOUND, "challenge %s is revoked", ch.id);
	secret_clear(out);
	out->bytes = buf_take(&text.bytes);
	return OK;
}

static RESULT get_reusable(const struct call *call, struct secret *out, struct err *err)
{
	enum result r;

	(void)pthread_mutex_lock(call->s->reusing);
	r = read_reusable(call, out, err);
	if (r == ERR_NOT_FOUND) {
		r = make_challenge(call, out, err);
		if (r == OK)
			r = file_write_atomic(call->e->password_file, 0600, secret_span(out), err);
	}
	(void)pthread_mutex_unlock(call->s->reusing);
	return r;
}

/* ---- the pages ---- */

/* The page's own thumbprint is MD5's size; its value tells nobody anything who does not ask. */
static RESULT thumbprint(const struct call *call, uint8_t digest[DIGEST_MAX], struct err *err)
{
	struct span der = buf_span(&call->ca->ca.der);

	return crypto_digest(call->c, DIGEST_MD5, &der, 1, digest, err);
}

static RESULT show_password(const struct call *call, struct buf *page, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	SECRET text = SECRET_INIT;
	struct ndes_password shown = { .thumbprint = span_of(digest, NDES_THUMBPRINT) };

	TRY(thumbprint(call, digest, err));
	if (call->e->reusable)
		TRY(get_reusable(call, &text, err));
	else
		TRY(make_challenge(call, &text, err));
	shown.password = secret_span(&text);
	shown.minutes = call->e->reusable ? 0 : call->e->lifetime / 60;
	ndes_page_password(page, call->e->encoding, &shown);
	return OK;
}

static RESULT make_page(const struct call *call, struct buf *page, struct err *err)
{
	enum result r;

	if (!(call->operator->roles & OPERATOR_CHALLENGE_ISSUER)) {
		log_warning(&call->log, "no challenge: the operator is no challenge-issuer");
		record(call, "challenge.refused", "the operator is no challenge-issuer");
		ndes_page_no_permission(page, call->e->encoding);
		return OK;
	}
	r = show_password(call, page, err);
	if (r != ERR_LIMIT)
		return r;
	log_warning(&call->log, "no challenge: too many are unused", LOG_ERR(err));
	record(call, "challenge.refused", err_text(err));
	ndes_page_full(page, call->e->encoding, call->e->lifetime / 60);
	return OK;
}

static void refuse_busy(const struct call *call, const struct err *why, struct http_reply *reply)
{
	log_error(&call->log, "no challenge now", LOG_ERR(why));
	http_reply_text(reply, 503, "not now: try again in %d seconds", RETRY_SECONDS);
	http_reply_header(reply, "Retry-After", "%d", RETRY_SECONDS);
}

static void send_page(const struct call *call, struct http_reply *reply)
{
	BUF_SECRET page = BUF_INIT;
	struct err err = { 0 };
	enum result r = make_page(call, &page, &err);

	if (r == OK)
		r = buf_check(&page, &err);
	if (r != OK) {
		refuse_busy(call, &err, reply);
		return;
	}
	reply->status = 200;
	reply->content_type = call->e->encoding == NDES_UTF8 ? "text/html; charset=utf-8"
							     : "text/html; charset=utf-16";
	buf_clear(&reply->body);
	reply->body = buf_take(&page);
}

/* ---- who asks, and for what ---- */

/* A login that failed, or was not looked at after too many. */
static void count_failure(const struct call *call)
{
	const struct anomaly_scene scene = { .anomalies = call->s->anomalies,
					     .store = call->s->store,
					     .log = &call->log,
					     .endpoint = call->e->name,
					     .peer = call->req->peer,
					     .now = clock_now(call->s->clock) };

	if (operator_is_named(call->req))
		anomaly_raise_failure(&scene, "failed logins");
}

static void ask_who(const struct call *call, const struct err *why, struct http_reply *reply)
{
	log_warning(&call->log, "no challenge: unknown operator", LOG_ERR(why));
	if (operator_is_named(call->req))
		record(call, "operator.denied", err_text(why));
	http_reply_text(reply, 401, "%s", err_text(why));
	http_reply_header(reply, "WWW-Authenticate", "Basic realm=\"%s\", charset=\"UTF-8\"",
			  call->e->name);
}

static void hold_off(const struct call *call, const struct err *why, struct http_reply *reply)
{
	log_warning(&call->log, "no challenge: too many failed logins", LOG_ERR(why));
	http_reply_text(reply, 429, "%s", err_text(why));
	http_reply_header(reply, "Retry-After", "%u", operator_wait(call->s->operators, call->req));
}

static void serve_page(struct call *call, struct http_reply *reply)
{
	struct err err = { 0 };
	enum result r =
	    operator_authenticate(call->s->operators, call->c, call->req, &call->operator, & err);

	http_reply_header(reply, "Cache-Control", "no-store");
	if (r == ERR_DENIED || r == ERR_TOO_MANY) {
		count_failure(call);
		(r == ERR_TOO_MANY ? hold_off : ask_who)(call, &err, reply);
		return;
	}
	if (r == OK && !call->ca)
		r = err_set(&err, ERR_BUSY, "its CA is not initialised: scepterctl ca init");
	if (r != OK) {
		refuse_busy(call, &err, reply);
		return;
	}
	log_bind(&call->log, LOG_STR("actor", call->operator->name));
	send_page(call, reply);
}

/* False: the reply is made. */
static bool is_the_page(const struct call *call, struct http_reply *reply)
{
	if (span_eq_str(call->rest, "/"))
		return true;
	http_reply_text(reply, call->rest.len ? 404 : 301, "the page is %s/", call->e->path);
	if (call->rest.len == 0)
		http_reply_header(reply, "Location", "%s/", call->e->path);
	return false;
}

/* GET alone: each makes a challenge, so that a HEAD would use one up. */
static bool may_ask(const struct call *call, struct http_reply *reply)
{
	if (call->req->method != HTTP_GET) {
		http_reply_text(reply, 405, "the page is read by GET");
		http_reply_header(reply, "Allow", "GET");
		return false;
	}
	if (!call->req->tls && !call->e->allow_plain) {
		http_reply_text(reply, 403,
				"passwords and challenges are not sent in the clear here: use "
				"https");
		return false;
	}
	return true;
}

void ndes_handle(const struct ndes_service *s, struct crypto *c,
		 const struct ndes_endpoint *endpoint, const struct authority_ca *ca,
		 const struct http_request *req, struct span rest, struct http_reply *reply)
{
	struct call call = {
		.s = s, .c = c, .e = endpoint, .ca = ca, .req = req, .rest = rest, .log = *s->log
	};

	log_hold(&call.log, req->lines);
	log_bind(&call.log, LOG_STR("endpoint", endpoint->name));
	log_bind(&call.log, LOG_STR("peer", req->peer));
	if (may_ask(&call, reply) && is_the_page(&call, reply))
		serve_page(&call, reply);
}
