/* SPDX-License-Identifier: Apache-2.0 */
/* The generations of a CA's key at the keeper: they may certify each other, and nobody else. */
#include "ca_fixture.h"

#include "pki/cms_signed.h"
#include "pki/csr.h"
#include "pki/name.h"

#define LASTS (3660LL * DAY)
#define KEPT (2000LL * DAY)
#define OTHERS (400LL * DAY)

/* k1, its successors k2 and k3, x, which only bears the name, and one that is no CA's. */
static struct key *keys[5];
enum { K1, K2, K3, X, RA };

static struct key_rule rule_of(const struct buf *issuer)
{
	return (struct key_rule){ .certificates = true,
				  .crls = true,
				  .csr = true,
				  .issuer = *issuer,
				  .max_validity = OTHERS,
				  .max_own_validity = LASTS,
				  .max_kept_validity = KEPT };
}

static int make_keys(void **state)
{
	static const struct {
		const char *id, *before;
	} rows[] = { { "k1", NULL }, { "k2", "k1" }, { "k3", "k2" }, { "x", NULL } };
	const struct key_spec spec = { KEY_EC_P256, 256 };
	const struct key_rule ra = { .content = true, .decrypt = true };
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
	assert_int_equal(keeper_generate(f->keeper, "ra", spec, &ra, NULL), OK);
	assert_int_equal(keeper_key_open(&keys[RA], f->keeper, "ra", NULL), OK);
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

/* A registration authority's certificate lasts longer than a device's. */
static void what_is_kept_is_certified_for_longer(void **state)
{
	struct ca_fixture *f = *state;
	CLEANUP(key_freep) struct key *device = NULL;

	assert_int_equal(
	    key_evp_generate(&device, f->c, (struct key_spec){ KEY_EC_P256, 256 }, NULL), OK);
	assert_int_equal(certify(f, K1, key_spki(keys[RA]), "CN=ra", KEPT, false), OK);
	assert_int_equal(certify(f, K2, key_spki(keys[RA]), "CN=ra", KEPT, false), OK);
	assert_int_equal(certify(f, K1, key_spki(keys[RA]), "CN=ra", KEPT + 1, false), ERR_DENIED);
	assert_int_equal(certify(f, K1, key_spki(keys[RA]), "CN=ra", KEPT, true), ERR_DENIED);
	assert_int_equal(certify(f, K1, key_spki(device), "CN=d", OTHERS, false), OK);
	assert_int_equal(certify(f, K1, key_spki(device), "CN=d", OTHERS + 1, false), ERR_DENIED);
	assert_int_equal(certify(f, K1, key_spki(keys[K2]), "CN=d", OTHERS + 1, false), ERR_DENIED);
	assert_int_equal(certify(f, K1, key_spki(keys[X]), "CN=d", OTHERS + 1, false), ERR_DENIED);
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

/* ---- who is next ---- */

struct set {
	struct buf certs[4];
	size_t n;
	size_t n_crls;
};

/* One more certificate into the set: of the key `of`, by the key `by`. */
static void put(struct ca_fixture *f, struct set *s, size_t by, size_t of, const char *subject,
		bool ca)
{
	BUF issuer = BUF_INIT, name = BUF_INIT, exts = BUF_INIT;
	struct cert_template t = { .serial = SPAN_LIT("\x42"),
				   .sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
				   .not_before = NOW,
				   .not_after = NOW + DAY,
				   .spki = key_spki(keys[of]) };

	assert_int_equal(name_parse_text("CN=Kin", &issuer, NULL), OK);
	assert_int_equal(name_parse_text(subject, &name, NULL), OK);
	ext_put_basic_constraints(&exts, ca, -1);
	t.issuer = buf_span(&issuer);
	t.subject = buf_span(&name);
	t.exts = buf_span(&exts);
	assert_int_equal(cert_issue(&t, keys[by], f->c, &s->certs[s->n++], NULL), OK);
}

static enum result sign_next(struct ca_fixture *f, size_t by, struct span message, struct buf *sig)
{
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };

	return key_sign(keys[by], f->c, KEY_FOR_NEXT_CA, alg, message, sig, NULL);
}

static enum result sign_set(struct ca_fixture *f, size_t by, struct set *s, struct buf *message,
			    struct buf *sig)
{
	struct span certs[ARRAY_LEN(s->certs)], crl = SPAN_LIT("\x30\x00");
	enum result r;
	size_t i;

	for (i = 0; i < s->n; i++)
		certs[i] = buf_span(&s->certs[i]);
	assert_int_equal(cms_put_degenerate(message, certs, s->n, &crl, s->n_crls, NULL), OK);
	r = sign_next(f, by, buf_span(message), sig);
	for (i = 0; i < s->n; i++)
		buf_clear(&s->certs[i]);
	*s = (struct set){ 0 };
	return r;
}

/* A certificate of X, or of K1 as a CA, by ra_by; then one of `ca` in the CA's name. */
static void who_is_next_is_of_the_family(void **state)
{
	static const struct {
		const char *why;
		size_t by, ca, ra_by;
		bool is_ca, ra_is_ca;
		enum result want;
	} rows[] = {
		{ "next", K1, K2, K2, true, false, OK },
		{ "the one after", K1, K3, K3, true, false, OK },
		{ "itself", K1, K1, K1, true, false, ERR_DENIED },
		{ "a stranger", K1, X, X, true, false, ERR_DENIED },
		{ "by a stranger", X, K2, K2, true, false, ERR_DENIED },
		{ "no CA", K1, K2, K2, false, false, ERR_DENIED },
		{ "an RA of the one before", K1, K2, K1, true, false, ERR_DENIED },
		{ "a stranger's RA", K1, K2, X, true, false, ERR_DENIED },
		{ "a CA as RA", K1, K2, K2, true, true, ERR_DENIED },
	};
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF message = BUF_INIT, sig = BUF_INIT;
		struct set s = { 0 };

		if (rows[i].ra_is_ca)
			put(f, &s, rows[i].ra_by, K1, "CN=Kin", true);
		else
			put(f, &s, rows[i].ra_by, X, "CN=RA", false);
		put(f, &s, rows[i].ca, rows[i].ca, "CN=Kin", rows[i].is_ca);
		if (sign_set(f, rows[i].by, &s, &message, &sig) != rows[i].want)
			fail_msg("%s", rows[i].why);
		assert_int_equal(sig.len > 0, rows[i].want == OK);
	}
}

