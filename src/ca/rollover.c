/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/rollover.h"

#include <stdio.h>

#include "ca/generation.h"

struct making {
	const struct rollover *r;
	int64_t at;
	struct generation next;
};

static void making_clear(struct making *m)
{
	generation_clear(&m->next);
}

/* ---- what is asked for ---- */

static RESULT check_time(struct making *m, struct err *err)
{
	const struct cert *cert = &m->r->ca->ca.cert;
	char asked[CLOCK_TEXT_MAX], end[CLOCK_TEXT_MAX];

	m->at = m->r->at ? m->r->at : cert->not_after;
	if (m->at >= m->r->now && m->at <= cert->not_after)
		return OK;
	clock_format(m->at, asked);
	clock_format(cert->not_after, end);
	return err_set(err, ERR_USAGE,
		       "a rollover at %s: it must be now or later, and not after %s, when the "
		       "certificate of the generation in charge ends",
		       asked, end);
}

static RESULT check_key(const struct making *m, struct err *err)
{
	if (m->next.has_ra || m->next.ca_key.kind == KEY_RSA)
		return OK;
	return err_set(err, ERR_USAGE,
		       "RFC 8894 2.1.2: without a registration authority the CA itself decrypts "
		       "requests, which a %s key cannot",
		       key_kind_name(m->next.ca_key.kind));
}

static RESULT check(struct making *m, struct err *err)
{
	const struct authority_ca *ca = m->r->ca;
	char when[CLOCK_TEXT_MAX];

	TRY(check_key(m, err));
	if (ca->awaits_next)
		return err_set(err, ERR_CONFLICT,
			       "CA \"%s\": the request for generation %u waits for its answer: "
			       "scepterctl ca import",
			       ca->name, ca->planned);
	if (!ca->planned)
		return check_time(m, err);
	if (!ca->next)
		return err_set(err, ERR_CONFLICT,
			       "CA \"%s\": generation %u is planned, and its key is missing",
			       ca->name, ca->planned);
	clock_format(ca->next->begins, when);
	return err_set(err, ERR_CONFLICT, "CA \"%s\": generation %u takes over at %s already",
		       ca->name, ca->planned, when);
}

/* ---- the making ---- */

/* Like the generation in charge, but for what was asked to be otherwise. */
static struct generation plan(const struct rollover *r)
{
	const struct authority_ca *ca = r->ca;
	struct generation next = { .keeper = r->keeper,
				   .c = r->c,
				   .now = r->now,
				   .name = ca->name,
				   .number = ca->last + 1,
				   .subject = ca->ca.cert.subject,
				   .ca_key = { ca->ca.key->kind, ca->ca.key->bits },
				   .has_ra = ca->has_ra,
				   .ra_split = ca->has_ra && !ca->ra_one };

	if (r->key.kind != KEY_NONE)
		next.ca_key = r->key;
	if (ca->has_ra) {
		const struct ca_identity *ra = authority_ca_decrypter(ca);

		next.ra_key = (struct key_spec){ ra->key->kind, ra->key->bits };
		next.ra_before = ra->key_id;
		next.ra_validity = ra->cert.not_after - ra->cert.not_before;
	}
	return next;
}

static RESULT put_cross(struct making *m, enum store_ca_cert_kind kind, struct err *err)
{
	const struct authority_ca *old = m->r->ca;
	const struct generation_signer by_old = { old->ca.key, m->r->c, &old->ca.cert };
	const struct generation_signer by_new = { m->next.key, m->r->c, &m->next.cert };
	struct store_ca_cert *cross = &m->next.record.certs[m->next.record.n_certs++];

	int64_t from = m->r->now - GENERATION_BACKDATE;

	cross->kind = kind;
	cross->generation = m->next.number;
	/* who trusts the old one can follow at once; who trusts the new one finds back to the
	   first of the old one's certificates */
	if (kind == STORE_CERT_NEW_WITH_OLD)
		return generation_cross(&by_old, &m->next.cert,
					from < old->ca.cert.not_before ? old->ca.cert.not_before
								       : from,
					&cross->cert, err);
	return generation_cross(&by_new, &old->ca.cert, old->ca.cert.not_before, &cross->cert, err);
}

static RESULT make_root(struct making *m, struct err *err)
{
	const struct cert *old = &m->r->ca->ca.cert;

	TRY(generation_sign_self(&m->next, m->at, m->at + (old->not_after - old->not_before), err));
	TRY(generation_sign_ras(&m->next, err));
	TRY(put_cross(m, STORE_CERT_NEW_WITH_OLD, err));
	return put_cross(m, STORE_CERT_OLD_WITH_NEW, err);
}

/* In the record of it: which it is, and when it takes over. */
static void name_generation(struct making *m)
{
	struct store_ca *record = &m->next.record;

	(void)snprintf(record->name, sizeof(record->name), "%s", m->r->ca->name);
	record->n_generations = 1;
	record->generations[0].number = m->next.number;
	record->generations[0].begins = m->at;
}

static RESULT commit(struct making *m, bool root, struct err *err)
{
	struct store_event event = { .time = m->r->now,
				     .kind = root ? "ca.rollover" : "ca.requested",
				     .ca = m->r->ca->name,
				     .serial = m->next.cert.serial,
				     .actor = m->r->actor };
	char when[CLOCK_TEXT_MAX];
	BUF reason = BUF_INIT;

	clock_format(m->at, when);
	if (root) {
		buf_printf(&reason, "generation %u takes over at %s, ", m->next.number, when);
		TRY(generation_put_fingerprint(m->r->c, m->next.cert.der, &reason, err));
	} else {
		buf_printf(&reason,
			   "request for the certificate of generation %u, which is to take over "
			   "at %s",
			   m->next.number, when);
	}
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	name_generation(m);
	return store_add_generation(m->r->store, &m->next.record, &event, err);
}

