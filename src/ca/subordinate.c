/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/subordinate.h"

#include <stdio.h>

#include "ca/chain_check.h"
#include "ca/generation.h"
#include "pki/csr.h"
#include "pki/name.h"

#define DAY ((int64_t)86400)

struct importing {
	const struct subordinate *s;
	bool found;
	int64_t planned;    /* when the generation was to take over */
	int64_t end;        /* of the generation before it; 0: there is none */
	struct buf request; /* PKCS#10 */
	struct chain_check chain;
	struct generation g; /* what is made; its record has the keys that wait */
};

static void importing_clear(struct importing *k)
{
	buf_clear(&k->request);
	chain_check_clear(&k->chain);
	generation_clear(&k->g);
}

/* ---- what waits ---- */

static void take_key(struct importing *k, const struct store_ca_key *key)
{
	struct store_ca_key *to = &k->g.record.keys[k->g.record.n_keys++];

	to->role = key->role;
	to->generation = key->generation;
	memcpy(to->key_id, key->key_id, sizeof(to->key_id));
	k->g.has_ra |= key->role != STORE_KEY_CA;
}

/* The end of the latest generation that has its certificate. */
static RESULT see_before(struct importing *k, const struct store_ca_key *key, struct err *err)
{
	struct cert cert = { 0 };

	if (key->role != STORE_KEY_CA || !key->cert.len)
		return OK;
	TRY(cert_parse(buf_span(&key->cert), &cert, err));
	k->end = cert.not_after;
	return OK;
}

static enum result find_waiting(void *ctx, const struct store_ca *ca, struct err *err)
{
	struct importing *k = ctx;
	size_t i;

	if (strcmp(ca->name, k->s->name) != 0)
		return OK;
	k->found = true;
	for (i = 0; i < ca->n_generations && !k->request.len; i++) {
		k->g.number = ca->generations[i].number;
		k->planned = ca->generations[i].begins;
		buf_put(&k->request, buf_span(&ca->generations[i].request));
		TRY(buf_check(&k->request, err));
	}
	for (i = 0; i < ca->n_keys; i++) {
		TRY(see_before(k, &ca->keys[i], err));
		if (k->request.len && ca->keys[i].generation == k->g.number)
			take_key(k, &ca->keys[i]);
	}
	return OK;
}

/* The CA's own first, as generation.h wants it. */
static void put_ca_first(struct store_ca *record)
{
	size_t i;

	for (i = 1; i < record->n_keys; i++)
		if (record->keys[i].role == STORE_KEY_CA) {
			struct store_ca_key ca = record->keys[i];

			record->keys[i] = record->keys[0];
			record->keys[0] = ca;
		}
}

static RESULT find(struct importing *k, struct err *err)
{
	TRY(store_each_ca(k->s->store, find_waiting, k, err));
	if (!k->found)
		return err_set(err, ERR_NOT_FOUND, "there is no CA \"%.64s\"", k->s->name);
	if (!k->request.len)
		return err_set(err, ERR_CONFLICT, "CA \"%.64s\" awaits no certificate", k->s->name);
	put_ca_first(&k->g.record);
	return keeper_key_open(&k->g.key, k->s->keeper, k->g.record.keys[0].key_id, err);
}

/* ---- what came ---- */

/* The key's rule at the keeper is for these very bytes, and what it issues must bear them. */
static RESULT check_name(const struct importing *k, struct err *err)
{
	const struct cert *cert = &k->chain.certs[k->chain.order[0]];
	struct csr asked = { 0 };
	BUF got = BUF_INIT, want = BUF_INIT;

	TRY(csr_parse(buf_span(&k->request), &asked, err));
	if (span_eq(cert->subject, asked.subject))
		return OK;
	TRY(name_put_text(&got, cert->subject, err));
	TRY(name_put_text(&want, asked.subject, err));
	return err_set(err, ERR_BAD_TEMPLATE,
		       "RFC 5280 4.1.2.6: the certificate is for \"%.150s\", the request was for "
		       "\"%.150s\", with that encoding: have it signed as it was asked for",
		       got.len ? buf_cstr(&got) : "", want.len ? buf_cstr(&want) : "");
}

