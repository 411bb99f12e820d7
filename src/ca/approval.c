/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/approval.h"

#include "ca/enrol_anomaly.h"
#include "ca/enrol_limits.h"

/* What an endpoint promised when the request came may not be what it stands for now. */
static RESULT check_endpoint(const struct approval *a, struct err *err)
{
	const struct store_request *r = a->request;

	if (!a->ca)
		return err_set(err, ERR_BUSY, "CA \"%s\" is not there", a->policy->ca);
	if (strcmp(a->ca->name, r->ca) == 0 && strcmp(a->policy->profile->name, r->profile) == 0)
		return OK;
	return err_set(
	    err, ERR_CONFLICT,
	    "request %lld is for CA \"%s\" and profile \"%s\"; endpoint \"%s\" has \"%s\" "
	    "and \"%s\" now: reject it, and let the device ask again",
	    (long long)r->id, r->ca, r->profile, r->endpoint, a->ca->name,
	    a->policy->profile->name);
}

static struct store_event event_of(const struct approval *a, int64_t now, const char *kind,
				   const char *reason)
{
	return (struct store_event){ .time = now,
				     .kind = kind,
				     .endpoint = a->request->endpoint,
				     .transaction = buf_span(&a->request->transaction),
				     .ca = a->request->ca,
				     .actor = a->actor,
				     .reason = reason };
}

/* ---- yes ---- */

/* Of the generation that the request was made of, while that lasts. */
static const struct authority_ca *issuer_of(const struct approval *a, int64_t now)
{
	const struct authority_ca *asked = authority_ca_sibling(a->ca, a->request->generation);

	return authority_ca_issuer(asked ? asked : a->ca, now);
}

static RESULT commit(const struct enrol_context *ctx, const struct approval *a,
		     const struct store_issuance *issuance, int64_t now, struct err *err)
{
	struct store_verdict v = {
		.id = a->request->id, .actor = a->actor, .now = now, .issuance = issuance
	};
	BUF reason = BUF_INIT;

	buf_printf(&reason, "approval %u of %u", a->request->approvals + 1, a->request->needed);
	if (!buf_cstr(&reason))
		return err_nomem(err);
	v.event = event_of(a, now, "request.approved", buf_cstr(&reason));
	return store_approve_request(ctx->store, &v, err);
}

static struct enrol_decision decision_of(const struct enrol_context *ctx, struct crypto *c,
					 const struct approval *a, const struct enrol_request *req)
{
	struct enrol_decision d = { .ctx = ctx,
				    .c = c,
				    .req = req,
				    .transaction = { .endpoint = a->request->endpoint,
						     .id = buf_span(&a->request->transaction),
						     .generation = req->ca->generation },
				    .auth = { .now = clock_now(ctx->clock) } };

	memcpy(d.transaction.key_hash, a->request->key_hash, STORE_HASH);
	return d;
}

static RESULT issue(const struct enrol_context *ctx, struct crypto *c, const struct approval *a,
		    struct err *err)
{
	CLEANUP(profile_result_clear) struct profile_result names = { 0 };
	CLEANUP(enrol_issue_clear) struct enrol_issue made = { 0 };
	const struct store_request *r = a->request;
	struct enrol_trace trace = { 0 };
	const struct enrol_request req = { .policy = a->policy,
					   .ca = issuer_of(a, clock_now(ctx->clock)),
					   .transaction_id = buf_span(&r->transaction),
					   .subject = buf_span(&r->subject),
					   .spki = buf_span(&r->spki),
					   .exts = buf_span(&r->exts),
					   .peer = a->actor,
					   .log = a->log,
					   .trace = &trace };
	struct enrol_decision d = decision_of(ctx, c, a, &req);

	enrol_trace_add(&trace, "approval", true, "request %lld of %s, by %.*s%s%s",
			(long long)r->id, r->peer, (int)r->approvers.len,
			r->approvers.len ? (const char *)r->approvers.data : "",
			r->approvers.len ? ", " : "", a->actor);
	TRY(enrol_decision_hash_keys(&d, err));
	TRY(enrol_issue_names(&d, &names, err));
	TRY(enrol_limits_count(&d, &names, err));
	TRY(enrol_issue_make(&d, &names, &made, err));
	TRY(commit(ctx, a, &made.record, d.auth.now, err));
	enrol_issue_log(&d, &made);
	enrol_anomaly_issued(&d);
	return OK;
}

enum result approval_grant(const struct enrol_context *ctx, struct crypto *c,
			   const struct approval *a, bool *issued, struct err *err)
{
	bool last = a->request->approvals + 1 >= a->request->needed;

	TRY(check_endpoint(a, err));
	if (last)
		TRY(issue(ctx, c, a, err));
	else
		TRY(commit(ctx, a, NULL, clock_now(ctx->clock), err));
	*issued = last;
	return OK;
}

/* ---- no ---- */

enum result approval_reject(const struct enrol_context *ctx, const struct approval *a,
			    const char *reason, struct err *err)
{
	struct store_verdict v = { .id = a->request->id,
				   .actor = a->actor,
				   .now = clock_now(ctx->clock),
				   .reason = reason };

	v.event = event_of(a, v.now, "enrol.rejected", reason);
	TRY(store_reject_request(ctx->store, &v, err));
	log_warning(a->log, "request rejected by an operator", LOG_INT("request", a->request->id),
		    LOG_STR("actor", a->actor), LOG_STR("reason", reason));
	return OK;
}