enum result rollover_make(const struct rollover *r, struct err *err)
{
	CLEANUP(making_clear) struct making m = { .r = r, .next = plan(r) };
	bool root = cert_is_self_issued(&r->ca->ca.cert);

	TRY(check(&m, err));
	TRY(generation_make_key(&m.next, NULL, r->ca->ca.key_id, err));
	TRY(generation_make_ra_keys(&m.next, err));
	TRY(root ? make_root(&m, err)
		 : generation_request(&m.next, &m.next.record.generations[0].request, err));
	return commit(&m, root, err);
}

/* ---- what is planned already ---- */

static RESULT check_planned(const struct making *m, struct err *err)
{
	if (m->next.number)
		return OK;
	return err_set(err, ERR_CONFLICT,
		       "CA \"%s\": no next generation is planned; generation %u is in charge",
		       m->r->ca->name, m->r->ca->generation);
}

static struct store_ca_key *put_record(struct making *m, enum store_key_role role,
				       const struct ca_identity *id)
{
	struct store_ca_key *record = &m->next.record.keys[m->next.record.n_keys++];

	record->role = role;
	record->generation = m->next.number;
	memcpy(record->key_id, id->key_id, sizeof(record->key_id));
	return record;
}

/* New certificates for the keys that it has. */
static RESULT certify_anew(struct making *m, struct err *err)
{
	const struct authority_ca *next = m->r->ca->next;

	(void)put_record(m, STORE_KEY_CA, &next->ca);
	if (next->has_ra)
		(void)put_record(m, next->ra_one ? STORE_KEY_RA : STORE_KEY_RA_SIGN,
				 &next->ra_sign);
	if (next->has_ra && !next->ra_one)
		(void)put_record(m, STORE_KEY_RA_ENCRYPT, &next->ra_encrypt);
	TRY(keeper_key_open(&m->next.key, m->r->keeper, next->ca.key_id, err));
	return make_root(m, err);
}

/* A certificate that begins later than it is to take over will not do. */
static RESULT fit_certificate(struct making *m, struct err *err)
{
	const struct authority_ca *next = m->r->ca->next;
	char begins[CLOCK_TEXT_MAX];

	if (m->r->ca->awaits_next || (next && next->ca.cert.not_before <= m->at))
		return OK;
	if (next && cert_is_self_issued(&next->ca.cert))
		return certify_anew(m, err);
	if (!next)
		return err_set(err, ERR_CONFLICT, "CA \"%s\": the key of generation %u is missing",
			       m->r->ca->name, m->next.number);
	clock_format(next->ca.cert.not_before, begins);
	return err_set(
	    err, ERR_USAGE,
	    "the certificate of generation %u, which another CA has signed, begins at %s",
	    m->next.number, begins);
}

static RESULT commit_move(struct making *m, struct err *err)
{
	struct store_event event = { .time = m->r->now,
				     .kind = "ca.rollover_moved",
				     .ca = m->r->ca->name,
				     .actor = m->r->actor };
	char when[CLOCK_TEXT_MAX];
	BUF reason = BUF_INIT;

	clock_format(m->at, when);
	buf_printf(&reason, "generation %u takes over at %s", m->next.number, when);
	if (m->next.record.n_keys) {
		event.serial = m->next.cert.serial;
		buf_put_str(&reason, ", with a new certificate, ");
		TRY(generation_put_fingerprint(m->r->c, m->next.cert.der, &reason, err));
	}
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	name_generation(m);
	return store_move_generation(m->r->store, &m->next.record, m->r->now, &event, err);
}

enum result rollover_move(const struct rollover *r, struct err *err)
{
	CLEANUP(making_clear) struct making m = { .r = r, .next = plan(r) };

	m.next.number = r->ca->planned;
	TRY(check_planned(&m, err));
	TRY(check_time(&m, err));
	TRY(fit_certificate(&m, err));
	return commit_move(&m, err);
}

enum result rollover_cancel(const struct rollover *r, struct err *err)
{
	const struct making m = { .r = r, .next = { .number = r->ca->planned } };
	char reason[64];
	struct store_event event = { .time = r->now,
				     .kind = "ca.rollover_cancelled",
				     .ca = r->ca->name,
				     .actor = r->actor,
				     .reason = reason };

	TRY(check_planned(&m, err));
	if (r->ca->next)
		event.serial = r->ca->next->ca.cert.serial;
	(void)snprintf(reason, sizeof(reason), "generation %u does not take over", r->ca->planned);
	return store_cancel_generation(r->store, r->ca->name, r->ca->planned, r->now, &event, err);
}

bool rollover_is_due(const struct authority_ca *ca, int64_t lead, int64_t now)
{
	return lead > 0 && !ca->planned && now >= ca->ca.cert.not_after - lead &&
	       authority_ca_is_alive(ca, now);
}

enum result rollover_begin(struct store *store, const struct authority_ca *ca, int64_t now,
			   struct err *err)
{
	char when[CLOCK_TEXT_MAX], reason[96];
	const struct store_event event = { .time = now,
					   .kind = "ca.switched",
					   .ca = ca->name,
					   .serial = ca->ca.cert.serial,
					   .actor = "clock",
					   .reason = reason };

	clock_format(ca->begins, when);
	(void)snprintf(reason, sizeof(reason), "generation %u has taken over, as planned for %s",
		       ca->generation, when);
	return store_begin_generation(store, ca->name, ca->generation, now, &event, err);
}
