/* SPDX-License-Identifier: Apache-2.0 */
/* The generations of a CA's key at the keeper: they may certify each other, and nobody else. */
#include "ca_fixture.h"

#include "pki/csr.h"
#include "pki/name.h"

#define LASTS (3660LL * DAY)

static struct key *keys[4]; /* k1, its successors k2 and k3, and x, which only bears the name */
enum { K1, K2, K3, X };

static struct key_rule rule_of(const struct buf *issuer)
{
	return (struct key_rule){ .certificates = true,
				  .crls = true,
				  .csr = true,
				  .issuer = *issuer,
				  .max_validity = 400 * DAY,
				  .max_own_validity = LASTS };
}

static int make_keys(void **state)
{
	static const struct {
		const char *id, *before;
	} rows[] = { { "k1", NULL }, { "k2", "k1" }, { "k3", "k2" }, { "x", NULL } };
	const struct key_spec spec = { KEY_EC_P256, 256 };
	struct ca_fixture *f;
	BUF issuer = BUF_INIT;
	struct key_rule rule;
	size_t i;

	assert_int_equal(ca_fixture_set_up(state), 0);
	f = *state;
	assert_int_equal(name_parse_text("CN=Kin", &issuer, NULL), OK);
	rule = rule_of(&issuer);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
		    rows[i].before
			? keeper_succeed(f->keeper, rows[i].id, spec, rows[i].before, NULL)
			: keeper_generate(f->keeper, rows[i].id, spec, &rule, NULL),
		    OK);
		assert_int_equal(keeper_key_open(&keys[i], f->keeper, rows[i].id, NULL), OK);
	}
	return 0;
}

static int drop_keys(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++)
		key_free(keys[i]);
	return ca_fixture_tear_down(state);
}

static enum result certify(struct ca_fixture *f, size_t by, struct span spki, const char *subject,
			   int64_t lasts, bool ca)
{
	BUF issuer = BUF_INIT, name = BUF_INIT, exts = BUF_INIT, cert = BUF_INIT;
	struct cert_template t = { .serial = SPAN_LIT("\x42"),
				   .sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
				   .not_before = NOW,
				   .not_after = NOW + lasts,
				   .spki = spki };

	assert_int_equal(name_parse_text("CN=Kin", &issuer, NULL), OK);
	assert_int_equal(name_parse_text(subject, &name, NULL), OK);
	ext_put_basic_constraints(&exts, ca, -1);
	t.issuer = buf_span(&issuer);
	t.subject = buf_span(&name);
	t.exts = buf_span(&exts);
	return cert_issue(&t, keys[by], f->c, &cert, NULL);
}

static void generations_certify_each_other(void **state)
{
	static const struct {
		const char *why;
		size_t by, of;
		const char *subject;
		int64_t lasts;
		bool ca;
		enum result want;
	} rows[] = {
		{ "new with old", K1, K2, "CN=Kin", LASTS, true, OK },
		{ "old with new", K2, K1, "CN=Kin", LASTS, true, OK },
		{ "first with third", K3, K1, "CN=Kin", LASTS, true, OK },
		{ "third with first", K1, K3, "CN=Kin", LASTS, true, OK },
		{ "own", K3, K3, "CN=Kin", LASTS, true, OK },
		{ "a stranger of that name", K1, X, "CN=Kin", DAY, true, ERR_DENIED },
		{ "by a stranger of that name", X, K1, "CN=Kin", DAY, true, ERR_DENIED },
		{ "another name", K1, K2, "CN=Other", DAY, true, ERR_DENIED },
		{ "too long", K1, K2, "CN=Kin", LASTS + 1, true, ERR_DENIED },
	};
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (certify(f, rows[i].by, key_spki(keys[rows[i].of]), rows[i].subject,
			    rows[i].lasts, rows[i].ca) != rows[i].want)
			fail_msg("%s", rows[i].why);
	/* a key that is not here at all */
	assert_int_equal(certify(f, K1, f->demo->ca.cert.spki, "CN=Kin", DAY, true), ERR_DENIED);
}

static void only_a_ca_key_has_a_successor(void **state)
{
	const struct key_spec spec = { KEY_EC_P256, 256 };
	struct key_rule responder = { .ocsp = true }, claim = { .ocsp = true };
	struct ca_fixture *f = *state;

	assert_int_equal(keeper_generate(f->keeper, "r", spec, &responder, NULL), OK);
	assert_int_equal(keeper_succeed(f->keeper, "r2", spec, "r", NULL), ERR_DENIED);
	assert_int_equal(keeper_succeed(f->keeper, "n2", spec, "n", NULL), ERR_NOT_FOUND);
	assert_int_equal(keeper_succeed(f->keeper, "k2", spec, "k1", NULL), ERR_CONFLICT);
	assert_int_equal(keeper_succeed(f->keeper, "../k", spec, "k1", NULL), ERR_BAD_REQUEST);
	/* nobody is born into a family by saying so */
	buf_put_str(&claim.family, "k1");
	assert_int_equal(keeper_generate(f->keeper, "claim", spec, &claim, NULL), ERR_DENIED);
	buf_clear(&claim.family);
}

/* A CA's key asks for a certificate in the CA's name only. */
static void requests_bear_the_name(void **state)
{
	struct ca_fixture *f = *state;
	BUF name = BUF_INIT, csr = BUF_INIT;
	struct csr_template t = { 0 };

	assert_int_equal(name_parse_text("CN=Kin", &name, NULL), OK);
	t.subject = buf_span(&name);
	assert_int_equal(csr_build(&t, keys[K2], f->c, &csr, NULL), OK);
	buf_reset(&name);
	assert_int_equal(name_parse_text("CN=Other", &name, NULL), OK);
	t.subject = buf_span(&name);
	assert_int_equal(csr_build(&t, keys[K2], f->c, &csr, NULL), ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generations_certify_each_other),
		cmocka_unit_test(only_a_ca_key_has_a_successor),
		cmocka_unit_test(requests_bear_the_name),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
