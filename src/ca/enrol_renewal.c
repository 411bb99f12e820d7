/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_renewal.h"

#include "base/hex.h"
#include "der/oid.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/san.h"
#include "store/key_block.h"

static const struct profile_renewal *rules_of(const struct enrol_request *req)
{
	return &req->policy->profile->renewal;
}

static RESULT check_policy(const struct enrol_request *req, struct err *err)
{
	if (!req->policy->renewal)
		return err_set(err, ERR_DENIED, "endpoint \"%s\" does not renew certificates",
			       req->policy->endpoint);
	if (!rules_of(req)->allowed)
		return err_set(err, ERR_DENIED, "certificates of profile \"%s\" are not renewed",
			       req->policy->profile->name);
	return OK;
}

/* ---- is it ours? ---- */

/* The record with its serial number; what it says of its issuer is compared with all the rest. */
static RESULT find_record(const struct enrol_context *ctx, const struct enrol_request *req,
			  struct store_cert *out, struct err *err)
{
	enum result r = store_find_cert(ctx->store, req->ca->name, req->current->serial, out, err);
	BUF issuer = BUF_INIT;
	BUF serial = BUF_INIT;

	if (r != ERR_NOT_FOUND)
		return r;
	TRY(name_put_text(&issuer, req->current->issuer, err));
	hex_put(&serial, span_sub(req->current->serial, 0, 32));
	TRY(buf_check(&serial, err));
	return err_set(err, ERR_BAD_CERT_ID,
		       "shown is certificate %.64s of \"%.200s\", which CA \"%s\" has not "
		       "issued",
		       serial.len ? buf_cstr(&serial) : "", issuer.len ? buf_cstr(&issuer) : "",
		       req->ca->name);
}

static RESULT check_record(const struct enrol_request *req, const struct store_cert *record,
			   struct err *err)
{
	if (!span_eq(buf_span(&record->der), req->current->der))
		return err_set(err, ERR_BAD_CERT_ID,
			       "shown is a certificate that bears the issuer and the serial "
			       "number of one of CA \"%s\", but is another",
			       req->ca->name);
	/* or the most generous endpoint would lead into all others */
	if (strcmp(record->profile, req->policy->profile->name) != 0)
		return err_set(err, ERR_DENIED,
			       "the certificate is of profile \"%s\"; endpoint \"%s\" renews "
			       "those of \"%s\"",
			       record->profile, req->policy->endpoint, req->policy->profile->name);
	return OK;
}

/* Another certificate of the same key may have been revoked for that key's sake. */
static RESULT check_current_key(const struct enrol_context *ctx, const uint8_t key[STORE_HASH],
				struct err *err)
{
	struct err why = { 0 };
	enum result r =
	    store_check_key(ctx->store, key, "the key of the certificate that is renewed", &why);

	if (r == OK)
		return OK;
	return err_set(err, r == ERR_KEY_BLOCKED ? ERR_DENIED : r, "%s", err_text(&why));
}

static RESULT check_status(const struct enrol_context *ctx, const struct enrol_request *req,
			   struct err *err)
{
	struct store_status status = { 0 };
	char since[CLOCK_TEXT_MAX];

	TRY(store_find_status(ctx->store, req->ca->name, req->current->serial, &status, err));
	if (!status.revoked)
		return OK;
	clock_format(status.time, since);
	return err_set(err, ERR_DENIED, "the certificate is revoked since %s (%s)", since,
		       crl_reason_name(status.reason));
}

/* ---- when? ---- */

static RESULT too_early(int64_t from, const struct enrol_request *req, struct err *err)
{
	char from_text[CLOCK_TEXT_MAX], until[CLOCK_TEXT_MAX];

	clock_format(from, from_text);
	clock_format(req->current->not_after, until);
	return err_set(err, ERR_DENIED,
		       "the certificate is valid until %s and is renewed from %s on", until,
		       from_text);
}

static RESULT too_late(const struct enrol_request *req, struct err *err)
{
	char until[CLOCK_TEXT_MAX];

	clock_format(req->current->not_after, until);
	return err_set(err, ERR_DENIED,
		       "the certificate expired at %s, more than the %lld seconds ago that "
		       "profile \"%s\" lets pass: enrol anew",
		       until, (long long)rules_of(req)->grace, req->policy->profile->name);
}

