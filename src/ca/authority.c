/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/authority.h"

#include <stdatomic.h>
#include <stdlib.h>

struct authority {
	_Atomic unsigned refs;
	struct authority_ca *cas;
	size_t n;
};

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
}

void authority_unref(struct authority *a)
{
	size_t i;

	if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
		return;
	for (i = 0; i < a->n; i++) {
		identity_clear(&a->cas[i].ca);
		identity_clear(&a->cas[i].ra_sign);
		identity_clear(&a->cas[i].ra_encrypt);
		identity_clear(&a->cas[i].ocsp);
		buf_clear(&a->cas[i].ca_ski);
	}
	free(a->cas);
	free(a);
}

DEFINE_CLEANUP(struct authority, authority_unref)

const struct authority_ca *authority_find(const struct authority *a, const char *name)
{
	size_t i;

	for (i = 0; a && i < a->n; i++)
		if (strcmp(a->cas[i].name, name) == 0)
			return &a->cas[i];
	return NULL;
}

size_t authority_count(const struct authority *a)
{
	return a ? a->n : 0;
}

const struct authority_ca *authority_at(const struct authority *a, size_t i)
{
	return a && i < a->n ? &a->cas[i] : NULL;
}

/* ---- loading ---- */

struct loading {
	struct authority *a;
	struct keeper_client *keeper;
};

/* The latest generation of a role; NULL if the CA has none. */
static const struct store_ca_key *latest(const struct store_ca *ca, enum store_key_role role)
{
	const struct store_ca_key *found = NULL;
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		if (ca->keys[i].role == role &&
		    (!found || ca->keys[i].generation > found->generation))
			found = &ca->keys[i];
	return found;
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

static RESULT load_ra(struct authority_ca *ca, const struct store_ca *record,
		      struct keeper_client *keeper, struct err *err)
{
	const struct store_ca_key *one = latest(record, STORE_KEY_RA);
	const struct store_ca_key *sign = latest(record, STORE_KEY_RA_SIGN);
	const struct store_ca_key *encrypt = latest(record, STORE_KEY_RA_ENCRYPT);

	ca->ra_one = one != NULL;
	ca->has_ra = one || (sign && encrypt);
	if (one)
		return identity_load(&ca->ra_sign, one, keeper, err);
	if (!ca->has_ra)
		return OK;
	TRY(identity_load(&ca->ra_sign, sign, keeper, err));
	return identity_load(&ca->ra_encrypt, encrypt, keeper, err);
}

static RESULT load_responder(struct authority_ca *ca, const struct store_ca *record,
			     struct keeper_client *keeper, struct err *err)
{
	const struct store_ca_key *key = latest(record, STORE_KEY_OCSP);

	if (!key)
		return OK;
	ca->ocsp_generation = key->generation;
	return identity_load(&ca->ocsp, key, keeper, err);
}

static RESULT load_ca(struct authority_ca *ca, const struct store_ca *record,
		      struct keeper_client *keeper, struct err *err)
{
	const struct store_ca_key *key = latest(record, STORE_KEY_CA);

	if (!key)
		return err_set(err, ERR_CONFIG, "the store has no key record of it");
	memcpy(ca->name, record->name, sizeof(ca->name));
	ca->generation = key->generation;
	TRY(identity_load(&ca->ca, key, keeper, err));
	TRY(load_ski(ca, err));
	TRY(load_responder(ca, record, keeper, err));
	return load_ra(ca, record, keeper, err);
}

static enum result add_ca(void *ctx, const struct store_ca *record, struct err *err)
{
	struct loading *l = ctx;
	struct authority_ca *cas;
	enum result r;

	cas = reallocarray(l->a->cas, l->a->n + 1, sizeof(*cas));
	if (!cas)
		return err_nomem(err);
	l->a->cas = cas;
	cas[l->a->n] = (struct authority_ca){ 0 };
	r = load_ca(&cas[l->a->n++], record, l->keeper, err);
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
	TRY(store_each_ca(store, add_ca, &l, err));
	*out = take(a);
	return OK;
}
