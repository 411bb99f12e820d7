/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/generation.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/random.h"
#include "ca/issue.h"
#include "der/oid.h"
#include "pki/csr.h"
#include "pki/lint.h"

void generation_clear(struct generation *g)
{
	store_ca_clear(&g->record);
	key_free(g->key);
	g->key = NULL;
}

/* ---- keys ---- */

/* Random part: a key that an attempt without a record left behind must not stop the next one. */
static RESULT name_key(const struct generation *g, const char *role, struct store_ca_key *record,
		       struct err *err)
{
	uint8_t r[4];

	TRY(random_fill(r, sizeof(r), err));
	record->generation = g->number;
	(void)snprintf(record->key_id, sizeof(record->key_id), "%.32s-%s-%u-%02x%02x%02x%02x",
		       g->name, role, g->number, r[0], r[1], r[2], r[3]);
	return OK;
}

enum result generation_make_key(struct generation *g, const struct key_rule *rule,
				const char *before, struct err *err)
{
	struct store_ca_key *record = &g->record.keys[g->record.n_keys++];

	record->role = STORE_KEY_CA;
	TRY(name_key(g, "ca", record, err));
	TRY(before
		? keeper_succeed(g->keeper, record->key_id, g->ca_key, before, err)
		: keeper_generate_in(g->keeper, record->key_id, g->ca_store, g->ca_key, rule, err));
	return keeper_key_open(&g->key, g->keeper, record->key_id, err);
}

/* What each role of a registration authority is called, and is for. */
struct ra_role {
	enum store_key_role role;
	const char *key_name;
	const char *name_suffix;
	bool signs;
	bool decrypts;
};

static const struct ra_role ra_roles[] = {
	{ STORE_KEY_RA, "ra", "RA", true, true },
	{ STORE_KEY_RA_SIGN, "ra-sign", "RA signing", true, false },
	{ STORE_KEY_RA_ENCRYPT, "ra-encrypt", "RA encryption", false, true },
};

static const struct ra_role *ra_role_of(enum store_key_role role)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(ra_roles); i++)
		if (ra_roles[i].role == role)
			return &ra_roles[i];
	return NULL;
}

static RESULT make_ra_key(struct generation *g, const struct ra_role *role, struct err *err)
{
	struct store_ca_key *record = &g->record.keys[g->record.n_keys++];
	const struct key_rule rule = { .content = role->signs, .decrypt = role->decrypts };

	record->role = role->role;
	TRY(name_key(g, role->key_name, record, err));
	if (g->ra_before)
		return keeper_generate_beside(g->keeper, record->key_id, g->ra_before, g->ra_key,
					      &rule, err);
	return keeper_generate_in(g->keeper, record->key_id, g->ra_store, g->ra_key, &rule, err);
}

enum result generation_make_ra_keys(struct generation *g, struct err *err)
{
	size_t i;

	for (i = 0; g->has_ra && i < ARRAY_LEN(ra_roles); i++)
		if (g->ra_split == (ra_roles[i].role != STORE_KEY_RA))
			TRY(make_ra_key(g, &ra_roles[i], err));
	return OK;
}

/* ---- certificates ---- */

struct cert_plan {
	struct span subject;
	struct span spki;
	int64_t not_before;
	int64_t not_after;
	uint32_t key_usage;
	bool ca;
	struct span aki; /* empty: none */
};

static RESULT put_exts(struct crypto *c, const struct cert_plan *plan, struct buf *out,
		       struct err *err)
{
	uint8_t id[20];

	ext_put_basic_constraints(out, plan->ca, plan->ca ? 0 : -1);
	ext_put_key_usage(out, plan->key_usage);
	TRY(cert_key_id(c, plan->spki, id, err));
	ext_put_ski(out, SPAN_ARRAY(id));
	if (plan->aki.len)
		ext_put_aki(out, plan->aki);
	return buf_check(out, err);
}

static RESULT certify(const struct generation_signer *by, struct span issuer,
		      const struct cert_plan *plan, struct buf *out, struct err *err)
{
	uint8_t serial[ISSUE_SERIAL];
	BUF exts = BUF_INIT;
	struct cert_template t = { .serial = SPAN_ARRAY(serial),
				   .sig_alg = sig_alg_for(by->key->kind),
				   .issuer = issuer,
				   .not_before = plan->not_before,
				   .not_after = plan->not_after,
				   .subject = plan->subject,
				   .spki = plan->spki };

	TRY(issue_serial(serial, err));
	TRY(put_exts(by->c, plan, &exts, err));
	t.exts = buf_span(&exts);
	return issue_certificate(&t, by->key, by->c, out, err);
}

/* Certificates from elsewhere may lack the extension: then method 1 of RFC 5280 4.2.1.2. */
static RESULT key_id_of(struct crypto *c, const struct cert *cert, uint8_t id[20], struct span *out,
			struct err *err)
{
	*out = cert_ski(cert);
	if (out->len)
		return OK;
	TRY(cert_key_id(c, cert->spki, id, err));
	*out = span_of(id, 20);
	return OK;
}

