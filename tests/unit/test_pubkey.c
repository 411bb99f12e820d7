/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and what is made with them are by python3-cryptography: vectors/make_keys.py. */
#include "unit.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/pubkey.h"

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, false, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static const struct {
	const char *spki;
	const char *signature;
	struct sig_alg alg;
	unsigned bits;
} signatures[] = {
	{ "keys.rsa.spki", "keys.rsa.sha1", { KEY_RSA, DIGEST_SHA1 }, 2048 },
	{ "keys.rsa.spki", "keys.rsa.sha256", { KEY_RSA, DIGEST_SHA256 }, 2048 },
	{ "keys.rsa.spki", "keys.rsa.sha384", { KEY_RSA, DIGEST_SHA384 }, 2048 },
	{ "keys.rsa.spki", "keys.rsa.sha512", { KEY_RSA, DIGEST_SHA512 }, 2048 },
	{ "keys.p256.spki", "keys.p256.sig", { KEY_EC_P256, DIGEST_SHA256 }, 256 },
	{ "keys.p384.spki", "keys.p384.sig", { KEY_EC_P384, DIGEST_SHA384 }, 384 },
	{ "keys.p521.spki", "keys.p521.sig", { KEY_EC_P521, DIGEST_SHA512 }, 521 },
	{ "keys.ed25519.spki", "keys.ed25519.sig", { KEY_ED25519, DIGEST_NONE }, 256 },
};

static void verifies(void **state)
{
	const struct span message = SPAN_LIT("what is to be signed");
	size_t i;

	for (i = 0; i < ARRAY_LEN(signatures); i++) {
		BUF spki = unit_vector(signatures[i].spki);
		BUF sig = unit_vector(signatures[i].signature);
		CLEANUP(pubkey_freep) struct pubkey *k = NULL;
		struct sig_alg alg = signatures[i].alg;

		assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), OK);
		assert_int_equal(pubkey_info(k)->kind, alg.kind);
		assert_int_equal(pubkey_info(k)->bits, signatures[i].bits);
		assert_int_equal(pubkey_verify(k, *state, alg, message, buf_span(&sig), NULL), OK);
		assert_int_equal(pubkey_verify2(k, *state, alg, span_sub(message, 0, 4),
						span_sub(message, 4, SIZE_MAX), buf_span(&sig),
						NULL),
				 OK);
		assert_int_equal(pubkey_verify(k, *state, alg, span_sub(message, 1, SIZE_MAX),
					       buf_span(&sig), NULL),
				 ERR_BAD_CHECK);
		sig.data[sig.len - 1] ^= 1;
		assert_int_equal(pubkey_verify(k, *state, alg, message, buf_span(&sig), NULL),
				 ERR_BAD_CHECK);
		assert_int_equal(pubkey_verify(k, *state, alg, message, SPAN_NONE, NULL),
				 ERR_BAD_CHECK);
	}
}

static void one_key_with_several_digests(void **state)
{
	const struct span message = SPAN_LIT("what is to be signed");
	BUF spki = unit_vector("keys.rsa.spki"), sha1 = unit_vector("keys.rsa.sha1");
	BUF sha512 = unit_vector("keys.rsa.sha512");
	CLEANUP(pubkey_freep) struct pubkey *k = NULL;
	int i;

	assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), OK);
	for (i = 0; i < 3; i++) {
		const struct sig_alg with_1 = { KEY_RSA, DIGEST_SHA1 };
		const struct sig_alg with_512 = { KEY_RSA, DIGEST_SHA512 };

		assert_int_equal(pubkey_verify(k, *state, with_1, message, buf_span(&sha1), NULL),
				 OK);
		assert_int_equal(
		    pubkey_verify(k, *state, with_512, message, buf_span(&sha512), NULL), OK);
		assert_int_equal(pubkey_verify(k, *state, with_512, message, buf_span(&sha1), NULL),
				 ERR_BAD_CHECK);
	}
}