static RESULT check_time(const struct enrol_request *req, int64_t now, struct err *err)
{
	const struct cert *current = req->current;
	const struct profile_renewal *rules = rules_of(req);

	if (now < current->not_before)
		return too_early(current->not_before, req, err);
	if (rules->window != PROFILE_ANY_TIME && now < current->not_after - rules->window)
		return too_early(current->not_after - rules->window, req, err);
	if (now > current->not_after + rules->grace)
		return too_late(req, err);
	return OK;
}

/* ---- for which key? ---- */

static RESULT check_key(const struct enrol_request *req, struct err *err)
{
	bool same = pubkey_same(req->current->spki, req->spki);
	enum profile_new_key rule = rules_of(req)->new_key;

	if (rule == PROFILE_KEY_REQUIRED && same)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "profile \"%s\" wants a new key, the request has that of the "
			       "current certificate",
			       req->policy->profile->name);
	if (rule == PROFILE_KEY_FORBIDDEN && !same)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "profile \"%s\" wants the key of the current certificate kept, "
			       "the request has another",
			       req->policy->profile->name);
	return OK;
}

/* ---- the whole ---- */

static RESULT check(const struct enrol_context *ctx, const struct enrol_request *req,
		    const struct enrol_auth *auth, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert record = { 0 };

	TRY(check_policy(req, err));
	TRY(find_record(ctx, req, &record, err));
	TRY(check_record(req, &record, err));
	TRY(check_status(ctx, req, err));
	TRY(check_current_key(ctx, auth->current_key, err));
	TRY(check_time(req, auth->now, err));
	return check_key(req, err);
}

/* Whoever is let in late is on record as such. */
static void trace_granted(const struct enrol_request *req, int64_t now)
{
	const struct cert *current = req->current;
	char until[CLOCK_TEXT_MAX];
	BUF serial = BUF_INIT;

	hex_put(&serial, current->serial);
	clock_format(current->not_after, until);
	enrol_trace_add(req->trace, "renewal", true,
			now > current->not_after
			    ? "of certificate %s, expired at %s, within the grace period"
			    : "of certificate %s, valid until %s",
			serial.len ? buf_cstr(&serial) : "", until);
	if (now > current->not_after)
		log_warning(req->log, "expired certificate renewed within the grace period",
			    LOG_HEX("serial", current->serial), LOG_STR("notAfter", until));
}

enum result enrol_renewal_check(const struct enrol_context *ctx, const struct enrol_request *req,
				const struct enrol_auth *auth, struct err *err)
{
	enum result r = check(ctx, req, auth, err);

	(void)!err_prefix(err, r, "%s", enrol_words_of(req)->renewal);
	if (r == OK)
		trace_granted(req, auth->now);
	else
		enrol_trace_add(req->trace, "renewal", false, "%s", err_text(err));
	return r;
}

static struct span san_of(struct span exts)
{
	struct ext san = { 0 };

	return ext_find(exts, OID_SUBJECT_ALT_NAME, &san, NULL) == OK ? san.value : SPAN_NONE;
}

static bool same_sans(struct span a, struct span b)
{
	return a.len && b.len ? san_equal(a, b) : a.len == b.len;
}

static RESULT other_subject(const struct enrol_request *req, struct span subject, struct err *err)
{
	BUF now = BUF_INIT;
	BUF then = BUF_INIT;

	TRY(name_put_text(&then, req->current->subject, err));
	TRY(name_put_text(&now, subject, err));
	return err_set(err, ERR_BAD_TEMPLATE,
		       "the certificate is for \"%.120s\", its renewal would be for \"%.120s\"",
		       then.len ? buf_cstr(&then) : "", now.len ? buf_cstr(&now) : "");
}

enum result enrol_renewal_check_names(const struct enrol_request *req,
				      const struct profile_result *names, struct err *err)
{
	struct span subject = buf_span(&names->subject);
	enum result r = OK;

	if (!rules_of(req)->same_names)
		return OK;
	if (!name_equal(req->current->subject, subject))
		r = other_subject(req, subject, err);
	else if (!same_sans(san_of(req->current->exts), san_of(buf_span(&names->exts))))
		r = err_set(err, ERR_BAD_TEMPLATE,
			    "the renewal would have other subjectAltNames than the current "
			    "certificate");
	(void)!err_prefix(err, r, "%s", enrol_words_of(req)->renewal);
	if (r != OK)
		enrol_trace_add(req->trace, "renewal", false, "%s", err_text(err));
	return r;
}
