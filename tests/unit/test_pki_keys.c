/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and what is made with them are by python3-cryptography: vectors/make_keys.py. */
#include "unit.h"

#include "pki/crypto_evp.h"
#include "pki/key_evp.h"
#include "pki/pem.h"
#include "pki/pkcs1.h"

static const struct span message = SPAN_LIT("what is to be signed");

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, false, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static void reads_every_form(void **state)
{
	static const struct {
		const char *file;
		const char *spki;
		bool sealed;
	} rows[] = {
		{ "keys.rsa.pem", "keys.rsa.spki", false },
		{ "keys.rsa.der", "keys.rsa.spki", false },
		{ "keys.rsa.old.pem", "keys.rsa.spki", false },
		{ "keys.rsa.old.der", "keys.rsa.spki", false },
		{ "keys.rsa.sealed.pem", "keys.rsa.spki", true },
		{ "keys.rsa.sealed.der", "keys.rsa.spki", true },
		{ "keys.rsa.old-sealed.pem", "keys.rsa.spki", true },
		{ "keys.p256.pem", "keys.p256.spki", false },
		{ "keys.p256.old.pem", "keys.p256.spki", false },
		{ "keys.p384.pem", "keys.p384.spki", false },
		{ "keys.p521.pem", "keys.p521.spki", false },
		{ "keys.ed25519.pem", "keys.ed25519.spki", false },
	};
	SECRET right = SECRET_INIT, wrong = SECRET_INIT;
	size_t i;

	assert_int_equal(secret_set(&right, SPAN_LIT("open sesame"), NULL), OK);
	assert_int_equal(secret_set(&wrong, SPAN_LIT("open barley"), NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF file = unit_vector(rows[i].file), spki = unit_vector(rows[i].spki);
		CLEANUP(key_freep) struct key *key = NULL, *none = NULL;

		assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), &right, NULL),
				 OK);
		assert_span_equal(key_spki(key), buf_span(&spki));
		if (!rows[i].sealed)
			continue;
		assert_int_equal(key_evp_from_bytes(&none, *state, buf_span(&file), NULL, NULL),
				 ERR_DENIED);
		assert_int_equal(key_evp_from_bytes(&none, *state, buf_span(&file), &wrong, NULL),
				 ERR_DENIED);
	}
}

static void refuses_what_is_no_private_key(void **state)
{
	BUF spki = unit_vector("keys.rsa.spki"), pem = BUF_INIT, half = unit_vector("keys.rsa.pem");
	CLEANUP(key_freep) struct key *key = NULL;
	/* EC key on secp256k1, PKCS#8 */
	BUF k256 = unit_hex(
	    "308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420c9afa9d845ba75166"
	    "b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a144034200042c8c31fc9f990c6b55e3865a"
	    "184a4ce50e09481f2eaeb3e60ec1cea13a6ae64564b95e4fdb6948c0386e189b006a29f686769b01170"
	    "4275e4459822dc3328085");

	pem_put(&pem, "PUBLIC KEY", buf_span(&spki));
	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&pem), NULL, NULL), ERR_SYNTAX);
	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&spki), NULL, NULL), ERR_SYNTAX);
	assert_int_equal(
	    key_evp_from_bytes(&key, *state, span_sub(buf_span(&half), 0, 800), NULL, NULL),
	    ERR_SYNTAX);
	assert_int_equal(key_evp_from_bytes(&key, *state, SPAN_LIT("x"), NULL, NULL), ERR_SYNTAX);
	assert_int_equal(key_evp_from_bytes(&key, *state, SPAN_NONE, NULL, NULL), ERR_LIMIT);
	assert_int_not_equal(key_evp_from_bytes(&key, *state, buf_span(&k256), NULL, NULL), OK);
	assert_int_equal(key_evp_load(&key, *state, "/nonexistent/key", NULL, NULL), ERR_NOT_FOUND);
	assert_null(key);
}