/* A key that was freed leaves nothing to the next one of its curve, be it a good point or none. */
static void keys_one_after_another(void **state)
{
	static const struct {
		const char *spki; /* hexadecimal; NULL: the one that has signed */
		enum result made, verified;
	} rows[] = {
		{ NULL, OK, OK },
		{ "3059301306072a8648ce3d020106082a8648ce3d0301070342000445c7e89c69f72796abe27aa8d6"
		  "6acd6c92c8d367b214221657a891b3d0a4a0e74aca93f3ba55fa86bb0ed11eda646685401de73f79"
		  "71f6a96247d493241069c6",
		  OK, ERR_BAD_CHECK },
		{ "3059301306072a8648ce3d020106082a8648ce3d0301070342000445c7e89c69f72796abe27aa8d6"
		  "6acd6c92c8d367b214221657a891b3d0a4a0e74aca93f3ba55fa86bb0ed11eda646685401de73f79"
		  "71f6a96247d493241069c7",
		  ERR_BAD_ALG, OK },
		{ NULL, OK, OK },
	};
	const struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };
	const struct span message = SPAN_LIT("what is to be signed");
	BUF own = unit_vector("keys.p256.spki"), sig = unit_vector("keys.p256.sig");
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF spki = rows[i].spki ? unit_hex(rows[i].spki) : buf_take(&own);
		CLEANUP(pubkey_freep) struct pubkey *k = NULL, *beside = NULL;

		assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), rows[i].made);
		if (!k)
			continue;
		assert_int_equal(pubkey_new(&beside, *state, buf_span(&spki), NULL), OK);
		assert_int_equal(pubkey_verify(k, *state, alg, message, buf_span(&sig), NULL),
				 rows[i].verified);
		assert_int_equal(pubkey_verify(beside, *state, alg, message, buf_span(&sig), NULL),
				 rows[i].verified);
		if (!rows[i].spki)
			own = buf_take(&spki);
	}
}

static void algorithm_must_fit(void **state)
{
	BUF spki = unit_vector("keys.rsa.spki"), sig = unit_vector("keys.rsa.sha256");
	static const struct sig_alg algs[] = {
		{ KEY_EC_P256, DIGEST_SHA256 },
		{ KEY_RSA, DIGEST_NONE },
		{ KEY_NONE, DIGEST_NONE },
		{ KEY_RSA, DIGEST_SHA256, true },
	};
	CLEANUP(pubkey_freep) struct pubkey *k = NULL;
	size_t i;

	assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), OK);
	for (i = 0; i < ARRAY_LEN(algs); i++)
		assert_int_equal(
		    pubkey_verify(k, *state, algs[i], SPAN_LIT("x"), buf_span(&sig), NULL),
		    ERR_BAD_ALG);
}

/* SubjectPublicKeyInfo of an RSA key of n octets, 0xff 0xff .. last, and an exponent. */
static struct buf rsa_spki(size_t n, uint8_t first, uint8_t last, struct span exponent)
{
	struct buf key = BUF_INIT, out = BUF_INIT;
	uint8_t modulus[1200];
	size_t seq, alg;

	memset(modulus, 0xff, sizeof(modulus));
	modulus[0] = first;
	modulus[n - 1] = last;
	seq = der_open(&key, DER_SEQUENCE);
	der_put_magnitude(&key, span_of(modulus, n));
	der_put_tlv(&key, DER_INTEGER, exponent);
	der_close(&key, seq);
	seq = der_open(&out, DER_SEQUENCE);
	alg = der_open(&out, DER_SEQUENCE);
	der_put_oid(&out, OID_RSA_ENCRYPTION);
	der_put_null(&out);
	der_close(&out, alg);
	der_put_bits(&out, buf_span(&key));
	der_close(&out, seq);
	buf_clear(&key);
	return out;
}

