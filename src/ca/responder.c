/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/responder.h"

#include <stdio.h>

#include "base/random.h"
#include "ca/issue.h"
#include "der/oid.h"

#define BACKDATE 600
#define HOUR 3600
#define DAY 86400

bool responder_is_valid(const struct authority_ca *ca, int64_t now)
{
	return ca->ocsp.key && now >= ca->ocsp.cert.not_before && now < ca->ocsp.cert.not_after;
}

bool responder_is_due(const struct authority_ca *ca, int64_t now)
{
	const struct cert *cert = &ca->ocsp.cert;

	/* what the CA signs now would not hold before its own time, nor after it */
	if (now < ca->ca.cert.not_before || now >= ca->ca.cert.not_after)
		return false;
	return !responder_is_valid(ca, now) ||
	       now - cert->not_before > (cert->not_after - cert->not_before) / 3 * 2;
}

/* Clients that take the CA's kind of key take it here, too; nothing faster than P-256. */
static struct key_spec spec_for(enum key_kind ca)
{
	return ca == KEY_RSA ? (struct key_spec){ KEY_RSA, 2048 }
			     : (struct key_spec){ KEY_EC_P256, 256 };
}

static RESULT open_key(struct keeper_client *keeper, const struct authority_ca *ca,
		       struct store_ca_key *record, struct key **key, struct err *err)
{
	const struct key_rule rule = { .ocsp = true };
	uint8_t r[4];

	record->role = STORE_KEY_OCSP;
	record->generation = ca->generation;
	if (ca->ocsp.key) {
		memcpy(record->key_id, ca->ocsp.key_id, sizeof(record->key_id));
		return keeper_key_open(key, keeper, record->key_id, err);
	}
	TRY(random_fill(r, sizeof(r), err));
	(void)snprintf(record->key_id, sizeof(record->key_id), "%.32s-ocsp-%u-%02x%02x%02x%02x",
		       ca->name, ca->generation, r[0], r[1], r[2], r[3]);
	TRY(keeper_generate(keeper, record->key_id, spec_for(ca->ca.key->kind), &rule, err));
	return keeper_key_open(key, keeper, record->key_id, err);
}

static RESULT put_exts(struct crypto *c, const struct authority_ca *ca, struct span spki,
		       struct buf *out, struct err *err)
{
	uint8_t id[20];

	ext_put_basic_constraints(out, false, -1);
	ext_put_key_usage(out, KU_DIGITAL_SIGNATURE);
	ext_put_eku(out, &OID_OCSP_SIGNING, 1, false);
	TRY(cert_key_id(c, spki, id, err));
	ext_put_ski(out, SPAN_ARRAY(id));
	ext_put_aki(out, buf_span(&ca->ca_ski));
	ext_put(out, OID_OCSP_NOCHECK, false, SPAN_LIT("\x05\x00"));
	return buf_check(out, err);
}

/* As long as the CA's key may: its rule is the keeper's, and may be shorter than we would like. */
static RESULT issue(struct crypto *c, const struct authority_ca *ca, struct cert_template *t,
		    int64_t now, struct buf *out, struct err *err)
{
	static const int64_t lasts[] = { 14 * DAY, DAY, HOUR };
	enum result r = ERR_DENIED;
	size_t i;

	t->not_before = now - BACKDATE;
	if (t->not_before < ca->ca.cert.not_before)
		t->not_before = ca->ca.cert.not_before;
	for (i = 0; i < ARRAY_LEN(lasts) && r == ERR_DENIED; i++) {
		t->not_after = t->not_before + lasts[i];
		if (t->not_after > ca->ca.cert.not_after)
			t->not_after = ca->ca.cert.not_after;
		r = issue_certificate(t, ca->ca.key, c, out, err);
	}
	return r;
}

static RESULT make_cert(struct crypto *c, const struct authority_ca *ca, const struct key *key,
			int64_t now, struct buf *out, struct err *err)
{
	uint8_t serial[ISSUE_SERIAL];
	char cn[65];
	BUF exts = BUF_INIT;
	BUF subject = BUF_INIT;
	struct cert_template t = { .serial = SPAN_ARRAY(serial),
				   .sig_alg = sig_alg_for(ca->ca.key->kind),
				   .issuer = ca->ca.cert.subject,
				   .spki = key_spki(key) };

	(void)snprintf(cn, sizeof(cn), "%.32s OCSP responder", ca->name);
	TRY(issue_subject(ca->ca.cert.subject, cn, &subject, err));
	TRY(issue_serial(serial, err));
	TRY(put_exts(c, ca, t.spki, &exts, err));
	t.subject = buf_span(&subject);
	t.exts = buf_span(&exts);
	return issue(c, ca, &t, now, out, err);
}

static RESULT commit(struct store *store, const struct authority_ca *ca,
		     const struct store_ca_key *record, int64_t now, struct err *err)
{
	struct cert cert = { 0 };
	char until[CLOCK_TEXT_MAX], reason[96];
	struct store_event event = {
		.time = now, .kind = "responder.renewed", .ca = ca->name, .reason = reason
	};

	TRY(cert_parse(buf_span(&record->cert), &cert, err));
	clock_format(cert.not_after, until);
	(void)snprintf(reason, sizeof(reason), "OCSP responder's certificate, valid until %s",
		       until);
	event.serial = cert.serial;
	return store_put_ca_key(store, ca->name, record, &event, err);
}

static void record_clear(struct store_ca_key *record)
{
	buf_clear(&record->cert);
}

enum result responder_renew(struct store *store, struct keeper_client *keeper, struct crypto *c,
			    int64_t now, const struct authority_ca *ca, struct err *err)
{
	CLEANUP(record_clear) struct store_ca_key record = { 0 };
	CLEANUP(key_freep) struct key *key = NULL;

	TRY(open_key(keeper, ca, &record, &key, err));
	TRY(make_cert(c, ca, key, now, &record.cert, err));
	return commit(store, ca, &record, now, err);
}