static void export_and_back(void **state)
{
	BUF file = unit_vector("keys.p384.pem"), plain = BUF_INIT, sealed = BUF_INIT;
	CLEANUP(key_freep) struct key *key = NULL, *a = NULL, *b = NULL, *none = NULL;
	SECRET pass = SECRET_INIT;

	assert_int_equal(secret_set(&pass, SPAN_LIT("open sesame"), NULL), OK);
	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
	assert_int_equal(key_evp_export(key, NULL, &plain, NULL), OK);
	assert_span_equal(buf_span(&plain), buf_span(&file));
	assert_int_equal(key_evp_export(key, &pass, &sealed, NULL), OK);
	assert_memory_equal(sealed.data, "-----BEGIN ENCRYPTED PRIVATE KEY-----", 37);
	assert_int_equal(key_evp_from_bytes(&a, *state, buf_span(&sealed), &pass, NULL), OK);
	assert_int_equal(key_evp_from_bytes(&none, *state, buf_span(&sealed), NULL, NULL),
			 ERR_DENIED);
	assert_int_equal(key_evp_copy(&b, *state, key, NULL), OK);
	assert_span_equal(key_spki(a), key_spki(key));
	assert_span_equal(key_spki(b), key_spki(key));
}

static const char *const specs[] = { "rsa2048", "p256",      "p384",      "p521",
				     "ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87" };

static bool library_has_ml_dsa(struct crypto *c)
{
	return crypto_import_ctx(c, KEY_ML_DSA_44) != NULL;
}

static void generated_keys_sign(void **state)
{
	struct crypto *c = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(specs); i++) {
		CLEANUP(key_freep) struct key *key = NULL;
		CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
		struct key_spec spec;
		struct sig_alg alg;
		int round;

		assert_int_equal(key_spec_parse(specs[i], &spec, NULL), OK);
		if (key_kind_is_ml_dsa(spec.kind) && !library_has_ml_dsa(c)) {
			assert_int_equal(key_evp_generate(&key, c, spec, NULL), ERR_BAD_ALG);
			continue;
		}
		assert_int_equal(key_evp_generate(&key, c, spec, NULL), OK);
		assert_int_equal(key->kind, spec.kind);
		assert_int_equal(key->bits, spec.bits);
		alg = sig_alg_for(key->kind);
		assert_int_equal(pubkey_new(&pub, c, key_spki(key), NULL), OK);
		for (round = 0; round < 3; round++) {
			BUF sig = BUF_INIT;

			assert_int_equal(
			    key_sign(key, c, KEY_FOR_CONTENT, alg, message, &sig, NULL), OK);
			assert_int_equal(pubkey_verify(pub, c, alg, message, buf_span(&sig), NULL),
					 OK);
			if (!key_kind_is_pure(key->kind))
				alg.digest = round ? DIGEST_SHA512 : DIGEST_SHA384;
		}
	}
}

/* PKCS#1 v1.5 and Ed25519 have but one signature of a message: the vector. */
static void signs_as_others_do(void **state)
{
	static const struct {
		const char *key;
		const char *signature;
		struct sig_alg alg;
	} rows[] = {
		{ "keys.rsa.pem", "keys.rsa.sha1", { KEY_RSA, DIGEST_SHA1 } },
		{ "keys.rsa.pem", "keys.rsa.sha256", { KEY_RSA, DIGEST_SHA256 } },
		{ "keys.rsa.pem", "keys.rsa.sha384", { KEY_RSA, DIGEST_SHA384 } },
		{ "keys.rsa.pem", "keys.rsa.sha512", { KEY_RSA, DIGEST_SHA512 } },
		{ "keys.ed25519.pem", "keys.ed25519.sig", { KEY_ED25519, DIGEST_NONE } },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF file = unit_vector(rows[i].key), want = unit_vector(rows[i].signature);
		CLEANUP(key_freep) struct key *key = NULL;
		BUF sig = BUF_INIT;

		assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
		assert_int_equal(
		    key_sign(key, *state, KEY_FOR_CSR, rows[i].alg, message, &sig, NULL), OK);
		assert_span_equal(buf_span(&sig), buf_span(&want));
	}
}

static void algorithm_must_fit(void **state)
{
	BUF file = unit_vector("keys.p256.pem"), out = BUF_INIT;
	const struct transport_alg pkcs1 = { 0 };
	CLEANUP(key_freep) struct key *key = NULL;
	SECRET secret = SECRET_INIT;

	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
	assert_int_equal(key_sign(key, *state, KEY_FOR_CSR,
				  (struct sig_alg){ KEY_RSA, DIGEST_SHA256 }, message, &out, NULL),
			 ERR_BAD_ALG);
	assert_int_equal(key_sign(key, *state, KEY_FOR_CSR,
				  (struct sig_alg){ KEY_EC_P256, DIGEST_NONE }, message, &out,
				  NULL),
			 ERR_BAD_ALG);
	assert_int_equal(key_decrypt(key, *state, &pkcs1, SPAN_LIT("x"), &secret, NULL),
			 ERR_BAD_ALG);
	assert_int_equal(out.len, 0);
}

