/* SPDX-License-Identifier: Apache-2.0 */
/* The AlgorithmIdentifiers are by asn1crypto, but for the hostile ones. */
#include "unit.h"

#include "der/oid.h"
#include "pki/alg.h"

static void digests(void **state)
{
	static const struct {
		const char *der;
		enum digest_alg alg;
		enum result want;
		bool written; /* is this the form that we write? */
	} rows[] = {
		{ "300906052b0e03021a0500", DIGEST_SHA1, OK, true },
		{ "300706052b0e03021a", DIGEST_SHA1, OK, false },
		{ "300c06082a864886f70d02050500", DIGEST_MD5, OK, true },
		{ "300a06082a864886f70d0205", DIGEST_MD5, OK, false },
		{ "300d06096086480165030402010500", DIGEST_SHA256, OK, false },
		{ "300b0609608648016503040201", DIGEST_SHA256, OK, true },
		{ "300b0609608648016503040202", DIGEST_SHA384, OK, true },
		{ "300b0609608648016503040203", DIGEST_SHA512, OK, true },
		{ "300d06096086480165030402040500", DIGEST_NONE, ERR_BAD_ALG, false },
		{ "300f060960864801650304020105000500", DIGEST_NONE, ERR_SYNTAX, false },
		{ "300e0609608648016503040201050100", DIGEST_NONE, ERR_SYNTAX, false },
		{ "300e0609608648016503040201020105", DIGEST_NONE, ERR_SYNTAX, false },
		{ "3000", DIGEST_NONE, ERR_SYNTAX, false },
		{ "0609608648016503040201", DIGEST_NONE, ERR_SYNTAX, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].der), out = BUF_INIT;
		enum digest_alg alg = DIGEST_NONE;
		struct der_reader r;

		der_reader_init(&r, buf_span(&der));
		assert_int_equal(alg_read_digest(&r, "row", &alg, NULL), rows[i].want);
		assert_int_equal(alg, rows[i].alg);
		if (!rows[i].written)
			continue;
		alg_put_digest(&out, alg);
		assert_span_equal(buf_span(&out), buf_span(&der));
	}
}

static void signatures(void **state)
{
	static const struct {
		const char *der;
		struct sig_alg alg;
		enum result want;
		bool written;
	} rows[] = {
		{ "300d06092a864886f70d0101040500", { KEY_RSA, DIGEST_MD5 }, OK, true },
		{ "300d06092a864886f70d0101050500", { KEY_RSA, DIGEST_SHA1 }, OK, true },
		{ "300b06092a864886f70d010105", { KEY_RSA, DIGEST_SHA1 }, OK, false },
		{ "300d06092a864886f70d01010b0500", { KEY_RSA, DIGEST_SHA256 }, OK, true },
		{ "300d06092a864886f70d01010c0500", { KEY_RSA, DIGEST_SHA384 }, OK, true },
		{ "300d06092a864886f70d01010d0500", { KEY_RSA, DIGEST_SHA512 }, OK, true },
		{ "300d06092a864886f70d0101010500", { KEY_RSA, DIGEST_NONE }, OK, true },
		{ "300906072a8648ce3d0401", { KEY_EC_P256, DIGEST_SHA1 }, OK, true },
		{ "300a06082a8648ce3d040302", { KEY_EC_P256, DIGEST_SHA256 }, OK, true },
		{ "300c06082a8648ce3d0403020500", { KEY_EC_P256, DIGEST_SHA256 }, OK, false },
		{ "300a06082a8648ce3d040303", { KEY_EC_P256, DIGEST_SHA384 }, OK, true },
		{ "300a06082a8648ce3d040304", { KEY_EC_P256, DIGEST_SHA512 }, OK, true },
		{ "300906072a8648ce3d0201", { KEY_EC_P256, DIGEST_NONE }, OK, true },
		{ "300506032b6570", { KEY_ED25519, DIGEST_NONE }, OK, true },
		{ "300b0609608648016503040311", { KEY_ML_DSA_44, DIGEST_NONE }, OK, true },
		{ "300b0609608648016503040312", { KEY_ML_DSA_65, DIGEST_NONE }, OK, true },
		{ "300b0609608648016503040313", { KEY_ML_DSA_87, DIGEST_NONE }, OK, true },
		{ "300b0609608648016503040314", { 0 }, ERR_BAD_ALG, false },
		{ "300b06092a864886f70d01010a", { 0 }, ERR_BAD_ALG, false },
		{ "300d06092a864886f70d01010e0500", { 0 }, ERR_BAD_ALG, false },
		{ "300f06092a864886f70d01010b05000500", { 0 }, ERR_SYNTAX, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].der), out = BUF_INIT;
		struct sig_alg alg = { 0 };
		struct der_reader r;

		der_reader_init(&r, buf_span(&der));
		assert_int_equal(alg_read_sig(&r, "row", &alg, NULL), rows[i].want);
		assert_int_equal(alg.kind, rows[i].alg.kind);
		assert_int_equal(alg.digest, rows[i].alg.digest);
		if (!rows[i].written)
			continue;
		alg_put_sig(&out, alg);
		assert_span_equal(buf_span(&out), buf_span(&der));
	}
}

