/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/ber.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/cms_enveloped.h"
#include "pki/key_evp.h"

static const char plain[] = "what only the recipient may read\n";
static const char password[] = "pass phrase 42";

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
	struct cms_enveloped e = { .n_recipients = 0 };
	enum result rc = cms_enveloped_parse(der, &e, NULL);

	cms_enveloped_clear(&e);
	return rc;
}

/* A vector as DER, whatever it was. */
static struct buf load(const char *file)
{
	struct ber_limits limits = BER_LIMITS_DEFAULT;
	struct buf ber = unit_vector(file), der = BUF_INIT;
	bool was_der = false;

	assert_int_equal(ber_to_der(buf_span(&ber), &limits, &der, &was_der, NULL), OK);
	if (was_der)
		return ber;
	buf_clear(&ber);
	return der;
}

static struct key *leaf_key(struct crypto *c)
{
	struct key *key = NULL;

	assert_int_equal(key_evp_load(&key, c, UNIT_VECTORS "/rsa.pem", NULL, NULL), OK);
	return key;
}

/* By the first recipient of that kind. */
static enum result unlock(const struct cms_enveloped *e, struct crypto *c,
			  enum cms_recipient_kind kind, struct secret *out)
{
	CLEANUP(key_freep) struct key *key = leaf_key(c);
	size_t i;

	for (i = 0; i < e->n_recipients; i++)
		if (e->recipients[i].kind == kind)
			break;
	assert_true(i < e->n_recipients);
	if (kind == CMS_RECIPIENT_PASSWORD)
		return cms_pwri_unwrap(&e->recipients[i], c, span_str(password), out, NULL);
	assert_true(e->recipients[i].transport_known);
	return key_decrypt(key, c, &e->recipients[i].transport, e->recipients[i].encrypted_key, out,
			   NULL);
}

static void assert_opens(struct span der, struct crypto *c, enum cms_recipient_kind kind)
{
	struct cms_enveloped e;
	SECRET key = SECRET_INIT;
	BUF got = BUF_INIT;

	assert_int_equal(cms_enveloped_parse(der, &e, NULL), OK);
	assert_int_equal(unlock(&e, c, kind, &key), OK);
	assert_int_equal(cms_enveloped_open(&e, c, secret_span(&key), &got, NULL), OK);
	assert_span_equal(buf_span(&got), span_str(plain));
	cms_enveloped_clear(&e);
}

/* What openssl made (interop points 4, 8, 9, 10, 23). */
static void what_openssl_made(void **state)
{
	static const struct {
		const char *file;
		enum cms_recipient_kind kind;
	} rows[] = {
		{ "enveloped_aes128.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_aes192.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_aes256.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_des3.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_keyid.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_oaep.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_oaep_sha256.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_stream.der", CMS_RECIPIENT_KEY_TRANSPORT },
		{ "enveloped_pwri.der", CMS_RECIPIENT_PASSWORD },
		{ "enveloped_pwri_des3.der", CMS_RECIPIENT_PASSWORD },
		{ "enveloped_pwri_and_cert.der", CMS_RECIPIENT_PASSWORD },
		{ "enveloped_pwri_and_cert.der", CMS_RECIPIENT_KEY_TRANSPORT },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = load(rows[i].file);

		assert_opens(buf_span(&der), *state, rows[i].kind);
	}
}

static void recipients_named(void **state)
{
	BUF by_serial = load("enveloped_aes128.der");
	BUF by_ski = load("enveloped_keyid.der");
	BUF oaep = load("enveloped_oaep_sha256.der");
	BUF leaf_der = unit_vector("cert_leaf.der");
	struct cms_enveloped e;
	struct cert leaf;

	(void)state;
	assert_int_equal(cert_parse(buf_span(&leaf_der), &leaf, NULL), OK);
	assert_int_equal(cms_enveloped_parse(buf_span(&by_serial), &e, NULL), OK);
	assert_int_equal(e.n_recipients, 1);
	assert_span_equal(e.recipients[0].issuer, leaf.issuer);
	assert_span_equal(e.recipients[0].serial, leaf.serial);
	assert_int_equal(e.recipients[0].ski.len, 0);
	cms_enveloped_clear(&e);
	assert_int_equal(cms_enveloped_parse(buf_span(&by_ski), &e, NULL), OK);
	assert_span_equal(e.recipients[0].ski, cert_ski(&leaf));
	assert_int_equal(e.recipients[0].issuer.len, 0);
	cms_enveloped_clear(&e);
	assert_int_equal(cms_enveloped_parse(buf_span(&oaep), &e, NULL), OK);
	assert_true(e.recipients[0].transport.oaep);
	assert_int_equal(e.recipients[0].transport.digest, DIGEST_SHA256);
	cms_enveloped_clear(&e);
}

