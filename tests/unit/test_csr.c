/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/csr.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/san.h"

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, true, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static enum result parse(struct span der)
{
	struct csr csr;

	return csr_parse(der, &csr, NULL);
}

static void assert_challenge(const struct csr *csr, const char *want)
{
	SECRET got = SECRET_INIT;

	assert_int_equal(csr_challenge(csr, &got, NULL), want ? OK : ERR_NOT_FOUND);
	assert_span_equal(secret_span(&got), span_str(want));
}

static void read_what_another_made(void **state)
{
	static const struct {
		const char *file;
		struct sig_alg alg;
	} rows[] = {
		{ "csr_rsa.der", { KEY_RSA, DIGEST_SHA256 } },
		{ "csr_rsa_sha1.der", { KEY_RSA, DIGEST_SHA1 } },
		{ "csr_p256.der", { KEY_EC_P256, DIGEST_SHA256 } },
		{ "csr_ed25519.der", { KEY_ED25519, DIGEST_NONE } },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		BUF name = BUF_INIT;
		struct ext san;
		struct csr csr;

		assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
		assert_int_equal(csr.sig_alg.kind, rows[i].alg.kind);
		assert_int_equal(csr.sig_alg.digest, rows[i].alg.digest);
		assert_int_equal(name_put_text(&name, csr.subject, NULL), OK);
		assert_string_equal(buf_cstr(&name), "CN=router7,O=Example,C=DE");
		assert_challenge(&csr, "s\xc3\xa9same-123");
		assert_int_equal(ext_find(csr.exts, OID_SUBJECT_ALT_NAME, &san, NULL), OK);
		assert_int_equal(san_check(san.value, NULL), OK);
		assert_int_equal(csr_verify(&csr, *state, NULL), OK);
	}
}

static void nothing_asked_for(void **state)
{
	BUF der = unit_vector("csr_empty.der");
	struct csr csr;

	assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
	assert_true(name_is_empty(csr.subject));
	assert_int_equal(csr.exts.len, 0);
	assert_challenge(&csr, NULL);
	assert_int_equal(csr_verify(&csr, *state, NULL), OK);
}

/* What devices send, and what nobody should (interop points 13 and 14). */
static void odd_ones(void **state)
{
	static const struct {
		const char *file;
		enum result want;
		const char *challenge;
		bool exts;
	} rows[] = {
		{ "csr_odd_no_attrs.der", OK, NULL, false },
		{ "csr_odd_version.der", OK, NULL, false },
		{ "csr_odd_ms.der", OK, "p\xc3\xa4ss", true },
		{ "csr_odd_scep_exts.der", OK, "abc", true },
		{ "csr_odd_t61.der", OK, "p\xc3\xa4ss", false },
		{ "csr_odd_both_same.der", OK, NULL, true },
		{ "csr_odd_both_differ.der", ERR_SYNTAX, NULL, false },
		{ "csr_odd_two_challenges.der", ERR_SYNTAX, NULL, false },
		{ "csr_odd_two_values.der", ERR_SYNTAX, NULL, false },
		{ "csr_odd_twice.der", ERR_SYNTAX, NULL, false },
		{ "csr_odd_no_value.der", ERR_SYNTAX, NULL, false },
		{ "csr_odd_too_long.der", ERR_LIMIT, NULL, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		struct csr csr;

		assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), rows[i].want);
		if (rows[i].want != OK)
			continue;
		assert_challenge(&csr, rows[i].challenge);
		assert_int_equal(csr.exts.len != 0, rows[i].exts);
		assert_int_equal(csr_verify(&csr, *state, NULL), OK);
	}
}

static void long_challenge(void **state)
{
	BUF der = unit_vector("csr_odd_long.der");
	SECRET got = SECRET_INIT;
	struct csr csr;

	(void)state;
	assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
	assert_int_equal(csr_challenge(&csr, &got, NULL), OK);
	assert_int_equal(secret_span(&got).len, 5000);
}