static void signatures_as_written(void **state)
{
	static const struct {
		struct sig_alg alg;
		const char *plain;
		const char *cms;
	} rows[] = {
		{ { KEY_RSA, DIGEST_SHA256 },
		  "300d06092a864886f70d01010b0500",
		  "300d06092a864886f70d0101010500" },
		{ { KEY_EC_P384, DIGEST_SHA384 },
		  "300a06082a8648ce3d040303",
		  "300a06082a8648ce3d040303" },
		{ { KEY_EC_P521, DIGEST_SHA512 },
		  "300a06082a8648ce3d040304",
		  "300a06082a8648ce3d040304" },
		{ { KEY_ED25519, DIGEST_NONE }, "300506032b6570", "300506032b6570" },
	};
	BUF none = BUF_INIT, pss = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF plain = unit_hex(rows[i].plain), cms = unit_hex(rows[i].cms);
		BUF out = BUF_INIT, out_cms = BUF_INIT;

		alg_put_sig(&out, rows[i].alg);
		assert_span_equal(buf_span(&out), buf_span(&plain));
		alg_put_cms_sig(&out_cms, rows[i].alg);
		assert_span_equal(buf_span(&out_cms), buf_span(&cms));
	}
	alg_put_sig(&none, (struct sig_alg){ KEY_NONE, DIGEST_SHA256 });
	assert_int_not_equal(buf_check(&none, NULL), OK);
	alg_put_cms_sig(&pss, (struct sig_alg){ KEY_RSA, DIGEST_SHA256, true });
	assert_int_not_equal(buf_check(&pss, NULL), OK);
}

static void what_fits(void **state)
{
	static const struct {
		struct sig_alg alg;
		enum key_kind kind;
		bool fits;
	} rows[] = {
		{ { KEY_RSA, DIGEST_SHA256 }, KEY_RSA, true },
		{ { KEY_RSA, DIGEST_NONE }, KEY_RSA, false },
		{ { KEY_EC_P256, DIGEST_SHA384 }, KEY_EC_P384, true },
		{ { KEY_EC_P384, DIGEST_SHA384 }, KEY_EC_P256, true },
		{ { KEY_EC_P256, DIGEST_NONE }, KEY_EC_P256, false },
		{ { KEY_EC_P256, DIGEST_SHA256 }, KEY_RSA, false },
		{ { KEY_RSA, DIGEST_SHA256 }, KEY_EC_P256, false },
		{ { KEY_ED25519, DIGEST_NONE }, KEY_ED25519, true },
		{ { KEY_ED25519, DIGEST_SHA256 }, KEY_ED25519, false },
		{ { KEY_ML_DSA_44, DIGEST_NONE }, KEY_ML_DSA_44, true },
		{ { KEY_ML_DSA_44, DIGEST_NONE }, KEY_ML_DSA_65, false },
		{ { KEY_ML_DSA_87, DIGEST_SHA512 }, KEY_ML_DSA_87, false },
		{ { KEY_NONE, DIGEST_NONE }, KEY_NONE, false },
		{ { KEY_NONE, DIGEST_SHA256 }, KEY_NONE, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(sig_alg_fits(rows[i].alg, rows[i].kind), rows[i].fits);
	for (i = KEY_RSA; i < KEY_KINDS_; i++)
		assert_true(sig_alg_fits(sig_alg_for((enum key_kind)i), (enum key_kind)i));
}

static void ciphers(void **state)
{
	static const struct {
		const char *der;
		enum cipher_alg alg;
		enum result want;
	} rows[] = {
		{ "301d06096086480165030401020410000102030405060708090a0b0c0d0e0f",
		  CIPHER_AES128_CBC, OK },
		{ "301d06096086480165030401160410000102030405060708090a0b0c0d0e0f",
		  CIPHER_AES192_CBC, OK },
		{ "301d060960864801650304012a0410000102030405060708090a0b0c0d0e0f",
		  CIPHER_AES256_CBC, OK },
		{ "301406082a864886f70d030704080001020304050607", CIPHER_DES_EDE3_CBC, OK },
		{ "301106052b0e03020704080001020304050607", CIPHER_DES_CBC, OK },
		/* IV of the wrong size, missing, of the wrong type, something behind it */
		{ "30150609608648016503040102 04080001020304050607", CIPHER_NONE, ERR_SYNTAX },
		{ "300b0609608648016503040102", CIPHER_NONE, ERR_SYNTAX },
		{ "300d06096086480165030401020500", CIPHER_NONE, ERR_SYNTAX },
		{ "301606082a864886f70d0307040800010203040506070500", CIPHER_NONE, ERR_SYNTAX },
		/* RC2 */
		{ "301406082a864886f70d030204080001020304050607", CIPHER_NONE, ERR_BAD_ALG },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].der), out = BUF_INIT;
		enum cipher_alg alg = CIPHER_NONE;
		struct span iv = SPAN_NONE;
		struct der_reader r;

		der_reader_init(&r, buf_span(&der));
		assert_int_equal(alg_read_cipher(&r, "row", &alg, &iv, NULL), rows[i].want);
		assert_int_equal(alg, rows[i].alg);
		if (rows[i].want != OK)
			continue;
		assert_int_equal(iv.len, cipher_block_size(alg));
		alg_put_cipher(&out, alg, iv);
		assert_span_equal(buf_span(&out), buf_span(&der));
	}
}

