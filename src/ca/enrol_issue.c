/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_issue.h"

#include <stdio.h>

#include "base/hex.h"
#include "ca/enrol_renewal.h"
#include "pki/name.h"

enum result enrol_decision_hash_keys(struct enrol_decision *d, struct err *err)
{
	TRY(pubkey_hash(d->c, d->req->spki, d->key, err));
	if (!d->req->current)
		return OK;
	return pubkey_hash(d->c, d->req->current->spki, d->auth.current_key, err);
}

struct store_event enrol_decision_event(const struct enrol_decision *d, const char *kind,
					const char *reason, struct buf *detail)
{
	enrol_trace_put_json(d->req->trace, detail);
	return (struct store_event){ .time = d->auth.now,
				     .kind = kind,
				     .endpoint = d->req->policy->endpoint,
				     .transaction = d->transaction.id.len ? d->transaction.id
									  : d->req->transaction_id,
				     .ca = d->req->policy->ca,
				     .actor = d->req->peer,
				     .reason = reason,
				     .detail = buf_cstr(detail) };
}

/* ---- what it is to hold ---- */

static RESULT apply_profile(const struct enrol_decision *d, struct profile_result *names,
			    struct err *err)
{
	const struct enrol_request *req = d->req;
	const struct cert *ca = &req->ca->ca.cert;
	struct profile_request asked = { .subject = req->subject,
					 .spki = req->spki,
					 .exts = req->exts,
					 .validity = req->validity,
					 .now = d->auth.now };
	struct profile_issuer issuer = { .subject = ca->subject,
					 .ski = buf_span(&req->ca->ca_ski),
					 .generation = req->ca->generation,
					 .not_before = authority_ca_valid_from(req->ca),
					 .not_after = ca->not_after };
	enum result r = profile_apply(req->policy->profile, d->c, &asked, &issuer, names, err);

	if (r == OK)
		enrol_trace_add(req->trace, "profile", true, "names and key fit profile \"%s\"",
				req->policy->profile->name);
	else
		enrol_trace_add(req->trace, "profile", false, "%s", err_text(err));
	return r;
}

enum result enrol_issue_names(const struct enrol_decision *d, struct profile_result *names,
			      struct err *err)
{
	CLEANUP(profile_result_clear) struct profile_result got = { 0 };

	TRY(apply_profile(d, &got, err));
	if (d->req->current)
		TRY(enrol_renewal_check_names(d->req, &got, err));
	*names = got;
	got = (struct profile_result){ 0 };
	return OK;
}

/* ---- the certificate ---- */

static RESULT make_cert(const struct enrol_decision *d, const struct profile_result *names,
			struct span serial, struct buf *out, struct err *err)
{
	const struct authority_ca *ca = d->req->ca;
	BUF exts = BUF_INIT;
	struct cert_template t = { .serial = serial,
				   .sig_alg = sig_alg_for(ca->ca.key->kind),
				   .issuer = ca->ca.cert.subject,
				   .not_before = names->not_before,
				   .not_after = names->not_after,
				   .subject = buf_span(&names->subject),
				   .spki = d->req->spki };
	enum result r;

	buf_put(&exts, buf_span(&names->exts));
	TRY(profile_put_part(d->req->policy->profile, serial, ca->generation, &exts, err));
	TRY(buf_check(&exts, err));
	t.exts = buf_span(&exts);
	r = issue_certificate(&t, ca->ca.key, d->c, out, err);
	if (r != OK)
		enrol_trace_add(d->req->trace, "issue", false, "%s", err_text(err));
	return r;
}

/* ---- its record ---- */

static RESULT describe(const struct enrol_decision *d, const struct profile_result *names,
		       struct enrol_issue *made, struct err *err)
{
	char until[CLOCK_TEXT_MAX];

	clock_format(names->not_after, until);
	buf_put_str(&made->reason, "certificate ");
	hex_put(&made->reason, SPAN_ARRAY(made->serial));
	buf_printf(&made->reason, ", valid until %s", until);
	if (d->req->current) {
		buf_put_str(&made->reason, ", renews ");
		hex_put(&made->reason, d->req->current->serial);
	}
	if (!buf_cstr(&made->reason))
		return err_nomem(err);
	enrol_trace_add(d->req->trace, "issue", true, "%s", buf_cstr(&made->reason));
	return name_put_text(&made->subject, buf_span(&names->subject), err);
}

/* Everything points into made. */
static RESULT put_record(const struct enrol_decision *d, const struct profile_result *names,
			 struct enrol_issue *made, struct err *err)
{
	struct store_issuance *record = &made->record;

	record->transaction = d->transaction;
	record->ca = d->req->ca->name;
	record->generation = d->req->ca->generation;
	record->profile = d->req->policy->profile->name;
	record->serial = SPAN_ARRAY(made->serial);
	record->cert = buf_span(&made->cert);
	record->subject_text = buf_span(&made->subject);
	record->not_before = names->not_before;
	record->not_after = names->not_after;
	record->now = d->auth.now;
	record->ahead = d->req->ca->begins > d->auth.now;
	record->event = enrol_decision_event(d, d->req->current ? "enrol.renewed" : "enrol.issued",
					     buf_cstr(&made->reason), &made->detail);
	record->event.serial = record->serial;
	if (d->auth.one_time)
		record->challenge_hash = d->auth.hash;
	memcpy(record->challenge_binding, d->auth.binding, STORE_HASH);
	record->device = d->auth.device;
	record->key = d->key;
	record->current_key = d->req->current ? d->auth.current_key : NULL;
	record->quotas = d->quotas;
	record->n_quotas = d->n_quotas;
	return buf_check(&made->detail, err);
}

enum result enrol_issue_make(const struct enrol_decision *d, const struct profile_result *names,
			     struct enrol_issue *made, struct err *err)
{
	TRY(issue_serial(made->serial, err));
	TRY(make_cert(d, names, SPAN_ARRAY(made->serial), &made->cert, err));
	TRY(describe(d, names, made, err));
	return put_record(d, names, made, err);
}

void enrol_issue_log(const struct enrol_decision *d, const struct enrol_issue *made)
{
	char until[CLOCK_TEXT_MAX];

	clock_format(made->record.not_after, until);
	log_info(d->req->log, d->req->current ? "certificate renewed" : "certificate issued",
		 LOG_HEX("serial", made->record.serial),
		 LOG_SPAN("subject", buf_span(&made->subject)), LOG_STR("notAfter", until));
}

void enrol_issue_clear(struct enrol_issue *made)
{
	buf_clear(&made->cert);
	buf_clear(&made->subject);
	buf_clear(&made->reason);
	buf_clear(&made->detail);
}