static void rsa_bounds(void **state)
{
	static const struct {
		size_t n;
		uint8_t first, last;
		struct span exponent;
		enum result want;
		unsigned bits;
	} rows[] = {
		{ 128, 0xff, 0xff, SPAN_LIT("\x01\x00\x01"), OK, 1024 },
		{ 128, 0x7f, 0xff, SPAN_LIT("\x01\x00\x01"), ERR_BAD_ALG, 0 },
		{ 129, 0x01, 0xff, SPAN_LIT("\x03"), OK, 1025 },
		{ 1024, 0xff, 0xff, SPAN_LIT("\x03"), OK, 8192 },
		{ 1025, 0x01, 0xff, SPAN_LIT("\x03"), ERR_BAD_ALG, 0 },
		{ 1200, 0xff, 0xff, SPAN_LIT("\x03"), ERR_BAD_ALG, 0 },
		{ 1, 0xff, 0xff, SPAN_LIT("\x03"), ERR_BAD_ALG, 0 },
		{ 256, 0xff, 0xfe, SPAN_LIT("\x01\x00\x01"), ERR_BAD_ALG, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT("\x00"), ERR_BAD_ALG, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT("\x01"), ERR_BAD_ALG, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT("\x02"), ERR_BAD_ALG, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT("\xff"), ERR_SYNTAX, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT("\x00\x01"), ERR_SYNTAX, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT(""), ERR_SYNTAX, 0 },
		{ 256, 0xff, 0xff, SPAN_LIT("\x7f\xff\xff\xff\xff\xff\xff\xff"), OK, 2048 },
		{ 256, 0xff, 0xff, SPAN_LIT("\x01\x00\x00\x00\x00\x00\x00\x00\x01"), ERR_BAD_ALG,
		  0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF spki = rsa_spki(rows[i].n, rows[i].first, rows[i].last, rows[i].exponent);
		CLEANUP(pubkey_freep) struct pubkey *k = NULL;
		struct pubkey_info info = { 0 };

		assert_int_equal(pubkey_inspect(buf_span(&spki), &info, NULL), rows[i].want);
		assert_int_equal(info.bits, rows[i].bits);
		assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), rows[i].want);
	}
}

static void hostile_keys(void **state)
{
	static const struct {
		const char *spki;
		enum result want;
	} rows[] = {
		{ "", ERR_SYNTAX },
		{ "3000", ERR_SYNTAX },
		/* P-256 as it should be, and: beside the curve, hybrid, compressed, infinity,
		   too short */
		{ "3059301306072a8648ce3d020106082a8648ce3d0301070342000445c7e89c69f72796abe27aa8d6"
		  "6acd6c92c8d367b214221657a891b3d0a4a0e74aca93f3ba55fa86bb0ed11eda646685401de73f79"
		  "71f6a96247d493241069c6",
		  OK },
		{ "3059301306072a8648ce3d020106082a8648ce3d0301070342000445c7e89c69f72796abe27aa8d6"
		  "6acd6c92c8d367b214221657a891b3d0a4a0e74aca93f3ba55fa86bb0ed11eda646685401de73f79"
		  "71f6a96247d493241069c7",
		  ERR_BAD_ALG },
		{ "3059301306072a8648ce3d020106082a8648ce3d0301070342000645c7e89c69f72796abe27aa8d6"
		  "6acd6c92c8d367b214221657a891b3d0a4a0e74aca93f3ba55fa86bb0ed11eda646685401de73f79"
		  "71f6a96247d493241069c6",
		  ERR_BAD_ALG },
		{ "3039301306072a8648ce3d020106082a8648ce3d0301070322000245c7e89c69f72796abe27aa8d6"
		  "6acd6c92c8d367b214221657a891b3d0a4a0e7",
		  ERR_BAD_ALG },
		{ "3019301306072a8648ce3d020106082a8648ce3d03010703020000", ERR_BAD_ALG },
		{ "3018301306072a8648ce3d020106082a8648ce3d030107030100", ERR_BAD_ALG },
		/* secp256k1; parameters absent; explicit; something behind the curve */
		{ "3056301006072a8648ce3d020106052b8104000a03420004e3e1241ec7aff598481c71b52088b33d"
		  "9c2d18fc47f2d0f235f7b0bd73d69d8e76c478a0916e4b23e334b7cba819a017bcc836828d0f3328"
		  "f9b982ccc1a74718",
		  ERR_BAD_ALG },
		{ "300f300906072a8648ce3d020103020004", ERR_BAD_ALG },
		{ "3011300b06072a8648ce3d0201300003020004", ERR_BAD_ALG },
		{ "305b301506072a8648ce3d020106082a8648ce3d03010705000342000445c7e89c69f72796abe27a"
		  "a8d66acd6c92c8d367b214221657a891b3d0a4a0e74aca93f3ba55fa86bb0ed11eda646685401de7"
		  "3f7971f6a96247d493241069c6",
		  ERR_SYNTAX },
		/* Ed25519 one octet short, and with parameters */
		{ "3029300506032b657003200000000000000000000000000000000000000000000000000000000000"
		  "000000",
		  ERR_SYNTAX },
		{ "302c300706032b657005000321000000000000000000000000000000000000000000000000000000"
		  "000000000000",
		  ERR_SYNTAX },
		/* id-RSASSA-PSS, DSA */
		{ "3011300b06092a864886f70d01010a03020000", ERR_BAD_ALG },
		{ "300f300906072a8648ce38040103020000", ERR_BAD_ALG },
		/* an RSAPublicKey that is none; unused bits; trailing bytes */
		{ "3014300d06092a864886f70d010101050003030030 00", ERR_SYNTAX },
		{ "3014300d06092a864886f70d010101050003030130 00", ERR_SYNTAX },
		{ "3014300d06092a864886f70d01010105000303003000 00", ERR_SYNTAX },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF spki = unit_hex(rows[i].spki);
		CLEANUP(pubkey_freep) struct pubkey *k = NULL;

		assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), rows[i].want);
	}
}

