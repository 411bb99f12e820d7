/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ca/generation.h"
#include "pki/name.h"

#define NAME_LEN_MAX 32 /* of a CA: its key identifiers add to it */

/* A CA in the making: its first generation. */
struct making {
	const struct authority_init *init;
	struct store *store;
	struct buf subject; /* Name DER */
	struct generation first;
};

static void making_clear(struct making *m)
{
	buf_clear(&m->subject);
	generation_clear(&m->first);
}

/* ---- what is asked for ---- */

static RESULT check_name(const char *name, struct err *err)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (n == 0 || n > NAME_LEN_MAX || name[n] != '\0' || name[0] == '-')
		return err_set(err, ERR_USAGE,
			       "CA name \"%.40s\": write 1 to %d of a-z, 0-9 and -, not beginning "
			       "with -",
			       name, NAME_LEN_MAX);
	return OK;
}

static RESULT check_keys(const struct authority_init *init, struct err *err)
{
	if (!init->has_ra && init->ca_key.kind != KEY_RSA)
		return err_set(err, ERR_USAGE,
			       "RFC 8894 2.1.2: without a registration authority the CA itself "
			       "decrypts requests, which a %s key cannot; add an RA with an RSA "
			       "key, or give the CA an RSA key",
			       key_kind_name(init->ca_key.kind));
	if (init->has_ra && init->ra_key.kind != KEY_RSA)
		return err_set(err, ERR_USAGE,
			       "RFC 8894 3.2.2: the registration authority decrypts requests, "
			       "which a %s key cannot; give it an RSA key",
			       key_kind_name(init->ra_key.kind));
	return OK;
}

static RESULT check_times(const struct authority_init *init, struct err *err)
{
	if (init->ca_validity < 3600 || init->max_leaf_validity <= 0 ||
	    (init->has_ra && init->ra_validity <= 0))
		return err_set(err, ERR_USAGE,
			       "validity: the CA needs an hour at least, RA and "
			       "leaf certificates more than nothing");
	if (init->max_leaf_validity > init->ca_validity)
		return err_set(err, ERR_USAGE,
			       "leaf validity of %lld days is longer than the CA's of %lld days",
			       (long long)(init->max_leaf_validity / 86400),
			       (long long)(init->ca_validity / 86400));
	return OK;
}

static enum result refuse_same_name(void *ctx, const struct store_ca *ca, struct err *err)
{
	const char *name = ctx;

	if (strcmp(ca->name, name) != 0)
		return OK;
	return err_set(err, ERR_CONFLICT, "CA \"%s\" exists already", name);
}

static RESULT check(struct making *m, struct err *err)
{
	const struct authority_init *init = m->init;
	char name[STORE_NAME_MAX];

	TRY(check_name(init->name, err));
	TRY(check_keys(init, err));
	TRY(check_times(init, err));
	TRY(name_parse_text(init->subject, &m->subject, err));
	if (name_is_empty(buf_span(&m->subject)))
		return err_set(err, ERR_USAGE, "RFC 5280 4.1.2.6: a CA needs a subject");
	(void)snprintf(name, sizeof(name), "%s", init->name);
	return store_each_ca(m->store, refuse_same_name, name, err);
}

/* ---- the making ---- */

/* Whose certificate is another's to sign asks for it, and never signs one of its own. */
static RESULT make_key(struct making *m, struct err *err)
{
	const struct authority_init *init = m->init;
	CLEANUP(key_rule_clear)
	struct key_rule rule = { .certificates = true,
				 .crls = true,
				 .csr = init->subordinate,
				 .max_validity = init->max_leaf_validity,
				 .max_own_validity = init->subordinate ? 0 : init->ca_validity,
				 .content = !init->has_ra,
				 .decrypt = !init->has_ra };

	if (init->has_ra)
		rule.max_kept_validity = init->ra_validity;
	buf_put(&rule.issuer, buf_span(&m->subject));
	TRY(buf_check(&rule.issuer, err));
	return generation_make_key(&m->first, &rule, NULL, err);
}

static RESULT make_root(struct making *m, struct err *err)
{
	struct generation *g = &m->first;
	int64_t from = g->now - GENERATION_BACKDATE;

	TRY(generation_sign_self(g, from, from + m->init->ca_validity, err));
	return generation_sign_ras(g, err);
}

static RESULT make_subordinate(struct making *m, struct err *err)
{
	struct store_generation *g = &m->first.record.generations[0];

	m->first.record.n_generations = 1;
	g->number = m->first.number;
	return generation_request(&m->first, &g->request, err);
}

/* ---- the record ---- */

static RESULT describe(struct making *m, struct buf *out, struct err *err)
{
	bool root = !m->init->subordinate;

	buf_put_str(out, root ? "CA certificate of " : "request for a CA certificate of ");
	TRY(name_put_text(out, buf_span(&m->subject), err));
	if (!root)
		return buf_check(out, err);
	buf_put_str(out, ", ");
	return generation_put_fingerprint(m->first.c, m->first.cert.der, out, err);
}

static RESULT commit(struct making *m, struct err *err)
{
	struct store_ca *record = &m->first.record;
	struct store_event event = { .time = m->first.now,
				     .kind = m->init->subordinate ? "ca.requested" : "ca.created",
				     .ca = m->init->name,
				     .serial = m->first.cert.serial,
				     .actor = m->init->actor };
	BUF reason = BUF_INIT;

	TRY(describe(m, &reason, err));
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	record->created = m->first.now;
	(void)snprintf(record->name, sizeof(record->name), "%s", m->init->name);
	return store_add_ca(m->store, record, &event, err);
}

enum result authority_create(struct store *store, struct keeper_client *keeper, struct crypto *c,
			     const struct clock *clock, const struct authority_init *init,
			     struct err *err)
{
	CLEANUP(making_clear)
	struct making m = { .init = init,
			    .store = store,
			    .first = { .keeper = keeper,
				       .c = c,
				       .now = clock_now(clock),
				       .name = init->name,
				       .number = 1,
				       .ca_key = init->ca_key,
				       .ca_store = init->ca_store,
				       .has_ra = init->has_ra,
				       .ra_split = init->ra_split,
				       .ra_key = init->ra_key,
				       .ra_store = init->ra_store,
				       .ra_validity = init->ra_validity } };

	TRY(check(&m, err));
	m.first.subject = buf_span(&m.subject);
	TRY(make_key(&m, err));
	TRY(generation_make_ra_keys(&m.first, err));
	TRY(init->subordinate ? make_subordinate(&m, err) : make_root(&m, err));
	return commit(&m, err);
}