/* Constructed encryptedContent, as streaming encoders and Apple send it. */
static void content_in_pieces(void **state)
{
	BUF der = load("enveloped_stream.der");
	struct cms_enveloped e;

	(void)state;
	assert_int_equal(cms_enveloped_parse(buf_span(&der), &e, NULL), OK);
	assert_int_not_equal(e.joined.len, 0);
	assert_int_equal(e.encrypted.len, 48);
	cms_enveloped_clear(&e);
	assert_int_equal(e.joined.len, 0);
}

/* One answer for every wrong key (RFC 3218). */
static void wrong_keys_fail_alike(void **state)
{
	static const uint8_t keys[64] = { 1, 2, 3 };
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 24, 32, 64 };
	BUF der = load("enveloped_aes128.der");
	struct err first = { 0 };
	struct cms_enveloped e;
	size_t i, failed = 0;

	assert_int_equal(cms_enveloped_parse(buf_span(&der), &e, NULL), OK);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		BUF got = BUF_INIT;
		struct err err = { 0 };
		enum result rc =
		    cms_enveloped_open(&e, *state, span_of(keys, sizes[i]), &got, &err);

		/* a random key's padding is right one time in 256 */
		assert_true(rc == OK || rc == ERR_BAD_CHECK);
		if (rc == OK)
			continue;
		failed++;
		assert_int_equal(got.len, 0);
		if (!first.text[0])
			first = err;
		assert_string_equal(first.text, err.text);
	}
	assert_true(failed >= ARRAY_LEN(sizes) - 3);
	cms_enveloped_clear(&e);
}

static void wrong_password(void **state)
{
	BUF der = load("enveloped_pwri.der");
	struct cms_enveloped e;
	SECRET key = SECRET_INIT;

	assert_int_equal(cms_enveloped_parse(buf_span(&der), &e, NULL), OK);
	assert_int_equal(cms_pwri_unwrap(&e.recipients[0], *state, SPAN_LIT("guess"), &key, NULL),
			 ERR_BAD_CHECK);
	assert_int_equal(secret_span(&key).len, 0);
	cms_enveloped_clear(&e);
}

static void hostile_guessrecipients(void **state)
{
	/* PBKDF2-params: salt, iterations, keyLength, prf */
	static const struct {
		const char *kdf;
		size_t wrapped;
		enum result want;
	} rows[] = {
		{ "3007 040161 02020800", 64, ERR_BAD_CHECK },
		{ "300a 040161 02020800 020120", 64, ERR_BAD_CHECK },
		{ "300a 040161 02020800 020110", 64, ERR_SYNTAX },
		{ "3006 040161 020100", 64, ERR_SYNTAX },
		{ "3008 040161 0203 0f4241", 64, ERR_LIMIT },
		{ "3003 040161", 64, ERR_SYNTAX },
		{ "3009 040161 02020800 0500", 64, ERR_SYNTAX },
		{ "300d 040161 02020800 3004 06022a03", 64, ERR_BAD_ALG },
		{ "", 64, ERR_BAD_ALG },
		{ "3007 040161 02020800", 0, ERR_SYNTAX },
		{ "3007 040161 02020800", 16, ERR_SYNTAX },
		{ "3007 040161 02020800", 33, ERR_SYNTAX },
	};
	static const uint8_t octets[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF kdf = unit_hex(rows[i].kdf);
		SECRET key = SECRET_INIT;
		struct cms_recipient r = { .kind = CMS_RECIPIENT_PASSWORD,
					   .pwri_kdf = buf_span(&kdf),
					   .pwri_cipher = CIPHER_AES256_CBC,
					   .pwri_iv = span_of(octets, 16),
					   .encrypted_key = span_of(octets, rows[i].wrapped) };

		assert_int_equal(cms_pwri_unwrap(&r, *state, SPAN_LIT("x"), &key, NULL),
				 rows[i].want);
		assert_int_equal(secret_span(&key).len, 0);
	}
}

