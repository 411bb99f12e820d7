/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol.h"

#include <stdio.h>

#include "base/hex.h"
#include "ca/enrol_anomaly.h"
#include "ca/enrol_limits.h"
#include "ca/enrol_queue.h"
#include "store/key_block.h"

void enrol_outcome_clear(struct enrol_outcome *o)
{
	buf_clear(&o->cert);
	*o = (struct enrol_outcome){ 0 };
}

const struct enrol_words *enrol_words_of(const struct enrol_request *req)
{
	static const struct enrol_words plain = { .renewal = "renewal",
						  .missing = "no password is shown",
						  .poll = "poll" };

	return req->words ? req->words : &plain;
}

/* The transaction's: of the key, and of the certificate that is renewed, if there is one. */
static RESULT hash_key(struct enrol_decision *d, struct err *err)
{
	const struct enrol_request *req = d->req;
	uint8_t digest[DIGEST_MAX];

	TRY(enrol_decision_hash_keys(d, err));
	memcpy(d->transaction.key_hash, d->key, STORE_HASH);
	if (!req->current)
		return OK;
	TRY(crypto_digest(d->c, DIGEST_SHA256,
			  (const struct span[]){ req->spki, req->current->der }, 2, digest, err));
	memcpy(d->transaction.key_hash, digest, STORE_HASH);
	return OK;
}

/*
 * The binding is SHA-256 over key hash, endpoint and transactionID: a name holds no NUL, so it is
 * unambiguous.
 */
static RESULT identify(struct enrol_decision *d, struct err *err)
{
	const struct enrol_request *req = d->req;
	uint8_t digest[DIGEST_MAX];
	struct span parts[3];

	d->transaction.endpoint = req->policy->endpoint;
	d->transaction.id = req->transaction_id;
	d->transaction.generation = req->ca->generation;
	d->transaction.oldest = authority_ca_answers_from(req->ca, d->auth.now);
	TRY(hash_key(d, err));
	parts[0] = SPAN_ARRAY(d->transaction.key_hash);
	parts[1] = span_of(req->policy->endpoint, strlen(req->policy->endpoint) + 1);
	parts[2] = req->transaction_id;
	TRY(crypto_digest(d->c, DIGEST_SHA256, parts, ARRAY_LEN(parts), digest, err));
	memcpy(d->auth.binding, digest, STORE_HASH);
	return OK;
}

/* ---- a retransmission ---- */

static RESULT has_ended(const struct enrol_decision *d, const struct store_cert *cert, bool *ended,
			struct err *err)
{
	struct store_status status = { 0 };

	*ended = d->auth.now > cert->not_after;
	if (*ended)
		return OK;
	TRY(store_find_status(d->ctx->store, cert->ca, buf_span(&cert->serial), &status, err));
	*ended = status.revoked;
	return OK;
}

/*
 * The transaction of those who ask once more when that certificate has ended: the first one's id,
 * and the serial number, so that the latest of them all is found at once.
 */
static RESULT succeed(struct enrol_decision *d, const struct store_cert *cert, struct err *err)
{
	BUF id = BUF_INIT;

	buf_put(&id, d->req->transaction_id);
	buf_put_byte(&id, STORE_SUCCEEDS);
	hex_put(&id, buf_span(&cert->serial));
	TRY(buf_check(&id, err));
	if (id.len > sizeof(d->successor))
		return err_set(err, ERR_LIMIT, "a transactionID of %zu octets cannot begin anew",
			       d->req->transaction_id.len);
	if (span_eq(buf_span(&id), d->transaction.id))
		return err_set(err, ERR_NOT_FOUND, "nothing came of this transaction yet");
	memcpy(d->successor, id.data, id.len);
	d->transaction.id = span_of((uint8_t *)d->successor, id.len);
	return err_set(err, ERR_CONFLICT, "the certificate has ended");
}

static RESULT find_earlier(const struct enrol_decision *d, struct store_cert *out, struct err *err)
{
	struct store_transaction_key first = d->transaction;

	if (!d->req->anew)
		return store_find_issued(d->ctx->store, &d->transaction, out, err);
	first.id = d->req->transaction_id;
	return store_find_latest(d->ctx->store, &first, out, err);
}