static const struct transport_alg pkcs1 = { false, DIGEST_NONE, DIGEST_NONE };

static const struct {
	const char *cipher;
	struct transport_alg alg;
} transports[] = {
	{ "keys.rsa.pkcs1", { false, DIGEST_NONE, DIGEST_NONE } },
	{ "keys.rsa.raw-good", { false, DIGEST_NONE, DIGEST_NONE } },
	{ "keys.rsa.oaep-sha1", { true, DIGEST_SHA1, DIGEST_SHA1 } },
	{ "keys.rsa.oaep-sha256", { true, DIGEST_SHA256, DIGEST_SHA256 } },
	{ "keys.rsa.oaep-sha256-sha1", { true, DIGEST_SHA256, DIGEST_SHA1 } },
	{ "keys.rsa.oaep-sha512", { true, DIGEST_SHA512, DIGEST_SHA512 } },
};

static void decrypts_content_keys(void **state)
{
	BUF file = unit_vector("keys.rsa.pem");
	BUF want = unit_hex("000102030405060708090a0b0c0d0e0f1011121314151617");
	CLEANUP(key_freep) struct key *key = NULL;
	CLEANUP(pubkey_freep) struct pubkey *pub = NULL;
	size_t i;

	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
	assert_int_equal(pubkey_new(&pub, *state, key_spki(key), NULL), OK);
	for (i = 0; i < ARRAY_LEN(transports); i++) {
		const struct transport_alg *alg = &transports[i].alg;
		BUF theirs = unit_vector(transports[i].cipher), ours = BUF_INIT;
		SECRET got = SECRET_INIT;

		assert_int_equal(key_decrypt(key, *state, alg, buf_span(&theirs), &got, NULL), OK);
		assert_span_equal(secret_span(&got), buf_span(&want));
		assert_int_equal(pubkey_encrypt(pub, *state, alg, buf_span(&want), &ours, NULL),
				 OK);
		assert_int_equal(key_decrypt(key, *state, alg, buf_span(&ours), &got, NULL), OK);
		assert_span_equal(secret_span(&got), buf_span(&want));
		if (!alg->oaep)
			continue;
		theirs.data[100] ^= 1;
		assert_int_equal(key_decrypt(key, *state, alg, buf_span(&theirs), &got, NULL),
				 ERR_BAD_CHECK);
		assert_span_equal(secret_span(&got), buf_span(&want));
	}
}

/* Bleichenbacher's question gets no answer: other octets each time, and never an error. */
static void wrong_padding_looks_like_a_wrong_key(void **state)
{
	static const char *const rows[] = { "keys.rsa.raw-type1", "keys.rsa.raw-no-zero",
					    "keys.rsa.raw-short" };
	BUF file = unit_vector("keys.rsa.pem");
	CLEANUP(key_freep) struct key *key = NULL;
	size_t i;

	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF cipher = unit_vector(rows[i]);
		SECRET one = SECRET_INIT, two = SECRET_INIT;

		assert_int_equal(key_decrypt(key, *state, &pkcs1, buf_span(&cipher), &one, NULL),
				 OK);
		assert_int_equal(key_decrypt(key, *state, &pkcs1, buf_span(&cipher), &two, NULL),
				 OK);
		assert_int_equal(one.bytes.len, PKCS1_KEY_MAX);
		assert_int_equal(two.bytes.len, PKCS1_KEY_MAX);
		assert_memory_not_equal(one.bytes.data, two.bytes.data, PKCS1_KEY_MAX);
	}
}

static void cipher_text_of_the_wrong_size(void **state)
{
	static const uint8_t zeros[257], ones[256] = { [0 ... 255] = 0xff };
	static const struct span rows[] = {
		{ zeros, 0 }, { zeros, 255 }, { zeros, 257 }, SPAN_ARRAY(ones)
	};
	BUF file = unit_vector("keys.rsa.pem");
	CLEANUP(key_freep) struct key *key = NULL;
	SECRET got = SECRET_INIT;
	size_t i;

	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(key_decrypt(key, *state, &pkcs1, rows[i], &got, NULL),
				 ERR_BAD_CHECK);
}

/* A block of 256 octets with `len` octets of key, 1, 2, 3, .., behind the padding. */
static void fill_block(uint8_t block[256], size_t len)
{
	size_t i;

	memset(block, 0x55, 256);
	block[0] = 0;
	block[1] = 2;
	block[255 - len] = 0;
	for (i = 0; i < len; i++)
		block[256 - len + i] = (uint8_t)(i + 1);
}