/* 256 wrong passwords and more: some give a length that could be, none the check value. */
static void the_check_value_counts(void **state)
{
	static const uint8_t kdf[] = { 0x30, 0x06, 0x04, 0x01, 'a', 0x02, 0x01, 0x01 };
	static const uint8_t octets[64];
	struct cms_recipient r = { .kind = CMS_RECIPIENT_PASSWORD,
				   .pwri_kdf = SPAN_ARRAY(kdf),
				   .pwri_cipher = CIPHER_AES256_CBC,
				   .pwri_iv = span_of(octets, 16),
				   .encrypted_key = SPAN_ARRAY(octets) };
	uint16_t guess;

	for (guess = 0; guess < 2000; guess++) {
		SECRET key = SECRET_INIT;

		assert_int_equal(cms_pwri_unwrap(&r, *state, span_of(&guess, 2), &key, NULL),
				 ERR_BAD_CHECK);
	}
}

/* unread: names of issuers, and what PBKDF2 and OAEP leave to later */
static void hostile(void **state)
{
	static const struct {
		const char *file;
		int unread;
	} rows[] = {
		{ "enveloped_oaep.der", 10 },
		{ "enveloped_pwri_and_cert.der", 11 },
		{ "enveloped_stream.der", 9 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = load(rows[i].file);

		unit_refuses_cuts(buf_span(&der), parse);
		unit_survives_flips(buf_span(&der), parse);
		assert_int_equal(unit_bears_intruders(buf_span(&der), parse), rows[i].unread);
	}
}

static void enveloped_and_opened(void **state)
{
	static const enum cipher_alg ciphers[] = { CIPHER_AES128_CBC, CIPHER_AES192_CBC,
						   CIPHER_AES256_CBC, CIPHER_DES_EDE3_CBC };
	static const struct transport_alg transports[] = {
		{ false, DIGEST_NONE, DIGEST_NONE },
		{ true, DIGEST_SHA1, DIGEST_SHA1 },
		{ true, DIGEST_SHA256, DIGEST_SHA256 },
		{ true, DIGEST_SHA256, DIGEST_SHA1 },
	};
	BUF leaf = unit_vector("cert_leaf.der");
	size_t i;

	for (i = 0; i < ARRAY_LEN(ciphers); i++) {
		struct cms_envelop e = { span_str(plain), ciphers[i], transports[i] };
		BUF to_cert = BUF_INIT;
		BUF to_password = BUF_INIT;

		assert_int_equal(cms_envelop_to_cert(&e, *state, buf_span(&leaf), &to_cert, NULL),
				 OK);
		assert_opens(buf_span(&to_cert), *state, CMS_RECIPIENT_KEY_TRANSPORT);
		assert_int_equal(
		    cms_envelop_to_password(&e, *state, span_str(password), &to_password, NULL),
		    OK);
		assert_opens(buf_span(&to_password), *state, CMS_RECIPIENT_PASSWORD);
	}
}

static void not_to_an_ec_key(void **state)
{
	struct cms_envelop e = { .plain = SPAN_LIT("x"), .cipher = CIPHER_AES128_CBC };
	BUF ca = unit_vector("cert_ca.der");
	BUF out = BUF_INIT;

	buf_put_str(&out, "kept");
	assert_int_equal(cms_envelop_to_cert(&e, *state, buf_span(&ca), &out, NULL), ERR_BAD_ALG);
	e.cipher = CIPHER_NONE;
	assert_int_equal(cms_envelop_to_password(&e, *state, SPAN_LIT("x"), &out, NULL),
			 ERR_BAD_ALG);
	assert_span_equal(buf_span(&out), SPAN_LIT("kept"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_openssl_made),      cmocka_unit_test(recipients_named),
		cmocka_unit_test(content_in_pieces),      cmocka_unit_test(wrong_keys_fail_alike),
		cmocka_unit_test(wrong_password),         cmocka_unit_test(hostile_guessrecipients),
		cmocka_unit_test(the_check_value_counts), cmocka_unit_test(hostile),
		cmocka_unit_test(enveloped_and_opened),   cmocka_unit_test(not_to_an_ec_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