static void transports(void **state)
{
	static const struct {
		const char *der;
		struct transport_alg alg;
		enum result want;
		bool written;
	} rows[] = {
		{ "300d06092a864886f70d0101010500", { false, 0, 0 }, OK, true },
		{ "300b06092a864886f70d010101", { false, 0, 0 }, OK, false },
		{ "300d06092a864886f70d0101073000", { true, DIGEST_SHA1, DIGEST_SHA1 }, OK, true },
		{ "300b06092a864886f70d010107", { true, DIGEST_SHA1, DIGEST_SHA1 }, OK, false },
		{ "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a8"
		  "64886f70d010108300d06096086480165030402010500",
		  { true, DIGEST_SHA256, DIGEST_SHA256 },
		  OK,
		  true },
		{ "301e06092a864886f70d0101073011a00f300d06096086480165030402010500",
		  { true, DIGEST_SHA256, DIGEST_SHA1 },
		  OK,
		  true },
		{ "303c06092a864886f70d010107302fa00f300d06096086480165030402030500a11c301a06092a8"
		  "64886f70d010108300d06096086480165030402030500",
		  { true, DIGEST_SHA512, DIGEST_SHA512 },
		  OK,
		  true },
		/* an empty label, spelt out; and one that is none of ours */
		{ "301e06092a864886f70d0101073011a20f300d06092a864886f70d0101090400",
		  { true, DIGEST_SHA1, DIGEST_SHA1 },
		  OK,
		  false },
		{ "301f06092a864886f70d0101073012a210300e06092a864886f70d010109040178",
		  { 0 },
		  ERR_BAD_ALG,
		  false },
		/* fields in the wrong order; a mask generator that is a digest; RSASSA-PSS */
		{ "302d06092a864886f70d0101073020a20f300d06092a864886f70d0101090400a00d300b0609608"
		  "648016503040201",
		  { 0 },
		  ERR_SYNTAX,
		  false },
		{ "301e06092a864886f70d0101073011a10f300d06096086480165030402010500",
		  { 0 },
		  ERR_BAD_ALG,
		  false },
		{ "300b06092a864886f70d01010a", { 0 }, ERR_BAD_ALG, false },
		{ "300f06092a864886f70d01010730000500", { 0 }, ERR_SYNTAX, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].der), out = BUF_INIT;
		struct transport_alg alg = { 0 };
		struct der_reader r;

		der_reader_init(&r, buf_span(&der));
		assert_int_equal(alg_read_transport(&r, "row", &alg, NULL), rows[i].want);
		assert_int_equal(alg.oaep, rows[i].alg.oaep);
		assert_int_equal(alg.digest, rows[i].alg.digest);
		assert_int_equal(alg.mgf_digest, rows[i].alg.mgf_digest);
		if (!rows[i].written)
			continue;
		alg_put_transport(&out, &alg);
		assert_span_equal(buf_span(&out), buf_span(&der));
	}
}

static void unknown_is_named(void **state)
{
	BUF der = unit_hex("300d06096086480165030402040500");
	enum digest_alg alg;
	struct der_reader r;
	struct err err = { 0 };

	(void)state;
	der_reader_init(&r, buf_span(&der));
	assert_int_equal(alg_read_digest(&r, "digestAlgorithm", &alg, &err), ERR_BAD_ALG);
	assert_string_equal(err.text, "digestAlgorithm: algorithm 2.16.840.1.101.3.4.2.4 (sha224) "
				      "is not supported");
}

static void legacy(void **state)
{
	(void)state;
	assert_true(digest_is_legacy(DIGEST_MD5) && digest_is_legacy(DIGEST_SHA1));
	assert_false(digest_is_legacy(DIGEST_SHA256));
	assert_true(cipher_is_legacy(CIPHER_DES_CBC) && cipher_is_legacy(CIPHER_DES_EDE3_CBC));
	assert_false(cipher_is_legacy(CIPHER_AES128_CBC));
	assert_span_equal(digest_oid(DIGEST_SHA512), OID_SHA512);
	assert_span_equal(cipher_oid(CIPHER_AES192_CBC), OID_AES192_CBC);
	assert_int_equal(digest_oid(DIGEST_NONE).len, 0);
	assert_int_equal(digest_size((enum digest_alg)99), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),   cmocka_unit_test(signatures),
		cmocka_unit_test(what_fits), cmocka_unit_test(signatures_as_written),
		cmocka_unit_test(ciphers),   cmocka_unit_test(transports),
		cmocka_unit_test(legacy),    cmocka_unit_test(unknown_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
