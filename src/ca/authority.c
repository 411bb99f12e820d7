/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/authority.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A CA with all its generations, from the oldest on. Those without keys are in the list only. */
struct line {
	char name[STORE_NAME_MAX];
	struct authority_ca *generations;
	size_t n;
	char fault[ERR_TEXT_MAX]; /* "": none */
};

struct authority {
	_Atomic unsigned refs;
	struct line *lines;
	size_t n;
};

/* ---- one CA ---- */

const struct ca_identity *authority_ca_signer(const struct authority_ca *ca)
{
	return ca->has_ra ? &ca->ra_sign : &ca->ca;
}

const struct ca_identity *authority_ca_decrypter(const struct authority_ca *ca)
{
	if (!ca->has_ra)
		return &ca->ca;
	return ca->ra_one ? &ca->ra_sign : &ca->ra_encrypt;
}

int64_t authority_ca_valid_from(const struct authority_ca *ca)
{
	int64_t from = ca->ca.cert.not_before;

	return ca->begins > from ? ca->begins : from;
}

bool authority_ca_is_alive(const struct authority_ca *ca, int64_t now)
{
	return now <= ca->ca.cert.not_after;
}

const struct authority_ca *authority_ca_issuer(const struct authority_ca *asked, int64_t now)
{
	const struct authority_ca *ca = asked;

	while (!authority_ca_is_alive(ca, now) && ca->next && ca->next->begins <= now)
		ca = ca->next;
	return ca;
}

unsigned authority_ca_answers_from(const struct authority_ca *ca, int64_t now)
{
	while (ca->before && !authority_ca_is_alive(ca->before, now))
		ca = ca->before;
	return ca->before ? ca->generation : 0;
}

const struct authority_ca *authority_ca_sibling(const struct authority_ca *ca, unsigned generation)
{
	while (ca && ca->generation > generation)
		ca = ca->before;
	while (ca && ca->generation < generation)
		ca = ca->next;
	return ca && ca->generation == generation ? ca : NULL;
}

/* ---- the snapshot ---- */

struct authority *authority_ref(struct authority *a)
{
	if (a)
		atomic_fetch_add(&a->refs, 1);
	return a;
}

static void identity_clear(struct ca_identity *id)
{
	buf_clear(&id->der);
	key_free(id->key);
	*id = (struct ca_identity){ 0 };
}

static void ca_clear(struct authority_ca *ca)
{
	size_t i;

	identity_clear(&ca->ca);
	identity_clear(&ca->ra_sign);
	identity_clear(&ca->ra_encrypt);
	identity_clear(&ca->ocsp);
	buf_clear(&ca->ca_ski);
	buf_clear(&ca->new_with_old);
	buf_clear(&ca->old_with_new);
	for (i = 0; i < ca->n_chain; i++)
		buf_clear(&ca->chain[i]);
	free(ca->chain);
}

void authority_unref(struct authority *a)
{
	size_t i, k;

	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	for (i = 0; i < a->n; i++) {
		for (k = 0; k < a->lines[i].n; k++)
			ca_clear(&a->lines[i].generations[k]);
		free(a->lines[i].generations);
	}
	free(a->lines);
	free(a);
}

DEFINE_CLEANUP(struct authority, authority_unref)

static const struct line *find_line(const struct authority *a, const char *name)
{
	size_t i;

	for (i = 0; a && i < a->n; i++)
		if (strcmp(a->lines[i].name, name) == 0)
			return &a->lines[i];
	return NULL;
}

static bool is_usable(const struct authority_ca *ca)
{
	return ca->ca.key != NULL;
}

const struct authority_ca *authority_find(const struct authority *a, const char *name, int64_t now)
{
	const struct line *line = find_line(a, name);
	size_t i = line ? line->n : 0;

	/* the first is in charge until the second is, also on a clock that lies */
	while (i > 1 && line->generations[i - 1].begins > now)
		i--;
	return i && is_usable(&line->generations[i - 1]) ? &line->generations[i - 1] : NULL;
}

const char *authority_why_none(const struct authority *a, const char *name)
{
	const struct line *line = find_line(a, name);

	return line && line->fault[0] ? line->fault : "is not initialised: scepterctl ca init";
}

const struct authority_ca *authority_oldest(const struct authority *a, const char *name)
{
	const struct line *line = find_line(a, name);
	size_t i;

	for (i = 0; line && i < line->n; i++)
		if (is_usable(&line->generations[i]))
			return &line->generations[i];
	return NULL;
}

