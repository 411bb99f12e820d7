/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/authority.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/random.h"
#include "ca/issue.h"
#include "pki/lint.h"
#include "pki/name.h"

#define BACKDATE 600    /* seconds: devices with a slow clock must take the CA certificate too */
#define NAME_LEN_MAX 32 /* of a CA: its key identifiers add to it */

/* A CA in the making. */
struct making {
	const struct authority_init *init;
	struct store *store;
	struct keeper_client *keeper;
	struct crypto *c;
	int64_t now;
	struct buf subject; /* Name DER */
	struct store_ca record;
	struct key *ca_key;
	struct cert ca_cert; /* a view of record.keys[0].cert */
};

static void making_clear(struct making *m)
{
	buf_clear(&m->subject);
	store_ca_clear(&m->record);
	key_free(m->ca_key);
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

/* ---- keys ---- */

/* Random part: a key that an attempt without a record left behind must not stop the next one. */
static RESULT name_key(const struct making *m, const char *role, struct store_ca_key *record,
		       struct err *err)
{
	uint8_t r[4];

	TRY(random_fill(r, sizeof(r), err));
	record->generation = 1;
	(void)snprintf(record->key_id, sizeof(record->key_id), "%s-%s-1-%02x%02x%02x%02x",
		       m->init->name, role, r[0], r[1], r[2], r[3]);
	return OK;
}

static RESULT new_key(const struct making *m, struct key_spec spec, const struct key_rule *rule,
		      const char *id, struct key **key, struct err *err)
{
	TRY(keeper_generate(m->keeper, id, spec, rule, err));
	return keeper_key_open(key, m->keeper, id, err);
}

static RESULT new_ca_key(struct making *m, struct store_ca_key *record, struct err *err)
{
	const struct authority_init *init = m->init;
	CLEANUP(key_rule_clear)
	struct key_rule rule = { .certificates = true,
				 .crls = true,
				 .max_validity = init->max_leaf_validity,
				 .max_own_validity = init->ca_validity,
				 .content = !init->has_ra,
				 .decrypt = !init->has_ra };

	if (init->has_ra && init->ra_validity > rule.max_validity)
		rule.max_validity = init->ra_validity;
	buf_put(&rule.issuer, buf_span(&m->subject));
	TRY(buf_check(&rule.issuer, err));
	TRY(name_key(m, "ca", record, err));
	return new_key(m, init->ca_key, &rule, record->key_id, &m->ca_key, err);
}

/* ---- certificates ---- */

struct cert_plan {
	struct span subject;
	struct span spki;
	int64_t validity;
	uint32_t key_usage;
	bool ca;
};

static RESULT put_exts(struct making *m, const struct cert_plan *plan, struct buf *out,
		       struct err *err)
{
	uint8_t id[20];

	ext_put_basic_constraints(out, plan->ca, plan->ca ? 0 : -1);
	ext_put_key_usage(out, plan->key_usage);
	TRY(cert_key_id(m->c, plan->spki, id, err));
	ext_put_ski(out, SPAN_ARRAY(id));
	if (!plan->ca)
		ext_put_aki(out, cert_ski(&m->ca_cert));
	return buf_check(out, err);
}

static RESULT make_cert(struct making *m, const struct cert_plan *plan, struct buf *out,
			struct err *err)
{
	uint8_t serial[ISSUE_SERIAL];
	BUF exts = BUF_INIT;
	struct cert_template t = { .serial = SPAN_ARRAY(serial),
				   .sig_alg = sig_alg_for(m->ca_key->kind),
				   .issuer = buf_span(&m->subject),
				   .not_before = m->now - BACKDATE,
				   .not_after = m->now - BACKDATE + plan->validity,
				   .subject = plan->subject,
				   .spki = plan->spki };

	if (!plan->ca && t.not_after > m->ca_cert.not_after)
		t.not_after = m->ca_cert.not_after;
	TRY(issue_serial(serial, err));
	TRY(put_exts(m, plan, &exts, err));
	t.exts = buf_span(&exts);
	return issue_certificate(&t, m->ca_key, m->c, out, err);
}

static RESULT make_ca(struct making *m, struct err *err)
{
	struct store_ca_key *record = &m->record.keys[0];
	struct cert_plan plan = { .subject = buf_span(&m->subject),
				  .validity = m->init->ca_validity,
				  .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
				  .ca = true };

	m->record.n_keys = 1;
	record->role = STORE_KEY_CA;
	TRY(new_ca_key(m, record, err));
	if (!m->init->has_ra)
		plan.key_usage |= KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	plan.spki = key_spki(m->ca_key);
	TRY(make_cert(m, &plan, &record->cert, err));
	return cert_parse(buf_span(&record->cert), &m->ca_cert, err);
}

/* ---- registration authority ---- */

struct ra_role {
	enum store_key_role role;
	const char *key_name;
	const char *name_suffix;
	bool signs;
	bool decrypts;
};

static const struct ra_role ra_both = { STORE_KEY_RA, "ra", "RA", true, true };
static const struct ra_role ra_split[] = {
	{ STORE_KEY_RA_SIGN, "ra-sign", "RA signing", true, false },
	{ STORE_KEY_RA_ENCRYPT, "ra-encrypt", "RA encryption", false, true },
};

static RESULT ra_subject(const struct making *m, const char *suffix, struct buf *out,
			 struct err *err)
{
	char cn[65];

	(void)snprintf(cn, sizeof(cn), "%s %s", m->init->name, suffix);
	return issue_subject(buf_span(&m->subject), cn, out, err);
}

static RESULT make_ra(struct making *m, const struct ra_role *role, struct err *err)
{
	struct store_ca_key *record = &m->record.keys[m->record.n_keys++];
	struct key_rule rule = { .content = role->signs, .decrypt = role->decrypts };
	struct cert_plan plan = { .validity = m->init->ra_validity };
	CLEANUP(key_freep) struct key *key = NULL;
	BUF subject = BUF_INIT;

	record->role = role->role;
	TRY(name_key(m, role->key_name, record, err));
	TRY(new_key(m, m->init->ra_key, &rule, record->key_id, &key, err));
	TRY(ra_subject(m, role->name_suffix, &subject, err));
	plan.subject = buf_span(&subject);
	plan.spki = key_spki(key);
	plan.key_usage =
	    (role->signs ? KU_DIGITAL_SIGNATURE : 0u) | (role->decrypts ? KU_KEY_ENCIPHERMENT : 0u);
	TRY(make_cert(m, &plan, &record->cert, err));
	return lint_ra(buf_span(&record->cert), role->signs, role->decrypts, err);
}

static RESULT make_ras(struct making *m, struct err *err)
{
	size_t i;

	if (!m->init->has_ra)
		return OK;
	if (!m->init->ra_split)
		return make_ra(m, &ra_both, err);
	for (i = 0; i < ARRAY_LEN(ra_split); i++)
		TRY(make_ra(m, &ra_split[i], err));
	return OK;
}

/* ---- the record ---- */

static RESULT commit(struct making *m, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	struct store_event event = { .time = m->now,
				     .kind = "ca.created",
				     .ca = m->init->name,
				     .serial = m->ca_cert.serial,
				     .actor = m->init->actor };
	BUF reason = BUF_INIT;

	TRY(cert_fingerprint(m->c, m->ca_cert.der, DIGEST_SHA256, digest, err));
	buf_put_str(&reason, "CA certificate of ");
	TRY(name_put_text(&reason, buf_span(&m->subject), err));
	buf_put_str(&reason, ", SHA-256 ");
	hex_put(&reason, span_of(digest, digest_size(DIGEST_SHA256)));
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	m->record.created = m->now;
	(void)snprintf(m->record.name, sizeof(m->record.name), "%s", m->init->name);
	return store_add_ca(m->store, &m->record, &event, err);
}

enum result authority_create(struct store *store, struct keeper_client *keeper, struct crypto *c,
			     const struct clock *clock, const struct authority_init *init,
			     struct err *err)
{
	CLEANUP(making_clear)
	struct making m = {
		.init = init, .store = store, .keeper = keeper, .c = c, .now = clock_now(clock)
	};

	TRY(check(&m, err));
	TRY(make_ca(&m, err));
	TRY(make_ras(&m, err));
	return commit(&m, err);
}