static void who_is_next_and_nothing_else(void **state)
{
	struct ca_fixture *f = *state;
	struct set s = { 0 };
	BUF message = BUF_INIT, sig = BUF_INIT, attrs = BUF_INIT, none = BUF_INIT;
	CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };

	/* the CA alone; signed are the attributes, not what was shown */
	put(f, &s, K2, K2, "CN=Kin", true);
	assert_int_equal(sign_set(f, K1, &s, &message, &sig), OK);
	assert_int_equal(cms_put_signed_attrs(buf_span(&message), alg, f->c, &attrs, NULL), OK);
	assert_int_equal(pubkey_new(&pub, f->c, key_spki(keys[K1]), NULL), OK);
	assert_int_equal(pubkey_verify(pub, f->c, alg, buf_span(&attrs), buf_span(&sig), NULL), OK);
	assert_int_not_equal(
	    pubkey_verify(pub, f->c, alg, buf_span(&message), buf_span(&sig), NULL), OK);
	/* what is cut off, has something behind it, or is the attributes themselves */
	buf_reset(&sig);
	assert_int_equal(sign_next(f, K1, span_sub(buf_span(&message), 0, message.len - 1), &sig),
			 ERR_SYNTAX);
	buf_put_byte(&message, 0);
	assert_int_not_equal(sign_next(f, K1, buf_span(&message), &sig), OK);
	assert_int_not_equal(sign_next(f, K1, buf_span(&attrs), &sig), OK);
	/* behind the CA: only who has issued its certificate */
	buf_reset(&message);
	put(f, &s, K2, K2, "CN=Kin", true);
	put(f, &s, K1, K1, "CN=Kin", true);
	assert_int_equal(sign_set(f, K1, &s, &message, &sig), ERR_DENIED);
	buf_reset(&message);
	put(f, &s, K2, K2, "CN=Kin", true);
	put(f, &s, K2, X, "CN=d", false);
	assert_int_equal(sign_set(f, K1, &s, &message, &sig), ERR_DENIED);
	/* a revocation list; nobody at all */
	buf_reset(&message);
	put(f, &s, K2, K2, "CN=Kin", true);
	s.n_crls = 1;
	assert_int_equal(sign_set(f, K1, &s, &message, &sig), ERR_DENIED);
	assert_int_equal(sign_set(f, K1, &s, &none, &sig), ERR_DENIED);
	assert_int_equal(sig.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generations_certify_each_other),
		cmocka_unit_test(what_is_kept_is_certified_for_longer),
		cmocka_unit_test(only_a_ca_key_has_a_successor),
		cmocka_unit_test(requests_bear_the_name),
		cmocka_unit_test(who_is_next_is_of_the_family),
		cmocka_unit_test(who_is_next_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