static void unpads_every_length(void **state)
{
	uint8_t block[256], key[PKCS1_KEY_MAX];
	size_t len, i;

	(void)state;
	for (len = 0; len <= 246; len++) {
		bool good = len >= 1 && len <= PKCS1_KEY_MAX;

		fill_block(block, len);
		memset(key, 0xee, sizeof(key));
		assert_int_equal(pkcs1_unpad((struct span)SPAN_ARRAY(block), key),
				 good ? len : PKCS1_KEY_MAX);
		for (i = 0; i < (good ? len : PKCS1_KEY_MAX); i++)
			assert_int_equal(key[i], good ? i + 1 : 0xee);
	}
}

static void unpads_only_the_right_form(void **state)
{
	static const struct {
		size_t at;
		uint8_t octet;
		bool good;
	} rows[] = {
		{ 2, 0x55, true }, { 0, 1, false },   { 0, 0x80, false }, { 1, 0, false },
		{ 1, 1, false },   { 1, 3, false },   { 2, 0, false },    { 9, 0, false },
		{ 8, 0, false },   { 239, 1, false }, { 240, 0, true },   { 10, 0, false },
	};
	uint8_t block[256], key[PKCS1_KEY_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		fill_block(block, 16);
		block[rows[i].at] = rows[i].octet;
		memset(key, 0xee, sizeof(key));
		assert_int_equal(pkcs1_unpad((struct span)SPAN_ARRAY(block), key),
				 rows[i].good ? 16 : PKCS1_KEY_MAX);
		assert_int_equal(key[15], rows[i].good ? 16 : 0xee);
	}
}

/* 30 octets of key behind 7 of padding, and 29 behind 8. */
static void unpads_behind_eight_octets(void **state)
{
	uint8_t block[40], key[PKCS1_KEY_MAX] = { 0 };

	(void)state;
	memset(block, 0x55, sizeof(block));
	block[0] = 0;
	block[1] = 2;
	block[10] = 0;
	assert_int_equal(pkcs1_unpad((struct span)SPAN_ARRAY(block), key), 29);
	block[9] = 0;
	assert_int_equal(pkcs1_unpad((struct span)SPAN_ARRAY(block), key), PKCS1_KEY_MAX);
}

/* A copy works where the first key is gone, in the crypto of another thread. */
static void copies_to_another_crypto(void **state)
{
	BUF file = unit_vector("keys.rsa.pem"), want = unit_vector("keys.rsa.sha256");
	CLEANUP(crypto_freep) struct crypto *other = NULL;
	CLEANUP(key_freep) struct key *copy = NULL;
	struct key *key = NULL;
	BUF sig = BUF_INIT;

	assert_int_equal(crypto_new(&other, false, NULL), OK);
	assert_int_equal(key_evp_from_bytes(&key, *state, buf_span(&file), NULL, NULL), OK);
	assert_int_equal(key_evp_copy(&copy, other, key, NULL), OK);
	key_free(key);
	assert_int_equal(key_sign(copy, other, KEY_FOR_CRL,
				  (struct sig_alg){ KEY_RSA, DIGEST_SHA256 }, message, &sig, NULL),
			 OK);
	assert_span_equal(buf_span(&sig), buf_span(&want));
}

static void specs_are_few(void **state)
{
	struct key_spec spec = { 0 };

	(void)state;
	assert_int_equal(key_spec_parse("rsa4096", &spec, NULL), OK);
	assert_int_equal(spec.kind, KEY_RSA);
	assert_int_equal(spec.bits, 4096);
	assert_int_equal(key_spec_parse("rsa1024", &spec, NULL), ERR_USAGE);
	assert_int_equal(key_spec_parse("", &spec, NULL), ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(refuses_what_is_no_private_key),
		cmocka_unit_test(export_and_back),
		cmocka_unit_test(generated_keys_sign),
		cmocka_unit_test(signs_as_others_do),
		cmocka_unit_test(algorithm_must_fit),
		cmocka_unit_test(decrypts_content_keys),
		cmocka_unit_test(wrong_padding_looks_like_a_wrong_key),
		cmocka_unit_test(cipher_text_of_the_wrong_size),
		cmocka_unit_test(unpads_every_length),
		cmocka_unit_test(unpads_only_the_right_form),
		cmocka_unit_test(unpads_behind_eight_octets),
		cmocka_unit_test(copies_to_another_crypto),
		cmocka_unit_test(specs_are_few),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
