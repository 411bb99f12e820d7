/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_queue.h"

#include <stdio.h>

#include "pki/name.h"
#include "store/request.h"

bool enrol_queue_is_for(const struct enrol_request *req)
{
	return req->policy->manual && !req->current;
}

/* ---- in ---- */

static RESULT describe(const struct enrol_decision *d, struct store_queueing *n, struct buf *reason,
		       struct err *err)
{
	char until[CLOCK_TEXT_MAX];

	clock_format(n->expires, until);
	buf_printf(reason, "waits for %u operator%s until %s", n->needed, n->needed > 1 ? "s" : "",
		   until);
	if (!buf_cstr(reason))
		return err_nomem(err);
	enrol_trace_add(d->req->trace, "approval", true, "%s", buf_cstr(reason));
	return OK;
}

enum result enrol_queue_add(const struct enrol_decision *d, const struct profile_result *names,
			    struct enrol_outcome *out, struct err *err)
{
	const struct enrol_request *req = d->req;
	struct store_queueing n = { .transaction = d->transaction,
				    .ca = req->ca->name,
				    .profile = req->policy->profile->name,
				    .subject = req->subject,
				    .spki = req->spki,
				    .exts = req->exts,
				    .peer = req->peer,
				    .now = d->auth.now,
				    .expires = d->auth.now + req->policy->pending_lifetime,
				    .needed = req->policy->approvers,
				    .challenge_hash = d->auth.one_time ? d->auth.hash : NULL,
				    .device = d->auth.device,
				    .key = d->key };
	BUF reason = BUF_INIT;
	BUF detail = BUF_INIT;
	BUF subject = BUF_INIT;

	TRY(name_put_text(&subject, buf_span(&names->subject), err));
	TRY(describe(d, &n, &reason, err));
	n.subject_text = buf_span(&subject);
	memcpy(n.challenge_binding, d->auth.binding, STORE_HASH);
	n.event = enrol_decision_event(d, "enrol.pending", buf_cstr(&reason), &detail);
	TRY(buf_check(&detail, err));
	TRY(store_add_request(d->ctx->store, &n, err));
	log_info(req->log, "request waits for an operator",
		 LOG_SPAN("subject", buf_span(&subject)));
	out->status = ENROL_PENDING;
	return OK;
}

/* ---- out ---- */

static void rejected(struct enrol_outcome *out, const struct store_request *r)
{
	out->status = ENROL_REJECTED;
	out->why = ERR_DENIED;
	out->by_operator = true;
	(void)snprintf(out->reason, sizeof(out->reason), "%s: %.*s",
		       r->state == STORE_REQUEST_REJECTED ? "an operator has rejected this request"
							  : "this request has expired",
		       (int)r->reason.len, r->reason.len ? (const char *)r->reason.data : "");
}

enum result enrol_queue_answer(const struct enrol_decision *d, bool poll, struct enrol_outcome *out,
			       struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };

	TRY(store_find_request_of(d->ctx->store, &d->transaction, &r, err));
	if (r.state == STORE_REQUEST_PENDING && d->auth.now >= r.expires) {
		TRY(store_expire_requests(d->ctx->store, d->auth.now, err));
		store_request_clear(&r);
		TRY(store_find_request_of(d->ctx->store, &d->transaction, &r, err));
	}
	if (r.state == STORE_REQUEST_ISSUED || (r.state == STORE_REQUEST_EXPIRED && !poll))
		return err_set(err, ERR_NOT_FOUND, "request %lld waits no more", (long long)r.id);
	out->repeated = true;
	if (r.state == STORE_REQUEST_PENDING)
		out->status = ENROL_PENDING;
	else
		rejected(out, &r);
	return OK;
}
