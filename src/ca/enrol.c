/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol.h"

#include <stdio.h>

#include "base/hex.h"
#include "ca/enrol_auth.h"
#include "ca/issue.h"
#include "pki/name.h"

/* One request on its way to a decision. */
struct decision {
	const struct enrol_context *ctx;
	struct crypto *c;
	const struct enrol_request *req;
	struct store_transaction_key transaction;
	struct enrol_auth auth;
};

void enrol_outcome_clear(struct enrol_outcome *o)
{
	buf_clear(&o->cert);
	*o = (struct enrol_outcome){ 0 };
}

/* SHA-256 over key hash, endpoint and transactionID; a name holds no NUL, so it is unambiguous. */
static RESULT identify(struct decision *d, struct err *err)
{
	const struct enrol_request *req = d->req;
	uint8_t digest[DIGEST_MAX];
	struct span parts[3] = { req->spki };

	d->transaction.endpoint = req->policy->endpoint;
	d->transaction.id = req->transaction_id;
	TRY(crypto_digest(d->c, DIGEST_SHA256, parts, 1, digest, err));
	memcpy(d->transaction.key_hash, digest, STORE_HASH);
	parts[0] = SPAN_ARRAY(d->transaction.key_hash);
	parts[1] = span_of(req->policy->endpoint, strlen(req->policy->endpoint) + 1);
	parts[2] = req->transaction_id;
	TRY(crypto_digest(d->c, DIGEST_SHA256, parts, ARRAY_LEN(parts), digest, err));
	memcpy(d->auth.binding, digest, STORE_HASH);
	return OK;
}

/* ---- a retransmission ---- */

/* ERR_NOT_FOUND: the transaction is new. */
static RESULT answer_again(struct decision *d, struct enrol_outcome *out, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert cert = { 0 };

	TRY(store_find_issued(d->ctx->store, &d->transaction, &cert, err));
	log_info(d->req->log, "certificate sent again", LOG_HEX("serial", buf_span(&cert.serial)));
	out->status = ENROL_ISSUED;
	out->repeated = true;
	out->cert = buf_take(&cert.der);
	return OK;
}

/* ---- issuance ---- */

static RESULT apply_profile(const struct decision *d, struct profile_result *names, struct err *err)
{
	const struct enrol_request *req = d->req;
	const struct cert *ca = &req->ca->ca.cert;
	struct profile_request asked = {
		.subject = req->subject, .spki = req->spki, .exts = req->exts, .now = d->auth.now
	};
	struct profile_issuer issuer = { .subject = ca->subject,
					 .ski = buf_span(&req->ca->ca_ski),
					 .not_before = ca->not_before,
					 .not_after = ca->not_after };
	enum result r = profile_apply(req->policy->profile, d->c, &asked, &issuer, names, err);

	if (r == OK)
		enrol_trace_add(req->trace, "profile", true, "names and key fit profile \"%s\"",
				req->policy->profile->name);
	else
		enrol_trace_add(req->trace, "profile", false, "%s", err_text(err));
	return r;
}

static RESULT make_cert(const struct decision *d, const struct profile_result *names,
			struct span serial, struct buf *out, struct err *err)
{
	const struct authority_ca *ca = d->req->ca;
	struct cert_template t = { .serial = serial,
				   .sig_alg = sig_alg_for(ca->ca.key->kind),
				   .issuer = ca->ca.cert.subject,
				   .not_before = names->not_before,
				   .not_after = names->not_after,
				   .subject = buf_span(&names->subject),
				   .spki = d->req->spki,
				   .exts = buf_span(&names->exts) };
	enum result r = issue_certificate(&t, ca->ca.key, d->c, out, err);

	if (r != OK)
		enrol_trace_add(d->req->trace, "issue", false, "%s", err_text(err));
	return r;
}

static struct store_event make_event(const struct decision *d, const char *kind, const char *reason,
				     struct buf *detail)
{
	enrol_trace_put_json(d->req->trace, detail);
	return (struct store_event){ .time = d->auth.now,
				     .kind = kind,
				     .endpoint = d->req->policy->endpoint,
				     .transaction = d->req->transaction_id,
				     .ca = d->req->policy->ca,
				     .actor = d->req->peer,
				     .reason = reason,
				     .detail = buf_cstr(detail) };
}

static RESULT commit_issued(const struct decision *d, const struct profile_result *names,
			    struct span serial, struct span cert, struct err *err)
{
	struct store_issuance issuance = { .transaction = d->transaction,
					   .ca = d->req->ca->name,
					   .generation = d->req->ca->generation,
					   .profile = d->req->policy->profile->name,
					   .serial = serial,
					   .cert = cert,
					   .not_before = names->not_before,
					   .not_after = names->not_after,
					   .now = d->auth.now };
	char serial_hex[2 * ISSUE_SERIAL + 1], until[CLOCK_TEXT_MAX], reason[128];
	BUF subject = BUF_INIT;
	BUF detail = BUF_INIT;
	size_t i;

