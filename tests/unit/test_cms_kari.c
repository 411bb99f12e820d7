/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes for EC keys and for keys that are shared, SMIMECapabilities, and AES key wrap. */
#include "unit.h"

#include "der/oid.h"
#include "pki/cms_enveloped.h"
#include "pki/key_evp.h"
#include "pki/smime_caps.h"

static const char plain[] = "what only the recipient may read\n";
static const uint8_t shared[32] = {
	0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
};

static int set_up(void **state)
{
	return crypto_new((struct crypto **)state, false, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
	crypto_free(*state);
	return 0;
}

static struct key *load(struct crypto *c, const char *name)
{
	struct key *key = NULL;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/keys.%s.pem", UNIT_VECTORS, name);
	assert_int_equal(key_evp_load(&key, c, path, NULL, NULL), OK);
	return key;
}

static enum result open_by(struct crypto *c, struct span der, struct key *key, struct span kek)
{
	struct cms_enveloped e;
	SECRET content_key = SECRET_INIT;
	BUF got = BUF_INIT;
	enum result r;

	assert_int_equal(cms_enveloped_parse(der, &e, NULL), OK);
	r = key ? cms_kari_unwrap(&e.recipients[0], c, key, &content_key, NULL)
		: cms_kek_unwrap(&e.recipients[0], c, kek, &content_key, NULL);
	if (r == OK)
		r = cms_enveloped_open(&e, c, secret_span(&content_key), &got, NULL);
	if (r == OK)
		assert_span_equal(buf_span(&got), span_str(plain));
	cms_enveloped_clear(&e);
	return r;
}

static enum result parse(struct span der)
{
	struct cms_enveloped e = { .n_recipients = 0 };
	enum result r = cms_enveloped_parse(der, &e, NULL);

	cms_enveloped_clear(&e);
	return r;
}

static void what_openssl_made(void **state)
{
	static const struct {
		const char *file;
		const char *key;
		enum result want;
	} rows[] = {
		{ "enveloped_kari_p256.der", "p256", OK },
		{ "enveloped_kari_p384.der", "p384", OK },
		{ "enveloped_kari_p521.der", "p521", OK },
		{ "enveloped_kari_sha1.der", "p256", ERR_BAD_ALG },
		/* of another curve: the originator's point does not lie on it */
		{ "enveloped_kari_p256.der", "p384", ERR_BAD_ALG },
		{ "enveloped_kari_p256.der", "rsa", ERR_BAD_ALG },
		{ "enveloped_kek.der", "p256", ERR_BAD_ALG },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(key_freep) struct key *key = load(*state, rows[i].key);
		BUF der = unit_vector(rows[i].file);
		enum result got = open_by(*state, buf_span(&der), key, SPAN_NONE);

		if (rows[i].want == OK)
			assert_int_equal(got, OK);
		else
			assert_int_not_equal(got, OK);
	}
}

static void a_shared_key(void **state)
{
	struct cms_enveloped e;
	BUF der = unit_vector("enveloped_kek.der");
	BUF ec = unit_vector("enveloped_kari_p256.der");

	assert_int_equal(open_by(*state, buf_span(&der), NULL, SPAN_ARRAY(shared)), OK);
	assert_int_equal(open_by(*state, buf_span(&der), NULL, span_of(shared, 16)), ERR_BAD_CHECK);
	assert_int_equal(open_by(*state, buf_span(&ec), NULL, SPAN_ARRAY(shared)), ERR_BAD_ALG);
	assert_int_equal(cms_enveloped_parse(buf_span(&der), &e, NULL), OK);
	assert_span_equal(e.recipients[0].ski, SPAN_LIT("key7"));
	cms_enveloped_clear(&e);
}

static void hostile(void **state)
{
	static const char *const files[] = { "enveloped_kari_p384.der", "enveloped_kek.der" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(files); i++) {
		BUF der = unit_vector(files[i]);

		unit_refuses_cuts(buf_span(&der), parse);
		unit_survives_flips(buf_span(&der), parse);
	}
}

/* Another key of the right curve gives no key, and neither does a wrapped key that was changed. */
static void wrong_keys(void **state)
{
	CLEANUP(key_freep) struct key *other = NULL;
	struct key_spec p256 = { KEY_EC_P256, 256 };
	BUF der = unit_vector("enveloped_kari_p256.der");

	assert_int_equal(key_evp_generate(&other, *state, p256, NULL), OK);
	assert_int_equal(open_by(*state, buf_span(&der), other, SPAN_NONE), ERR_BAD_CHECK);
}

static void to_ec_keys(void **state)
{
	static const struct {
		const char *key;
		enum wrap_alg wrap;
	} rows[] = {
		{ "p256", WRAP_AES128 },
		{ "p384", WRAP_AES192 },
		{ "p521", WRAP_AES256 },
	};
	struct cms_envelop e = { .plain = span_str(plain), .cipher = CIPHER_AES256_CBC };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(key_freep) struct key *key = load(*state, rows[i].key);
		CLEANUP(pubkey_freep) struct pubkey *public = NULL;
		struct cms_holder to = { .ski = SPAN_LIT("\x01\x02") };
		BUF out = BUF_INIT;

		assert_int_equal(pubkey_new(&public, *state, key_spki(key), NULL), OK);
		to.key = public;
		e.wrap = rows[i].wrap;
		assert_int_equal(cms_envelop_to_holder(&e, *state, &to, &out, NULL), OK);
		assert_int_equal(open_by(*state, buf_span(&out), key, SPAN_NONE), OK);
	}
}