/* digitalSignature: it signs who is next (RFC 8894 4.7.1), and where it has no RA all replies. */
static uint32_t ca_key_usage(const struct generation *g)
{
	return KU_KEY_CERT_SIGN | KU_CRL_SIGN | KU_DIGITAL_SIGNATURE |
	       (g->has_ra ? 0u : KU_KEY_ENCIPHERMENT);
}

enum result generation_sign_self(struct generation *g, int64_t not_before, int64_t not_after,
				 struct err *err)
{
	const struct generation_signer by = { g->key, g->c, NULL };
	struct store_ca_key *record = &g->record.keys[0];
	struct cert_plan plan = { .subject = g->subject,
				  .spki = key_spki(g->key),
				  .not_before = not_before,
				  .not_after = not_after,
				  .key_usage = ca_key_usage(g),
				  .ca = true };

	TRY(certify(&by, g->subject, &plan, &record->cert, err));
	return cert_parse(buf_span(&record->cert), &g->cert, err);
}

/* What it asks for is what it would say of itself. */
enum result generation_request(struct generation *g, struct buf *out, struct err *err)
{
	struct cert_plan plan = { .spki = key_spki(g->key),
				  .key_usage = ca_key_usage(g),
				  .ca = true };
	struct csr_template t = { .subject = g->subject };
	BUF exts = BUF_INIT;

	TRY(put_exts(g->c, &plan, &exts, err));
	t.exts = buf_span(&exts);
	return csr_build(&t, g->key, g->c, out, err);
}

/* ---- registration authority ---- */

static RESULT ra_subject(const struct generation *g, const char *suffix, struct buf *out,
			 struct err *err)
{
	char cn[65];

	(void)snprintf(cn, sizeof(cn), "%.32s %s", g->name, suffix);
	return issue_subject(g->subject, cn, out, err);
}

static RESULT sign_ra(struct generation *g, const struct ra_role *role, struct store_ca_key *record,
		      struct err *err)
{
	const struct generation_signer by = { g->key, g->c, NULL };
	struct cert_plan plan = { .not_before = g->now - GENERATION_BACKDATE };
	CLEANUP(key_freep) struct key *key = NULL;
	BUF subject = BUF_INIT;
	uint8_t id[20];

	TRY(key_id_of(g->c, &g->cert, id, &plan.aki, err));
	TRY(keeper_key_open(&key, g->keeper, record->key_id, err));
	TRY(ra_subject(g, role->name_suffix, &subject, err));
	if (plan.not_before < g->cert.not_before)
		plan.not_before = g->cert.not_before;
	plan.not_after = plan.not_before + g->ra_validity;
	if (plan.not_after > g->cert.not_after)
		plan.not_after = g->cert.not_after;
	plan.subject = buf_span(&subject);
	plan.spki = key_spki(key);
	plan.key_usage =
	    (role->signs ? KU_DIGITAL_SIGNATURE : 0u) | (role->decrypts ? KU_KEY_ENCIPHERMENT : 0u);
	buf_reset(&record->cert);
	TRY(certify(&by, g->cert.subject, &plan, &record->cert, err));
	return lint_ra(buf_span(&record->cert), role->signs, role->decrypts, err);
}

enum result generation_sign_ras(struct generation *g, struct err *err)
{
	size_t i;

	for (i = 0; i < g->record.n_keys; i++) {
		const struct ra_role *role = ra_role_of(g->record.keys[i].role);

		if (role)
			TRY(sign_ra(g, role, &g->record.keys[i], err));
	}
	return OK;
}

enum result generation_renew_ra(struct generation *g, struct store_ca_key *record, struct err *err)
{
	const struct ra_role *role = ra_role_of(record->role);

	if (!role)
		return err_set(err, ERR_INTERNAL, "key %s is no registration authority's",
			       record->key_id);
	return sign_ra(g, role, record, err);
}

/* ---- cross certificates ---- */

enum result generation_cross(const struct generation_signer *by, const struct cert *of,
			     int64_t not_before, struct buf *out, struct err *err)
{
	struct cert_plan plan = { .subject = of->subject,
				  .spki = of->spki,
				  .not_before = not_before,
				  .not_after = of->not_after,
				  .ca = true };
	struct ext usage;
	uint8_t id[20];

	TRY(key_id_of(by->c, by->cert, id, &plan.aki, err));
	if (plan.not_after > by->cert->not_after)
		plan.not_after = by->cert->not_after;
	TRY(ext_find(of->exts, OID_KEY_USAGE, &usage, err));
	TRY(ext_read_key_usage(usage.value, &plan.key_usage, err));
	return certify(by, by->cert->subject, &plan, out, err);
}

enum result generation_put_fingerprint(struct crypto *c, struct span der, struct buf *out,
				       struct err *err)
{
	uint8_t digest[DIGEST_MAX];

	TRY(cert_fingerprint(c, der, DIGEST_SHA256, digest, err));
	buf_put_str(out, "SHA-256 ");
	hex_put(out, span_of(digest, digest_size(DIGEST_SHA256)));
	return buf_check(out, err);
}