	for (i = 0; i < serial.len && i < ISSUE_SERIAL; i++)
		(void)snprintf(serial_hex + 2 * i, 3, "%02x", serial.p[i]);
	clock_format(names->not_after, until);
	(void)snprintf(reason, sizeof(reason), "certificate %s, valid until %s", serial_hex, until);
	enrol_trace_add(d->req->trace, "issue", true, "%s", reason);
	TRY(name_put_text(&subject, buf_span(&names->subject), err));
	issuance.subject_text = buf_span(&subject);
	issuance.event = make_event(d, "enrol.issued", reason, &detail);
	issuance.event.serial = serial;
	TRY(buf_check(&detail, err));
	if (d->auth.one_time)
		issuance.challenge_hash = d->auth.hash;
	memcpy(issuance.challenge_binding, d->auth.binding, STORE_HASH);
	TRY(store_commit_issuance(d->ctx->store, &issuance, err));
	log_info(d->req->log, "certificate issued", LOG_STR("serial", serial_hex),
		 LOG_SPAN("subject", buf_span(&subject)), LOG_STR("notAfter", until));
	return OK;
}

static RESULT issue_and_commit(struct decision *d, const struct profile_result *names,
			       struct enrol_outcome *out, struct err *err)
{
	uint8_t serial[ISSUE_SERIAL];
	BUF cert = BUF_INIT;
	enum result r;

	TRY(issue_serial(serial, err));
	TRY(make_cert(d, names, SPAN_ARRAY(serial), &cert, err));
	r = commit_issued(d, names, SPAN_ARRAY(serial), buf_span(&cert), err);
	if (r == ERR_CONFLICT) /* the same request came twice at once, and the other was first */
		return answer_again(d, out, err);
	if (r == ERR_DENIED) { /* the challenge went to another meanwhile: it is not ours to bind */
		d->auth.one_time = false;
		enrol_trace_add(d->req->trace, "challenge", false, "%s", err_text(err));
	}
	TRY(r);
	out->status = ENROL_ISSUED;
	out->cert = buf_take(&cert);
	return OK;
}

/*
 * A retransmission is answered whatever challenge it shows, and also after that has expired. Behind
 * a fresh one-time challenge there is hardly ever an earlier certificate: the commit finds it.
 */
static RESULT decide(struct decision *d, struct enrol_outcome *out, struct err *err)
{
	CLEANUP(profile_result_clear) struct profile_result names = { 0 };
	enum result allowed = enrol_auth_check(d->ctx, d->c, d->req, &d->auth, err), r;
	struct err again = { 0 };

	if (!d->auth.fresh) {
		r = answer_again(d, out, &again);
		if (r != OK && r != ERR_NOT_FOUND)
			return err_set(err, r, "%s", err_text(&again));
		if (r == OK)
			return OK;
	}
	TRY(allowed);
	TRY(apply_profile(d, &names, err));
	return issue_and_commit(d, &names, out, err);
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
	case ERR_DENIED:
		return true;
	default:
		return false;
	}
}

static RESULT commit_refused(const struct decision *d, enum result why, const char *reason,
			     struct err *err)
{
	struct store_refusal refusal = { 0 };
	BUF detail = BUF_INIT;

	enrol_trace_add(d->req->trace, "decision", false, "rejected: %s", err_name(why));
	refusal.event = make_event(d, "enrol.rejected", reason, &detail);
	TRY(buf_check(&detail, err));
	if (d->auth.one_time)
		refusal.challenge_hash = d->auth.hash;
	memcpy(refusal.challenge_binding, d->auth.binding, STORE_HASH);
	TRY(store_commit_refusal(d->ctx->store, &refusal, err));
	log_warning(d->req->log, "enrolment rejected", LOG_STR("error", err_name(why)),
		    LOG_STR("reason", reason));
	return OK;
}

static RESULT reject(const struct decision *d, enum result why, struct enrol_outcome *out,
		     struct err *err)
{
	char reason[ERR_TEXT_MAX];

	(void)snprintf(reason, sizeof(reason), "%s", err_text(err));
	TRY(commit_refused(d, why, reason, err));
	out->status = ENROL_REJECTED;
	out->why = why;
	memcpy(out->reason, reason, sizeof(reason));
	return OK;
}

enum result ca_enrol(const struct enrol_context *ctx, struct crypto *c,
		     const struct enrol_request *req, struct enrol_outcome *out, struct err *err)
{
	struct decision d = { .ctx = ctx, .c = c, .req = req };
	struct enrol_outcome got = { 0 };
	struct err why = { 0 };
	enum result r;

	if (req->transaction_id.len == 0 || req->transaction_id.len > STORE_TRANSACTION_MAX)
		return err_set(err, ERR_BAD_REQUEST, "transactionID of %zu octets, not 1..%d",
			       req->transaction_id.len, STORE_TRANSACTION_MAX);
	d.auth.now = clock_now(ctx->clock);
	r = identify(&d, &why);
	if (r == OK)
		r = decide(&d, &got, &why);
	if (is_refusal(r))
		r = reject(&d, r, &got, &why);
	if (r != OK)
		return err_set(err, r, "%s", err_text(&why));
	*out = got;
	return OK;
}

enum result ca_enrol_refused(const struct enrol_context *ctx, const struct enrol_request *req,
			     enum result why, const char *reason, struct err *err)
{
	struct decision d = { .ctx = ctx, .req = req };

	d.auth.now = clock_now(ctx->clock);
	return commit_refused(&d, why, reason, err);
}
