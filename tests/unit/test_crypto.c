/* SPDX-License-Identifier: Apache-2.0 */
/* Against the vectors of the documents that define the primitives. */
#include "unit.h"

#include "pki/crypto.h"

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, false, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

/* FIPS 180-4 and RFC 1321: "abc", here in two parts. */
static void digests(void **state)
{
	static const struct {
		enum digest_alg alg;
		const char *want;
	} rows[] = {
		{ DIGEST_MD5, "900150983cd24fb0d6963f7d28e17f72" },
		{ DIGEST_SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ DIGEST_SHA256,
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ DIGEST_SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
				 "8086072ba1e7cc2358baeca134c825a7" },
		{ DIGEST_SHA512,
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	};
	const struct span parts[] = { SPAN_LIT("a"), SPAN_LIT("bc") };
	uint8_t got[DIGEST_MAX];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF want = unit_hex(rows[i].want);

		assert_int_equal(crypto_digest(*state, rows[i].alg, parts, 2, got, NULL), OK);
		assert_span_equal(span_of(got, digest_size(rows[i].alg)), buf_span(&want));
	}
	assert_int_equal(crypto_digest(*state, DIGEST_NONE, parts, 2, got, NULL), ERR_BAD_ALG);
}

/* SP 800-38A F.2.1, F.2.3, F.2.5 (first two blocks); the others by pyca/cryptography. */
static const struct {
	enum cipher_alg alg;
	const char *key;
	const char *iv;
	const char *plain;
	const char *cipher;
} blocks[] = {
	{ CIPHER_AES128_CBC, "2b7e151628aed2a6abf7158809cf4f3c", "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2" },
	{ CIPHER_AES192_CBC, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a" },
	{ CIPHER_AES256_CBC, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "000102030405060708090a0b0c0d0e0f",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
	  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d" },
	{ CIPHER_DES_EDE3_CBC, "0123456789abcdef23456789abcdef01456789abcdef0123",
	  "f69f2445df4f9b17", "6bc1bee22e409f96e93d7e117393172a",
	  "2079c3d53aa763e193b79e2569ab5262" },
};

static void whole_blocks(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(blocks); i++) {
		BUF key = unit_hex(blocks[i].key), iv = unit_hex(blocks[i].iv);
		BUF plain = unit_hex(blocks[i].plain), cipher = unit_hex(blocks[i].cipher);
		BUF out = BUF_INIT, back = BUF_INIT;

		assert_int_equal(crypto_encrypt_blocks(*state, blocks[i].alg, buf_span(&key),
						       buf_span(&iv), buf_span(&plain), &out, NULL),
				 OK);
		assert_span_equal(buf_span(&out), buf_span(&cipher));
		assert_int_equal(crypto_decrypt_blocks(*state, blocks[i].alg, buf_span(&key),
						       buf_span(&iv), buf_span(&cipher), &back,
						       NULL),
				 OK);
		assert_span_equal(buf_span(&back), buf_span(&plain));
		assert_int_equal(
		    crypto_encrypt_blocks(*state, blocks[i].alg, buf_span(&key), buf_span(&iv),
					  span_sub(buf_span(&plain), 1, SIZE_MAX), &out, NULL),
		    ERR_INTERNAL);
	}
}

static void padding_of_every_length(void **state)
{
	static const uint8_t key[32] = { 1 }, iv[16] = { 2 }, text[40] = { 3 };
	size_t n;

	for (n = 0; n <= sizeof(text); n++) {
		struct span k = SPAN_ARRAY(key), v = SPAN_ARRAY(iv), plain = { text, n };
		BUF cipher = BUF_INIT, back = BUF_INIT;

		assert_int_equal(
		    crypto_encrypt(*state, CIPHER_AES256_CBC, k, v, plain, &cipher, NULL), OK);
		assert_int_equal(cipher.len, (n / 16 + 1) * 16);
		assert_int_equal(
		    crypto_decrypt(*state, CIPHER_AES256_CBC, k, v, buf_span(&cipher), &back, NULL),
		    OK);
		assert_span_equal(buf_span(&back), plain);
	}
}

/* Whatever is wrong with a content key: the same word about it, and nothing comes out. */
static void wrong_keys_look_alike(void **state)
{
	static const uint8_t key[32] = { 1 }, other[32] = { 9 }, iv[16] = { 2 };
	static const struct {
		struct span key;
		struct span cipher;
	} rows[] = {
		{ SPAN_ARRAY(other), SPAN_LIT("0123456789abcdef0123456789abcdef") },
		{ { key, 16 }, SPAN_LIT("0123456789abcdef0123456789abcdef") },
		{ SPAN_ARRAY(key), SPAN_LIT("0123456789abcde") },
		{ SPAN_ARRAY(key), SPAN_LIT("") },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = { 0 };
		BUF out = BUF_INIT;

		buf_put_str(&out, "kept");
		assert_int_equal(crypto_decrypt(*state, CIPHER_AES256_CBC, rows[i].key,
						(struct span)SPAN_ARRAY(iv), rows[i].cipher, &out,
						&err),
				 ERR_BAD_CHECK);
		assert_string_equal(err.text, "AES-256-CBC: decryption failed");
		assert_span_equal(buf_span(&out), SPAN_LIT("kept"));
	}
}

static void des_needs_the_legacy_provider(void **state)
{
	CLEANUP(crypto_freep) struct crypto *legacy = NULL;
	static const uint8_t key[8] = "scepter", iv[8] = { 0 };
	struct span k = SPAN_ARRAY(key), v = SPAN_ARRAY(iv);
	BUF out = BUF_INIT, back = BUF_INIT;
	enum result res;

	assert_int_equal(crypto_encrypt(*state, CIPHER_DES_CBC, k, v, SPAN_LIT("text"), &out, NULL),
			 ERR_BAD_ALG);
	assert_int_equal(crypto_new(&legacy, true, NULL), OK);
	res = crypto_encrypt(legacy, CIPHER_DES_CBC, k, v, SPAN_LIT("text"), &out, NULL);
	if (res == ERR_BAD_ALG)
		skip(); /* an installation without it */
	assert_int_equal(res, OK);
	assert_int_equal(crypto_decrypt(legacy, CIPHER_DES_CBC, k, v, buf_span(&out), &back, NULL),
			 OK);
	assert_span_equal(buf_span(&back), SPAN_LIT("text"));
}

/* RFC 6070 (SHA-1), RFC 7914 11 (SHA-256). */
static void pbkdf2(void **state)
{
	static const struct {
		enum digest_alg prf;
		struct span password;
		struct span salt;
		uint32_t iterations;
		const char *want;
	} rows[] = {
		{ DIGEST_SHA1, SPAN_LIT("password"), SPAN_LIT("salt"), 1,
		  "0c60c80f961f0e71f3a9b524af6012062fe037a6" },
		{ DIGEST_SHA1, SPAN_LIT("pass\0word"), SPAN_LIT("sa\0lt"), 4096,
		  "56fa6aa75548099dcc37d7f03425e0c3" },
		{ DIGEST_SHA256, SPAN_LIT("passwd"), SPAN_LIT("salt"), 1,
		  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
		  "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF want = unit_hex(rows[i].want);
		uint8_t got[64];

		assert_int_equal(crypto_pbkdf2(*state, rows[i].prf, rows[i].password, rows[i].salt,
					       rows[i].iterations, got, want.len, NULL),
				 OK);
		assert_span_equal(span_of(got, want.len), buf_span(&want));
	}
}

/* RFC 7914 12. */
static void scrypt(void **state)
{
	static const struct {
		struct span password;
		struct span salt;
		uint64_t n;
		uint32_t r, p;
		const char *want;
	} rows[] = {
		{ SPAN_NONE, SPAN_NONE, 16, 1, 1,
		  "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
		  "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906" },
		{ SPAN_LIT("password"), SPAN_LIT("NaCl"), 1024, 8, 16,
		  "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
		  "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
	};
	uint8_t got[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF want = unit_hex(rows[i].want);

		assert_int_equal(crypto_scrypt(*state, rows[i].password, rows[i].salt, rows[i].n,
					       rows[i].r, rows[i].p, got, sizeof(got), NULL),
				 OK);
		assert_span_equal(span_of(got, sizeof(got)), buf_span(&want));
	}
	/* N is no power of two */
	assert_int_equal(
	    crypto_scrypt(*state, SPAN_LIT("p"), SPAN_LIT("s"), 15, 1, 1, got, 64, NULL),
	    ERR_INTERNAL);
}

/* RFC 4231 4.3, RFC 2202 3; and keys around the size of a block, by Python's hmac. */
#define K32 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define K64 K32 K32

static void hmac(void **state)
{
	static const struct {
		enum digest_alg alg;
		struct span key;
		const char *want;
	} rows[] = {
		{ DIGEST_SHA256, SPAN_LIT("Jefe"),
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ DIGEST_SHA1, SPAN_LIT("Jefe"), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ DIGEST_SHA256, SPAN_NONE,
		  "76d9e7194e7dbc3aa00bbe8ffb9f6fcb5a932170f971f948bb2ab61607d2b9d6" },
		{ DIGEST_SHA256, SPAN_LIT(K64),
		  "63f12563e45dcef7c354a6ba71d0c713aa28eea869b5a199da814b225867f54c" },
		{ DIGEST_SHA256, SPAN_LIT(K64 "k"),
		  "58b6aa8aff9a0a75db8f453becc657e29cdde625b22acf3febfb296484223f22" },
		{ DIGEST_SHA384, SPAN_LIT(K64 K64),
		  "6cd7e3d9e6a7577cc7b38eb9b55957364a24209270f4b6c6784fc293767ce02bf8b20e12a7de5c2c"
		  "3e7b05d7fe19062c" },
		{ DIGEST_SHA512, SPAN_LIT(K64 K64 "k"),
		  "458cbe24c82db49d13a995a86e979abf3882fa978bc34846cfbe76785c70e30b8f1ca7f2234b9243"
		  "1110f1b185af233333356085c492c6195140aac082a80b14" },
	};
	uint8_t got[DIGEST_MAX];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF want = unit_hex(rows[i].want);

		assert_int_equal(crypto_hmac(*state, rows[i].alg, rows[i].key,
					     SPAN_LIT("what do ya want for nothing?"), got, NULL),
				 OK);
		assert_span_equal(span_of(got, want.len), buf_span(&want));
	}
	assert_int_equal(crypto_hmac(*state, DIGEST_NONE, SPAN_NONE, SPAN_NONE, got, NULL),
			 ERR_BAD_ALG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(whole_blocks),
		cmocka_unit_test(padding_of_every_length),
		cmocka_unit_test(wrong_keys_look_alike),
		cmocka_unit_test(des_needs_the_legacy_provider),
		cmocka_unit_test(pbkdf2),
		cmocka_unit_test(scrypt),
		cmocka_unit_test(hmac),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