/* unread: the key, values of attributes that are not read, parameters of the algorithm */
static void hostile(void **state)
{
	static const struct {
		const char *file;
		int unread;
	} rows[] = {
		{ "csr_p256.der", 3 },
		{ "csr_odd_ms.der", 5 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);

		unit_refuses_cuts(buf_span(&der), parse);
		unit_survives_flips(buf_span(&der), parse);
		assert_int_equal(unit_bears_intruders(buf_span(&der), parse), rows[i].unread);
	}
}

static void proof_of_possession(void **state)
{
	BUF der = unit_vector("csr_rsa.der");
	BUF other_der = unit_vector("csr_p256.der");
	CLEANUP(pubkey_freep) struct pubkey *key = NULL, *other = NULL;
	struct csr csr, other_csr, mixed;

	assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
	assert_int_equal(csr_parse(buf_span(&other_der), &other_csr, NULL), OK);
	assert_int_equal(pubkey_new(&key, *state, csr.spki, NULL), OK);
	assert_int_equal(pubkey_new(&other, *state, other_csr.spki, NULL), OK);
	assert_int_equal(csr_verify_with(&csr, *state, key, NULL), OK);
	assert_int_equal(csr_verify_with(&csr, *state, other, NULL), ERR_BAD_POP);
	/* a stranger's request under this one's signature */
	mixed = csr;
	mixed.info = other_csr.info;
	assert_int_equal(csr_verify_with(&mixed, *state, key, NULL), ERR_BAD_POP);
	der.data[der.len - 1] ^= 1;
	assert_int_equal(csr_verify(&csr, *state, NULL), ERR_BAD_POP);
}

static void unknown_algorithm_is_named(void **state)
{
	BUF der = unit_vector("csr_rsa.der");
	struct err err = { 0 };
	struct csr csr;

	assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
	/* sha256WithRSAEncryption becomes sha224WithRSAEncryption */
	der.data[(size_t)(csr.sig_id.p - der.data) + 12] = 0x0e;
	assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
	assert_int_equal(csr.sig_alg.kind, KEY_NONE);
	assert_int_equal(csr_verify(&csr, *state, &err), ERR_BAD_ALG);
	assert_non_null(strstr(err_text(&err), "sha224WithRSAEncryption"));
}

static void built_and_read_back(void **state)
{
	static const char *const specs[] = { "rsa2048", "p256", "p384", "p521", "ed25519" };
	static const char *const challenges[] = { "", "plain", "p\xc3\xa4ss", "under_score", "x" };
	static const uint8_t tags[] = { 0, DER_PRINTABLE_STRING, DER_UTF8_STRING, DER_UTF8_STRING,
					DER_PRINTABLE_STRING };
	size_t i;

	for (i = 0; i < ARRAY_LEN(specs); i++) {
		CLEANUP(key_freep) struct key *key = NULL;
		BUF subject = BUF_INIT;
		BUF exts = BUF_INIT;
		BUF der = BUF_INIT;
		struct key_spec spec;
		struct csr csr;

		assert_int_equal(key_spec_parse(specs[i], &spec, NULL), OK);
		assert_int_equal(key_evp_generate(&key, *state, spec, NULL), OK);
		assert_int_equal(name_parse_text("CN=router7", &subject, NULL), OK);
		ext_put_key_usage(&exts, KU_DIGITAL_SIGNATURE);
		assert_int_equal(
		    csr_build(&(struct csr_template){ buf_span(&subject), buf_span(&exts),
						      span_str(challenges[i]) },
			      key, *state, &der, NULL),
		    OK);
		assert_int_equal(csr_parse(buf_span(&der), &csr, NULL), OK);
		assert_int_equal(csr_verify(&csr, *state, NULL), OK);
		assert_span_equal(csr.subject, buf_span(&subject));
		assert_span_equal(csr.exts, buf_span(&exts));
		assert_span_equal(csr.challenge, span_str(challenges[i]));
		assert_int_equal(csr.challenge_tag, tags[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_what_another_made),
		cmocka_unit_test(nothing_asked_for),
		cmocka_unit_test(odd_ones),
		cmocka_unit_test(long_challenge),
		cmocka_unit_test(hostile),
		cmocka_unit_test(proof_of_possession),
		cmocka_unit_test(unknown_algorithm_is_named),
		cmocka_unit_test(built_and_read_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
