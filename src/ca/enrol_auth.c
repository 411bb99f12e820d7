/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_auth.h"

#include <stdio.h>

#include "ca/enrol_device.h"
#include "ca/enrol_renewal.h"
#include "der/oid.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/san.h"

static RESULT deny(struct enrol_trace *t, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

static RESULT deny(struct enrol_trace *t, struct err *err, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	enrol_trace_add(t, "challenge", false, "%s", text);
	return err_set(err, ERR_DENIED, "challenge: %s", text);
}

/* Is it for here, for now and for this transaction? */
static RESULT check_usable(const struct enrol_request *req, const struct store_challenge *ch,
			   struct enrol_auth *auth, struct err *err)
{
	char text[CLOCK_TEXT_MAX];

	if (ch->endpoint[0] && strcmp(ch->endpoint, req->policy->endpoint) != 0)
		return deny(req->trace, err, "%s is for endpoint \"%s\", not for \"%s\"", ch->id,
			    ch->endpoint, req->policy->endpoint);
	if (ch->revoked)
		return deny(req->trace, err, "%s was revoked", ch->id);
	if (auth->now >= ch->expires) {
		clock_format(ch->expires, text);
		return deny(req->trace, err, "%s expired at %s", ch->id, text);
	}
	if (ch->bound && !span_eq_secret(SPAN_ARRAY(ch->bound_to), SPAN_ARRAY(auth->binding))) {
		memcpy(auth->reused, ch->id, sizeof(auth->reused));
		return deny(req->trace, err,
			    "%s was used already, with another transactionID or key", ch->id);
	}
	if (req->anew && ch->used && !ch->reusable)
		return deny(req->trace, err, "%s was used already: it is good for one certificate",
			    ch->id);
	return OK;
}

/* Some devices say their CN once more, as a DNS name. */
static bool repeats_cn(struct span sans, struct span subject)
{
	struct der_reader list;
	struct san san;
	BUF cn = BUF_INIT;

	if (name_common_name(subject, &cn, NULL) != OK || san_check(sans, NULL) != OK ||
	    san_begin(sans, &list, NULL) != OK)
		return false;
	while (san_next(&list, &san))
		if (san.kind != SAN_DNS || !span_eq_nocase(san.value, buf_span(&cn)))
			return false;
	return true;
}

/* Whoever wrote down a subject alone meant no other name: verifiers look at these first. */
static RESULT check_sans(const struct enrol_request *req, const struct store_challenge *ch,
			 struct err *err)
{
	struct ext san = { 0 };
	bool asked = ext_find(req->exts, OID_SUBJECT_ALT_NAME, &san, NULL) == OK;

	if (ch->san.len && (!asked || !san_equal(san.value, buf_span(&ch->san))))
		return deny(req->trace, err,
			    "%s is only for other subjectAltNames than the request has", ch->id);
	if (ch->san.len || ch->subject.len == 0 || !asked || repeats_cn(san.value, req->subject))
		return OK;
	return deny(req->trace, err,
		    "%s is only for its subject, and the request has subjectAltNames", ch->id);
}

/* The names that whoever made the challenge wrote into it. */
static RESULT check_names(const struct enrol_request *req, const struct store_challenge *ch,
			  struct err *err)
{
	BUF wanted = BUF_INIT;

	if (ch->subject.len && !name_equal_unordered(req->subject, buf_span(&ch->subject))) {
		TRY(name_put_text(&wanted, buf_span(&ch->subject), err));
		return deny(req->trace, err, "%s is only for subject \"%.*s\"", ch->id,
			    (int)wanted.len, (const char *)wanted.data);
	}
	return check_sans(req, ch, err);
}

/* *found: it is a one-time challenge of ours. */
static RESULT check_one_time(const struct enrol_context *ctx, struct crypto *c,
			     const struct enrol_request *req, struct enrol_auth *auth, bool *found,
			     struct err *err)
{
	CLEANUP(store_challenge_clear) struct store_challenge ch = { 0 };
	uint8_t hash[STORE_HASH];
	enum result r;

	*found = false;
	if (challenge_hash_one_time(c, req->challenge, hash, NULL) != OK)
		return OK;
	r = store_find_challenge(ctx->store, hash, &ch, err);
	if (r == ERR_NOT_FOUND)
		return OK;
	TRY(r);
	*found = true;
	TRY(check_usable(req, &ch, auth, err));
	auth->one_time = true;
	auth->fresh = !ch.bound && !ch.reusable;
	memcpy(auth->hash, hash, sizeof(auth->hash));
	memcpy(auth->credential, hash, sizeof(auth->credential));
	auth->has_credential = true;
	TRY(check_names(req, &ch, err));
	enrol_trace_add(req->trace, "challenge", true, "one-time challenge %s", ch.id);
	return OK;
}

/* *found: the challenge is the password of that account. */
static RESULT check_account(struct crypto *c, const struct enrol_request *req,
			    struct enrol_auth *auth, bool *found, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	enum result r;

	if (!req->accounts || req->user.len == 0)
		return OK;
	r = req->accounts->verify(req->accounts, c, req->user, req->challenge, err);
	if (r == ERR_DENIED && req->policy->statics)
		return OK;
	if (r == ERR_DENIED)
		return deny(req->trace, err, "wrong name or password for endpoint \"%s\"",
			    req->policy->endpoint);
	TRY(r);
	TRY(crypto_digest(c, DIGEST_SHA256, &req->user, 1, digest, err));
	memcpy(auth->credential, digest, sizeof(auth->credential));
	auth->has_credential = true;
	*found = true;
	enrol_trace_add(req->trace, "challenge", true, "password of account \"%.*s\"",
			(int)span_sub(req->user, 0, 64).len, (const char *)req->user.p);
	return OK;
}

static RESULT check_static(struct crypto *c, const struct enrol_request *req,
			   struct enrol_auth *auth, struct err *err)
{
	const struct challenge_shown shown = { req->challenge, req->source };
	enum result r;

	if (!req->policy->statics)
		return deny(req->trace, err, "not one that this server made for endpoint \"%s\"",
			    req->policy->endpoint);
	auth->has_credential = req->policy->throttle != NULL;
	if (auth->has_credential)
		r = challenge_static_verify_as(req->policy->statics, c, &shown, auth->credential,
					       err);
	else
		r = challenge_static_verify(req->policy->statics, c, &shown, err);
	if (r == ERR_DENIED)
		return deny(req->trace, err, "wrong for endpoint \"%s\"", req->policy->endpoint);
	if (r == OK)
		enrol_trace_add(req->trace, "challenge", true, "static challenge");
	return r;
}

static RESULT check_credential(const struct enrol_context *ctx, struct crypto *c,
			       const struct enrol_request *req, struct enrol_auth *auth,
			       struct err *err)
{
	bool found = false;

	if (req->current)
		return enrol_renewal_check(ctx, req, auth, err);
	if (req->policy->accept_anyone) {
		enrol_trace_add(req->trace, "challenge", true,
				"none needed: endpoint \"%s\" asks for none",
				req->policy->endpoint);
		return OK;
	}
	if (req->vouched) {
		enrol_trace_add(req->trace, "challenge", true, "none needed: %s answers for it",
				req->vouched);
		return OK;
	}
	if (req->challenge.len == 0)
		return deny(req->trace, err, "%s, endpoint \"%s\" wants one",
			    enrol_words_of(req)->missing, req->policy->endpoint);
	if (req->policy->one_time)
		TRY(check_one_time(ctx, c, req, auth, &found, err));
	if (!found)
		TRY(check_account(c, req, auth, &found, err));
	return found ? OK : check_static(c, req, auth, err);
}

enum result enrol_auth_check(const struct enrol_context *ctx, struct crypto *c,
			     const struct enrol_request *req, struct enrol_auth *auth,
			     struct err *err)
{
	enum result r;

	TRY(check_credential(ctx, c, req, auth, err));
	if (!req->policy->allow_list || req->current)
		return OK;
	r = enrol_device_check(ctx, req, auth, err);
	if (r != OK) /* an earlier certificate of this transaction is still its own */
		auth->fresh = false;
	return r;
}
