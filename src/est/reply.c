/* SPDX-License-Identifier: Apache-2.0 */
/* Replies that all operations have in common. */
#include "est/body.h"
#include "est/exchange.h"
#include "pki/cms_signed.h"

#define RETRY_AFTER_DEFAULT 30

unsigned est_reply_retry_after(const struct est_exchange *x)
{
	return x->endpoint->retry_after ? x->endpoint->retry_after : RETRY_AFTER_DEFAULT;
}

void est_reply_later(const struct est_exchange *x, const struct err *why, struct http_reply *reply)
{
	log_error(&x->log, "no decision now, the device is told to come back", LOG_ERR(why));
	http_reply_text(reply, 503, "not now: try again in %u seconds", est_reply_retry_after(x));
	http_reply_header(reply, "Retry-After", "%u", est_reply_retry_after(x));
}

/*
 * RFC 8951 3.1 has receivers skip line ends, and RFC 4648 3.1 has nobody send them unasked.
 * OpenSSL's tools want lines, with one at the end; strongSwan's pki wants none at all. It is known
 * by what it leaves out: programs that write their HTTP themselves name no User-Agent.
 */
static enum est_lines lines_for(const struct est_exchange *x)
{
	return http_header(x->http, "User-Agent").len ? EST_LINES_64 : EST_LINES_NONE;
}

void est_reply_der(const struct est_exchange *x, const char *content_type, struct span der,
		   struct http_reply *reply)
{
	struct err err = { 0 };
	BUF body = BUF_INIT;

	est_body_put(&body, der, lines_for(x));
	if (buf_check(&body, &err) != OK) {
		est_reply_later(x, &err, reply);
		return;
	}
	reply->status = 200;
	reply->content_type = content_type;
	/* RFC 8951 3.1 does without, and has everyone ignore it; clients of RFC 7030 look for it */
	http_reply_header(reply, "Content-Transfer-Encoding", "base64");
	reply->body = buf_take(&body);
}

void est_reply_certs(const struct est_exchange *x, const struct span *certs, size_t n,
		     struct http_reply *reply)
{
	struct err err = { 0 };
	BUF der = BUF_INIT;

	if (cms_put_degenerate(&der, certs, n, NULL, 0, &err) != OK)
		est_reply_later(x, &err, reply);
	else
		est_reply_der(x, EST_TYPE_CERTS, buf_span(&der), reply);
}

bool est_reply_is_unauthorised(const struct est_exchange *x, const struct enrol_outcome *o)
{
	return o->why == ERR_DENIED && !o->by_operator && est_credentials_password_counts(x);
}

void est_reply_outcome(const struct est_exchange *x, const struct enrol_outcome *o,
		       struct http_reply *reply)
{
	if (o->status == ENROL_PENDING) {
		http_reply_text(reply, 202,
				"RFC 7030 4.2.3: the request waits for approval; send it again in "
				"%u seconds",
				est_reply_retry_after(x));
		http_reply_header(reply, "Retry-After", "%u", est_reply_retry_after(x));
	} else if (est_reply_is_unauthorised(x, o)) {
		est_credentials_ask(x, o->reason, reply);
	} else {
		http_reply_text(reply, err_map(o->why)->http_status, "%s", o->reason);
	}
}

/* The event of what never reached a decision: of a request that names a key, or of none at all. */
void est_reply_record(struct est_exchange *x, bool readable, const struct err *why)
{
	RESULT(*record_as)
	(const struct enrol_context *ctx, const struct enrol_request *req, enum result why,
	 const char *reason, struct err *err) = readable ? ca_enrol_refused : ca_enrol_unreadable;
	struct enrol_request req = {
		.policy = &x->endpoint->policy,
		.ca = x->ca,
		.transaction_id = span_str(x->transaction),
		.subject = x->csr.subject,
		.spki = x->csr.spki,
		.peer = x->http->peer,
		.log = &x->log,
		.trace = &x->trace,
	};
	struct err err = { 0 };

	log_warning(&x->log, "EST request refused", LOG_ERR(why));
	if (record_as(x->service->enrol, &req, why->code, err_text(why), &err) != OK)
		log_error(&x->log, "the refusal could not be recorded", LOG_ERR(&err));
}

void est_reply_refused(struct est_exchange *x, const struct err *why, struct http_reply *reply)
{
	int status = err_map(why->code)->http_status;

	if (status >= 500) {
		est_reply_later(x, why, reply);
		return;
	}
	est_reply_record(x, x->transaction[0] != '\0', why);
	if (why->code == ERR_DENIED && est_credentials_password_counts(x))
		est_credentials_ask(x, err_text(why), reply);
	else
		http_reply_text(reply, status, "%s", err_text(why));
}