static void to_shared_keys(void **state)
{
	static const struct {
		size_t size;
		enum result want;
	} rows[] = {
		{ 16, OK }, { 24, OK }, { 32, OK }, { 0, ERR_BAD_CHECK }, { 15, ERR_BAD_CHECK }
	};
	struct cms_envelop e = { .plain = span_str(plain), .cipher = CIPHER_AES128_CBC };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct cms_kek to = { SPAN_LIT("key7"), span_of(shared, rows[i].size) };
		BUF out = BUF_INIT;

		assert_int_equal(cms_envelop_to_kek(&e, *state, &to, &out, NULL), rows[i].want);
		if (rows[i].want == OK)
			assert_int_equal(open_by(*state, buf_span(&out), NULL, to.key), OK);
		else
			assert_int_equal(out.len, 0);
	}
}

/* RFC 3394 4.1, 4.6 */
static void published_wraps(void **state)
{
	static const struct {
		enum wrap_alg alg;
		size_t kek;
		const char *key;
		const char *wrapped;
	} rows[] = {
		{ WRAP_AES128, 16, "00112233445566778899aabbccddeeff",
		  "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
		{ WRAP_AES256, 32,
		  "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
		  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd2"
		  "1" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct span kek = span_of(shared, rows[i].kek);
		BUF key = unit_hex(rows[i].key);
		BUF want = unit_hex(rows[i].wrapped);
		SECRET back = SECRET_INIT;
		BUF got = BUF_INIT;

		assert_int_equal(wrap_key(*state, rows[i].alg, kek, buf_span(&key), &got, NULL),
				 OK);
		assert_span_equal(buf_span(&got), buf_span(&want));
		assert_int_equal(
		    wrap_key_open(*state, rows[i].alg, kek, buf_span(&got), &back, NULL), OK);
		assert_span_equal(secret_span(&back), buf_span(&key));
		got.data[3] ^= 1;
		assert_int_equal(
		    wrap_key_open(*state, rows[i].alg, kek, buf_span(&got), &back, NULL),
		    ERR_BAD_CHECK);
	}
}

#define AES256_CBC "300b060960864801650304012a"
#define AES128_CBC "300b0609608648016503040102"
#define WRAP128 "300b0609608648016503040105"
#define WRAP256 "300b060960864801650304012d"
#define ECDH_SHA1 "301806092b81051086483f0002300b060960864801650304012d"
#define ECDH_OURS "301506062b8104010b01300b060960864801650304012d"
#define RSA "300b06092a864886f70d010101"
#define DES3 "300a06082a864886f70d0307"

static void capabilities(void **state)
{
	static const struct {
		const char *hex;
		enum wrap_alg wrap;
		enum cipher_alg cipher;
		bool transport;
	} rows[] = {
		{ "3000", WRAP_NONE, CIPHER_NONE, false },
		{ "300d" WRAP128, WRAP_AES128, CIPHER_NONE, false },
		{ "301a" WRAP128 WRAP256, WRAP_AES256, CIPHER_NONE, false },
		{ "3017" ECDH_OURS, WRAP_AES256, CIPHER_NONE, false },
		{ "301a" ECDH_SHA1, WRAP_NONE, CIPHER_NONE, false },
		{ "301a" AES128_CBC AES256_CBC, WRAP_NONE, CIPHER_AES256_CBC, false },
		{ "300c" DES3, WRAP_NONE, CIPHER_NONE, false },
		{ "301a" RSA AES128_CBC, WRAP_NONE, CIPHER_AES128_CBC, true },
	};
	static const char *const bad[] = { "",         "3100",    "3001", "300d" WRAP128 "00",
					   "30020500", "30023000" };
	struct smime_caps caps;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].hex);

		assert_int_equal(smime_caps_read(buf_span(&der), &caps, NULL), OK);
		assert_int_equal(smime_caps_wrap(&caps), rows[i].wrap);
		assert_int_equal(caps.cipher, rows[i].cipher);
		assert_int_equal(caps.has_transport, rows[i].transport);
	}
	for (i = 0; i < ARRAY_LEN(bad); i++) {
		BUF der = BUF_INIT;

		assert_int_equal(hex_parse(span_str(bad[i]), &der, NULL), OK);
		assert_int_not_equal(smime_caps_read(buf_span(&der), &caps, NULL), OK);
	}
}

static void our_own_capabilities(void **state)
{
	struct smime_caps caps;
	BUF der = BUF_INIT;

	(void)state;
	smime_caps_put(&der);
	assert_int_equal(smime_caps_read(buf_span(&der), &caps, NULL), OK);
	assert_int_equal(smime_caps_wrap(&caps), WRAP_AES256);
	assert_int_equal(caps.cipher, CIPHER_AES256_CBC);
	assert_true(caps.has_transport && caps.transport.oaep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_openssl_made),
		cmocka_unit_test(a_shared_key),
		cmocka_unit_test(hostile),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(to_ec_keys),
		cmocka_unit_test(to_shared_keys),
		cmocka_unit_test(published_wraps),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(our_own_capabilities),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