/* Whoever has lost his key is told so, and does not go on with what he got for it before. */
static RESULT check_key(const struct enrol_decision *d, struct err *err)
{
	enum result r = store_check_key(d->ctx->store, d->key, "this key", err);

	if (r == ERR_KEY_BLOCKED)
		enrol_trace_add(d->req->trace, "key", false, "%s", err_text(err));
	return r;
}

/* ERR_NOT_FOUND: the transaction is new. ERR_CONFLICT: it has ended, d has that which succeeds. */
static RESULT answer_again(struct enrol_decision *d, struct enrol_outcome *out, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert cert = { 0 };
	bool ended = false;

	TRY(find_earlier(d, &cert, err));
	if (d->req->anew)
		TRY(has_ended(d, &cert, &ended, err));
	if (ended)
		return succeed(d, &cert, err);
	TRY(check_key(d, err));
	log_info(d->req->log, "certificate sent again", LOG_HEX("serial", buf_span(&cert.serial)));
	out->status = ENROL_ISSUED;
	out->repeated = true;
	out->cert = buf_take(&cert.der);
	return OK;
}

/*
 * ERR_NOT_FOUND: the transaction is new. The queue is asked first: what is approved meanwhile is
 * among the certificates then.
 */
static RESULT answer_earlier(struct enrol_decision *d, struct enrol_outcome *out, struct err *err)
{
	enum result r;

	do {
		r = ERR_NOT_FOUND;
		if (enrol_queue_is_for(d->req))
			r = enrol_queue_answer(d, false, out, err);
		if (r == ERR_NOT_FOUND)
			r = answer_again(d, out, err);
	} while (r == ERR_CONFLICT);
	return r;
}

/* ---- issuance ---- */

static RESULT issue_and_commit(struct enrol_decision *d, const struct profile_result *names,
			       struct enrol_outcome *out, struct err *err)
{
	CLEANUP(enrol_issue_clear) struct enrol_issue made = { 0 };
	CLEANUP(store_pending_freep) struct store_pending *commit = NULL;

	TRY(enrol_issue_make(d, names, &made, err));
	TRY(store_begin_issuance(d->ctx->store, &made.record, &commit, err));
	if (d->req->meanwhile)
		d->req->meanwhile(d->req->meanwhile_ctx, buf_span(&made.cert));
	TRY(store_end_issuance(take(commit), err));
	enrol_issue_log(d, &made);
	enrol_anomaly_issued(d);
	out->status = ENROL_ISSUED;
	out->cert = buf_take(&made.cert);
	return OK;
}

static RESULT grant_once(struct enrol_decision *d, const struct profile_result *names,
			 struct enrol_outcome *out, struct err *err)
{
	return enrol_queue_is_for(d->req) ? enrol_queue_add(d, names, out, err)
					  : issue_and_commit(d, names, out, err);
}

static RESULT grant(struct enrol_decision *d, const struct profile_result *names,
		    struct enrol_outcome *out, struct err *err)
{
	enum result r = grant_once(d, names, out, err);

	if (r == ERR_CONFLICT) { /* the same request came before, or twice at once */
		r = answer_earlier(d, out, err);
		if (r == ERR_NOT_FOUND) /* and what it got has ended */
			r = grant_once(d, names, out, err);
		return r == ERR_CONFLICT ? answer_earlier(d, out, err) : r;
	}
	if (r == ERR_DENIED) { /* the challenge went to another meanwhile: it is not ours to bind */
		d->auth.one_time = false;
		enrol_trace_add(d->req->trace, "challenge", false, "%s", err_text(err));
	}
	if (r == ERR_KEY_BLOCKED)
		enrol_trace_add(d->req->trace, "key", false, "%s", err_text(err));
	return r;
}

/*
 * A retransmission is answered whatever challenge it shows, and also after that has expired. Behind
 * a fresh one-time challenge there is hardly ever an earlier certificate: the commit finds it.
 */
static enum result decide(struct enrol_decision *d, struct enrol_outcome *out, struct err *err)
{
	CLEANUP(profile_result_clear) struct profile_result names = { 0 };
	enum result allowed = enrol_auth_check(d->ctx, d->c, d->req, &d->auth, err), r;
	struct err again = { 0 };