bool authority_knows(const struct authority *a, const char *name, unsigned generation)
{
	const struct line *line = find_line(a, name);
	size_t i;

	for (i = 0; line && i < line->n; i++)
		if (generation == 0 || line->generations[i].generation == generation)
			return true;
	return false;
}

size_t authority_count(const struct authority *a)
{
	return a ? a->n : 0;
}

const char *authority_name(const struct authority *a, size_t i)
{
	return a->lines[i].name;
}

const char *authority_fault(const struct authority *a, size_t i)
{
	return a->lines[i].fault;
}

/* ---- loading one generation ---- */

/* What it is made of. */
struct source {
	const struct store_ca *record;
	unsigned generation;
	struct keeper_client *keeper;
};

/* NULL: the generation has none of that role. */
static const struct store_ca_key *key_of(const struct source *s, enum store_key_role role)
{
	size_t i;

	for (i = 0; i < s->record->n_keys; i++)
		if (s->record->keys[i].role == role &&
		    s->record->keys[i].generation == s->generation)
			return &s->record->keys[i];
	return NULL;
}

static RESULT identity_load(struct ca_identity *id, const struct store_ca_key *record,
			    struct keeper_client *keeper, struct err *err)
{
	enum result r;

	buf_put(&id->der, buf_span(&record->cert));
	TRY(buf_check(&id->der, err));
	memcpy(id->key_id, record->key_id, sizeof(id->key_id));
	TRY(cert_parse(buf_span(&id->der), &id->cert, err));
	r = keeper_key_open(&id->key, keeper, id->key_id, err);
	if (r != OK)
		return err_prefix(err, r, "key %s", id->key_id);
	if (!span_eq(key_spki(id->key), id->cert.spki))
		return err_set(err, ERR_CONFIG,
			       "key %s: the keeper holds another key than the certificate in the "
			       "store is for; restore both from the same backup",
			       id->key_id);
	return OK;
}

/* Certificates from elsewhere may lack the extension: then method 1 of RFC 5280 4.2.1.2. */
static RESULT load_ski(struct authority_ca *ca, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct span ski = cert_ski(&ca->ca.cert);
	uint8_t id[20];

	if (ski.len == 0) {
		TRY(crypto_new(&c, false, err));
		TRY(cert_key_id(c, ca->ca.cert.spki, id, err));
		ski = SPAN_ARRAY(id);
	}
	buf_put(&ca->ca_ski, ski);
	return buf_check(&ca->ca_ski, err);
}

static RESULT load_ra(struct authority_ca *ca, const struct source *s, struct err *err)
{
	const struct store_ca_key *one = key_of(s, STORE_KEY_RA);
	const struct store_ca_key *sign = key_of(s, STORE_KEY_RA_SIGN);
	const struct store_ca_key *encrypt = key_of(s, STORE_KEY_RA_ENCRYPT);

	ca->ra_one = one != NULL;
	ca->has_ra = one || (sign && encrypt);
	if (one)
		return identity_load(&ca->ra_sign, one, s->keeper, err);
	if (!ca->has_ra)
		return OK;
	TRY(identity_load(&ca->ra_sign, sign, s->keeper, err));
	return identity_load(&ca->ra_encrypt, encrypt, s->keeper, err);
}

/* Where a certificate of that kind goes; the chain has room for all. */
static struct buf *place_of(struct authority_ca *ca, enum store_ca_cert_kind kind)
{
	switch (kind) {
	case STORE_CERT_OLD_WITH_NEW:
		return &ca->old_with_new;
	case STORE_CERT_NEW_WITH_OLD:
		return &ca->new_with_old;
	case STORE_CERT_CHAIN:
		break;
	}
	return &ca->chain[ca->n_chain++];
}

static RESULT load_certs(struct authority_ca *ca, const struct source *s, struct err *err)
{
	const struct store_ca *record = s->record;
	size_t i;

	ca->chain = calloc(record->n_certs + 1, sizeof(*ca->chain));
	if (!ca->chain)
		return err_nomem(err);
	for (i = 0; i < record->n_certs; i++) {
		struct buf *place;

		if (record->certs[i].generation != s->generation)
			continue;
		place = place_of(ca, record->certs[i].kind);
		buf_put(place, buf_span(&record->certs[i].cert));
		TRY(buf_check(place, err));
	}
	return OK;
}

/* Whatever it is, it is of this CA alone; the rest is the store's or the keeper's, and passes. */
static bool is_fault(enum result r)
{
	return r == ERR_NOT_FOUND || r == ERR_CONFIG || r == ERR_SYNTAX || r == ERR_LIMIT ||
	       r == ERR_BAD_ALG;
}