static RESULT check(struct importing *k, struct err *err)
{
	TRY(chain_check_read(&k->chain, k->s->chain, err));
	TRY(chain_check_order(&k->chain, k->s->c, key_spki(k->g.key), k->s->now, err));
	return check_name(k, err);
}

/* ---- the record ---- */

/*
 * As long as the CA, or as long as the rule of the CA's key allows, which is the keeper's to know:
 * they are renewed in time anyway.
 */
static RESULT sign_ras(struct importing *k, struct err *err)
{
	static const int64_t lasts[] = { 36500 * DAY, 3650 * DAY, 1825 * DAY, 730 * DAY,
					 365 * DAY,   90 * DAY,   DAY };
	enum result r = ERR_DENIED;
	size_t i;

	for (i = 0; i < ARRAY_LEN(lasts) && r == ERR_DENIED; i++) {
		k->g.ra_validity = lasts[i];
		r = generation_sign_ras(&k->g, err);
	}
	return r;
}

static RESULT put_certs(struct importing *k, struct err *err)
{
	struct store_ca *record = &k->g.record;
	size_t i;

	buf_put(&record->keys[0].cert, k->chain.certs[k->chain.order[0]].der);
	TRY(buf_check(&record->keys[0].cert, err));
	TRY(cert_parse(buf_span(&record->keys[0].cert), &k->g.cert, err));
	k->g.subject = k->g.cert.subject;
	for (i = 1; i < k->chain.length; i++) {
		struct store_ca_cert *above = &record->certs[record->n_certs++];

		above->kind = STORE_CERT_CHAIN;
		above->generation = k->g.number;
		buf_put(&above->cert, k->chain.certs[k->chain.order[i]].der);
		TRY(buf_check(&above->cert, err));
	}
	return sign_ras(k, err);
}

static int64_t latest(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The first of a CA begins with its certificate. */
static RESULT put_times(struct importing *k, struct err *err)
{
	struct store_generation *g = &k->g.record.generations[0];
	char begins[CLOCK_TEXT_MAX], end[CLOCK_TEXT_MAX];

	k->g.record.n_generations = 1;
	g->number = k->g.number;
	if (!k->end)
		return OK;
	g->begins = latest(latest(k->planned, k->g.cert.not_before), k->s->now);
	if (k->g.cert.not_before <= k->end)
		return OK;
	clock_format(k->g.cert.not_before, begins);
	clock_format(k->end, end);
	return err_set(err, ERR_BAD_TEMPLATE,
		       "RFC 5280 4.1.2.5: the certificate begins at %s, after that of the "
		       "generation before it has ended (%s): there would be a time without a CA",
		       begins, end);
}

static RESULT commit(struct importing *k, struct err *err)
{
	struct store_event event = { .time = k->s->now,
				     .kind = "ca.imported",
				     .ca = k->s->name,
				     .serial = k->g.cert.serial,
				     .actor = k->s->actor };
	BUF reason = BUF_INIT;

	buf_printf(&reason, "certificate of generation %u by \"", k->g.number);
	TRY(name_put_text(&reason, k->g.cert.issuer, err));
	buf_put_str(&reason, "\", ");
	TRY(generation_put_fingerprint(k->s->c, k->g.cert.der, &reason, err));
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	(void)snprintf(k->g.record.name, sizeof(k->g.record.name), "%s", k->s->name);
	return store_complete_generation(k->s->store, &k->g.record, &event, err);
}

enum result subordinate_import(const struct subordinate *s, struct err *err)
{
	CLEANUP(importing_clear)
	struct importing k = {
		.s = s, .g = { .keeper = s->keeper, .c = s->c, .now = s->now, .name = s->name }
	};

	TRY(find(&k, err));
	TRY(check(&k, err));
	TRY(put_certs(&k, err));
	TRY(put_times(&k, err));
	return commit(&k, err);
}