	if (!d->auth.fresh) {
		r = answer_earlier(d, out, &again);
		if (r != OK && r != ERR_NOT_FOUND)
			return err_set(err, r, "%s", err_text(&again));
		if (r == OK)
			return OK;
	}
	TRY(allowed);
	TRY(enrol_issue_names(d, &names, err));
	TRY(enrol_limits_check(d, &names, err));
	return grant(d, &names, out, err);
}

/* ---- refusal ---- */

/* Results that say something of the request; the others say that this server cannot decide now. */
static bool is_refusal(enum result r)
{
	switch (r) {
	case ERR_SYNTAX:
	case ERR_LIMIT:
	case ERR_BAD_ALG:
	case ERR_BAD_CHECK:
	case ERR_BAD_REQUEST:
	case ERR_BAD_TIME:
	case ERR_BAD_CERT_ID:
	case ERR_BAD_POP:
	case ERR_BAD_TEMPLATE:
	case ERR_KEY_BLOCKED:
	case ERR_TOO_MANY:
	case ERR_DENIED:
		return true;
	default:
		return false;
	}
}

struct refused_as {
	const char *kind; /* of the event */
	const char *said; /* to the log */
};

static const struct refused_as enrolment_rejected = { "enrol.rejected", "enrolment rejected" };
static const struct refused_as message_unreadable = { "message.unreadable", "message unreadable" };

static RESULT commit_refused(const struct enrol_decision *d, const struct refused_as *as,
			     enum result why, const char *reason, struct err *err)
{
	struct store_refusal refusal = { 0 };
	BUF detail = BUF_INIT;

	enrol_trace_add(d->req->trace, "decision", false, "rejected: %s", err_name(why));
	refusal.event = enrol_decision_event(d, as->kind, reason, &detail);
	TRY(buf_check(&detail, err));
	if (d->auth.one_time)
		refusal.challenge_hash = d->auth.hash;
	memcpy(refusal.challenge_binding, d->auth.binding, STORE_HASH);
	TRY(store_commit_refusal(d->ctx->store, &refusal, err));
	log_warning(d->req->log, as->said, LOG_STR("error", err_name(why)),
		    LOG_STR("reason", reason));
	enrol_anomaly_refused(d);
	return OK;
}

static RESULT reject(const struct enrol_decision *d, enum result why, struct enrol_outcome *out,
		     struct err *err)
{
	char reason[ERR_TEXT_MAX];

	(void)snprintf(reason, sizeof(reason), "%s", err_text(err));
	TRY(commit_refused(d, &enrolment_rejected, why, reason, err));
	out->status = ENROL_REJECTED;
	out->why = why;
	memcpy(out->reason, reason, sizeof(reason));
	return OK;
}

/* What is done of a request whose way of authorisation is chosen. */
typedef enum result step_fn(struct enrol_decision *d, struct enrol_outcome *out, struct err *err);

static enum result check_only(struct enrol_decision *d, struct enrol_outcome *out, struct err *err)
{
	(void)out;
	return enrol_auth_check(d->ctx, d->c, d->req, &d->auth, err);
}

/* One way of authorisation: by current certificate, or by what else the request shows. */
static RESULT try_one(struct enrol_decision *d, step_fn *step, struct enrol_outcome *out,
		      struct err *err)
{
	TRY(identify(d, err));
	return step(d, out, err);
}

/*
 * A PKCSReq that its certificate does not authorise is a first enrolment, if the challenge does. If
 * that does not either, what was wrong with the certificate is what the device is told.
 */
static RESULT try_all(struct enrol_decision *d, step_fn *step, struct enrol_outcome *out,
		      struct err *err)
{
	const struct enrol_request *asked = d->req;
	struct enrol_request anew = *asked;
	struct err other = { 0 };
	enum result r = try_one(d, step, out, err), s;

	if (!asked->current || asked->renewal_only || !is_refusal(r))
		return r;
	anew.current = NULL;
	d->req = &anew;
	s = try_one(d, step, out, &other);
	d->req = asked;
	if (is_refusal(s))
		return r;
	*err = other;
	return s;
}

