/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pki/key_evp.h"

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, true, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static const char *const all_specs[] = { "rsa2048", "p256", "p384", "p521", "ed25519" };

static void every_kind_signs_and_verifies(void **state)
{
	struct crypto *c = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(all_specs); i++) {
		CLEANUP(key_freep) struct key *key = NULL;
		CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
		struct span message = SPAN_LIT("what is to be signed");
		struct key_spec spec;
		struct sig_alg alg;
		BUF sig = BUF_INIT;

		assert_int_equal(key_spec_parse(all_specs[i], &spec, NULL), OK);
		assert_int_equal(key_evp_generate(&key, c, spec, NULL), OK);
		assert_int_equal(key->bits, spec.bits);
		alg = sig_alg_for(key->kind);
		assert_int_equal(key_sign(key, c, KEY_FOR_CONTENT, alg, message, &sig, NULL), OK);
		assert_int_equal(pubkey_new(&pub, c, key_spki(key), NULL), OK);
		assert_int_equal(pubkey_verify(pub, c, alg, message, buf_span(&sig), NULL), OK);
		assert_int_equal(pubkey_verify2(pub, c, alg, span_sub(message, 0, 5),
						span_sub(message, 5, SIZE_MAX), buf_span(&sig),
						NULL),
				 OK);
		sig.data[sig.len / 2] ^= 1;
		assert_int_equal(pubkey_verify(pub, c, alg, message, buf_span(&sig), NULL),
				 ERR_BAD_CHECK);
	}
}

static void transport_round_trip(void **state)
{
	static const struct transport_alg algs[] = {
		{ false, DIGEST_NONE, DIGEST_NONE },
		{ true, DIGEST_SHA1, DIGEST_SHA1 },
		{ true, DIGEST_SHA256, DIGEST_SHA256 },
		{ true, DIGEST_SHA256, DIGEST_SHA1 },
	};
	CLEANUP(key_freep) struct key *key = NULL, *copy = NULL;
	CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
	struct span plain = SPAN_LIT("0123456789abcdef01234567");
	struct crypto *c = *state;
	size_t i;

	assert_int_equal(key_evp_generate(&key, c, (struct key_spec){ KEY_RSA, 2048 }, NULL), OK);
	assert_int_equal(key_evp_copy(&copy, c, key, NULL), OK);
	assert_int_equal(pubkey_new(&pub, c, key_spki(key), NULL), OK);
	for (i = 0; i < ARRAY_LEN(algs); i++) {
		SECRET got = SECRET_INIT;
		BUF cipher = BUF_INIT;

		assert_int_equal(pubkey_encrypt(pub, c, &algs[i], plain, &cipher, NULL), OK);
		assert_int_equal(key_decrypt(copy, c, &algs[i], buf_span(&cipher), &got, NULL), OK);
		assert_true(span_eq(secret_span(&got), plain));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_signs_and_verifies),
		cmocka_unit_test(transport_round_trip),
	};

	return cmocka_run_group_tests_name("pki_keys", tests, set_up, tear_down);
}