static void only_rsa_encrypts(void **state)
{
	BUF spki = unit_vector("keys.p256.spki"), out = BUF_INIT;
	const struct transport_alg pkcs1 = { 0 };
	CLEANUP(pubkey_freep) struct pubkey *k = NULL;

	assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), OK);
	assert_int_equal(pubkey_encrypt(k, *state, &pkcs1, SPAN_LIT("key"), &out, NULL),
			 ERR_BAD_ALG);
}

/* 1024 bits do not hold OAEP with SHA-512. */
static void too_much_to_encrypt(void **state)
{
	BUF spki = rsa_spki(128, 0xff, 0xff, SPAN_LIT("\x03")), out = BUF_INIT;
	const struct transport_alg oaep = { true, DIGEST_SHA512, DIGEST_SHA512 };
	CLEANUP(pubkey_freep) struct pubkey *k = NULL;

	assert_int_equal(pubkey_new(&k, *state, buf_span(&spki), NULL), OK);
	assert_int_not_equal(pubkey_encrypt(k, *state, &oaep, SPAN_LIT("key"), &out, NULL), OK);
	assert_int_equal(out.len, 0);
}

/* ---- one key, two encodings ---- */

/* Its parameters, which are to be NULL, left out. */
static void put_bare(struct buf *out, struct span spki)
{
	static const uint8_t rsa[] = { 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48,
				       0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01 };
	size_t seq = der_open(out, DER_SEQUENCE);

	buf_put(out, SPAN_ARRAY(rsa));
	buf_put(out, span_sub(spki, 4 + 15, SIZE_MAX));
	der_close(out, seq);
}

static void an_rsa_key_without_its_null_is_the_same(void **state)
{
	uint8_t one[PUBKEY_HASH], two[PUBKEY_HASH];
	BUF spki = unit_vector("keys.rsa.spki"), bare = BUF_INIT;
	struct pubkey_info info;

	put_bare(&bare, buf_span(&spki));
	assert_int_equal(pubkey_inspect(buf_span(&bare), &info, NULL), OK);
	assert_true(pubkey_same(buf_span(&bare), buf_span(&spki)));
	assert_int_equal(pubkey_hash(*state, buf_span(&spki), one, NULL), OK);
	assert_int_equal(pubkey_hash(*state, buf_span(&bare), two, NULL), OK);
	assert_memory_equal(one, two, PUBKEY_HASH);
	assert_int_equal(pubkey_hash(*state, SPAN_LIT("\x30\x00"), two, NULL), OK);
	assert_memory_not_equal(one, two, PUBKEY_HASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies),
		cmocka_unit_test(one_key_with_several_digests),
		cmocka_unit_test(keys_one_after_another),
		cmocka_unit_test(rsa_bounds),
		cmocka_unit_test(algorithm_must_fit),
		cmocka_unit_test(hostile_keys),
		cmocka_unit_test(only_rsa_encrypts),
		cmocka_unit_test(too_much_to_encrypt),
		cmocka_unit_test(an_rsa_key_without_its_null_is_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