enum result ca_enrol_check(const struct enrol_context *ctx, struct crypto *c,
			   const struct enrol_request *req, struct err *err)
{
	struct enrol_decision d = { .ctx = ctx, .c = c, .req = req };

	d.auth.now = clock_now(ctx->clock);
	return try_all(&d, check_only, NULL, err);
}

enum result ca_enrol(const struct enrol_context *ctx, struct crypto *c,
		     const struct enrol_request *req, struct enrol_outcome *out, struct err *err)
{
	struct enrol_decision d = { .ctx = ctx, .c = c, .req = req };
	struct enrol_outcome got = { 0 };
	struct err why = { 0 };
	enum result r;

	if (req->transaction_id.len == 0 || req->transaction_id.len > STORE_TRANSACTION_MAX)
		return err_set(err, ERR_BAD_REQUEST, "transactionID of %zu octets, not 1..%d",
			       req->transaction_id.len, STORE_TRANSACTION_MAX);
	d.auth.now = clock_now(ctx->clock);
	r = try_all(&d, decide, &got, &why);
	if (is_refusal(r))
		r = reject(&d, r, &got, &why);
	if (r != OK)
		return err_set(err, r, "%s", err_text(&why));
	*out = got;
	return OK;
}

/* ---- polls ---- */

/* It is no decision on the transaction, which may be another device's. */
static RESULT refuse_poll(struct enrol_decision *d, struct enrol_outcome *out, struct err *err)
{
	char reason[ERR_TEXT_MAX];
	struct store_event event;
	BUF detail = BUF_INIT;

	(void)snprintf(reason, sizeof(reason),
		       "%s: no request of this key waits under this transactionID",
		       enrol_words_of(d->req)->poll);
	enrol_trace_fail(d->req->trace, "transaction", reason);
	enrol_trace_add(d->req->trace, "decision", false, "rejected: %s",
			err_name(ERR_BAD_CERT_ID));
	event = enrol_decision_event(d, "poll.rejected", reason, &detail);
	TRY(buf_check(&detail, err));
	TRY(store_add_event(d->ctx->store, &event, err));
	log_warning(d->req->log, "poll rejected", LOG_STR("reason", reason));
	out->status = ENROL_REJECTED;
	out->why = ERR_BAD_CERT_ID;
	(void)snprintf(out->reason, sizeof(out->reason), "%s", reason);
	return OK;
}

static RESULT answer_poll(struct enrol_decision *d, struct enrol_outcome *out, struct err *err)
{
	enum result r;

	do {
		r = enrol_queue_answer(d, true, out, err);
		if (r == ERR_NOT_FOUND)
			r = answer_again(d, out, err);
	} while (r == ERR_CONFLICT);
	return r;
}

enum result ca_enrol_poll(const struct enrol_context *ctx, struct crypto *c,
			  const struct enrol_request *req, struct enrol_outcome *out,
			  struct err *err)
{
	struct enrol_decision d = { .ctx = ctx, .c = c, .req = req };
	struct enrol_outcome got = { 0 };
	enum result r;

	d.auth.now = clock_now(ctx->clock);
	TRY(identify(&d, err));
	r = answer_poll(&d, &got, err);
	if (r == ERR_NOT_FOUND) {
		d.transaction.generation = 0; /* it was asked of another one, then */
		r = answer_poll(&d, &got, err);
	}
	if (r == ERR_NOT_FOUND)
		r = refuse_poll(&d, &got, err);
	if (r == ERR_KEY_BLOCKED)
		r = reject(&d, r, &got, err);
	TRY(r);
	*out = got;
	return OK;
}

enum result ca_enrol_refused(const struct enrol_context *ctx, const struct enrol_request *req,
			     enum result why, const char *reason, struct err *err)
{
	struct enrol_decision d = { .ctx = ctx, .req = req };

	d.auth.now = clock_now(ctx->clock);
	return commit_refused(&d, &enrolment_rejected, why, reason, err);
}

enum result ca_enrol_unreadable(const struct enrol_context *ctx, const struct enrol_request *req,
				enum result why, const char *reason, struct err *err)
{
	struct enrol_decision d = { .ctx = ctx, .req = req };

	d.auth.now = clock_now(ctx->clock);
	return commit_refused(&d, &message_unreadable, why, reason, err);
}