static RESULT load_keys(struct authority_ca *ca, const struct source *s, struct err *err)
{
	const struct store_ca_key *ocsp = key_of(s, STORE_KEY_OCSP);
	enum result r;

	TRY(load_ski(ca, err));
	TRY(load_certs(ca, s, err));
	TRY(load_ra(ca, s, err));
	if (!ocsp)
		return OK;
	r = identity_load(&ca->ocsp, ocsp, s->keeper, err);
	if (!is_fault(r))
		return r;
	identity_clear(&ca->ocsp); /* the next request for a status makes a new one */
	return OK;
}

static RESULT load_generation(struct authority_ca *ca, const struct source *s, struct err *err)
{
	const struct store_generation *g = store_ca_generation(s->record, s->generation);

	memcpy(ca->name, s->record->name, sizeof(ca->name));
	ca->generation = s->generation;
	ca->begins = g ? g->begins : 0;
	ca->began = !g || g->began;
	ca->last = s->record->last_generation;
	TRY(identity_load(&ca->ca, key_of(s, STORE_KEY_CA), s->keeper, err));
	return load_keys(ca, s, err);
}

/* ---- loading all of a CA ---- */

struct loading {
	struct authority *a;
	struct keeper_client *keeper;
};

static RESULT add_generation(struct line *line, const struct source *s, struct err *err)
{
	struct authority_ca *ca = &line->generations[line->n];
	struct err why = { 0 };
	enum result r;

	*ca = (struct authority_ca){ 0 };
	line->n++;
	r = load_generation(ca, s, &why);
	ca->began |= line->n == 1; /* the first takes over from nobody */
	if (r == OK)
		return OK;
	if (!is_fault(r))
		return err_set(err, r, "generation %u: %s", s->generation, err_text(&why));
	identity_clear(&ca->ca);
	if (!line->fault[0])
		(void)snprintf(line->fault, sizeof(line->fault), "generation %u: %.400s",
			       s->generation, err_text(&why));
	return OK;
}

/* Those that are usable, each with the next. */
static void link_generations(struct line *line)
{
	struct authority_ca *before = NULL;
	size_t i;

	for (i = 0; i < line->n; i++) {
		struct authority_ca *ca = &line->generations[i];

		if (!is_usable(ca))
			continue;
		ca->before = before;
		if (before)
			before->next = ca;
		before = ca;
	}
}

/* A key without a certificate yet is of a generation to come. */
static bool is_to_come(const struct store_ca_key *key)
{
	return key->role == STORE_KEY_CA && key->cert.len == 0;
}

static RESULT load_line(struct line *line, const struct store_ca *record,
			struct keeper_client *keeper, struct err *err)
{
	size_t i;

	memcpy(line->name, record->name, sizeof(line->name));
	line->generations = calloc(record->n_keys + 1, sizeof(*line->generations));
	if (!line->generations)
		return err_nomem(err);
	for (i = 0; i < record->n_keys; i++) {
		const struct store_ca_key *key = &record->keys[i];
		const struct source s = { record, key->generation, keeper };

		if (key->role != STORE_KEY_CA)
			continue;
		if (line->n)
			line->generations[line->n - 1].planned = key->generation;
		if (!is_to_come(key))
			TRY(add_generation(line, &s, err));
		else if (line->n)
			line->generations[line->n - 1].awaits_next = true;
	}
	if (line->n == 0)
		(void)snprintf(line->fault, sizeof(line->fault),
			       "it awaits its certificate: scepterctl ca import %.32s",
			       record->name);
	link_generations(line);
	return OK;
}

static enum result add_line(void *ctx, const struct store_ca *record, struct err *err)
{
	struct loading *l = ctx;
	struct line *lines;
	enum result r;

	lines = reallocarray(l->a->lines, l->a->n + 1, sizeof(*lines));
	if (!lines)
		return err_nomem(err);
	l->a->lines = lines;
	lines[l->a->n] = (struct line){ 0 };
	r = load_line(&lines[l->a->n++], record, l->keeper, err);
	return r == OK ? OK : err_prefix(err, r, "CA \"%s\"", record->name);
}

enum result authority_load(struct authority **out, struct store *store,
			   struct keeper_client *keeper, struct err *err)
{
	CLEANUP(authority_unrefp) struct authority *a = calloc(1, sizeof(*a));
	struct loading l = { .a = a, .keeper = keeper };

	if (!a)
		return err_nomem(err);
	atomic_init(&a->refs, 1);
	TRY(store_each_ca(store, add_line, &l, err));
	*out = take(a);
	return OK;
}
