/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/oid.h"
#include "pki/ext.h"

static void key_usages_by_name(void **state)
{
	(void)state;
	assert_int_equal(key_usage_parse("digitalSignature"), KU_DIGITAL_SIGNATURE);
	assert_int_equal(key_usage_parse("DECIPHERONLY"), KU_DECIPHER_ONLY);
	assert_int_equal(key_usage_parse("cRLSign"), KU_CRL_SIGN);
	assert_int_equal(key_usage_parse("contentCommitment"), KU_NON_REPUDIATION);
	assert_int_equal(key_usage_parse("digital"), 0);
	assert_int_equal(key_usage_parse(""), 0);
}

static void purposes_by_name_or_oid(void **state)
{
	BUF oid = BUF_INIT;

	(void)state;
	assert_int_equal(eku_parse("clientauth", &oid, NULL), OK);
	assert_span_equal(buf_span(&oid), OID_CLIENT_AUTH);
	buf_reset(&oid);
	assert_int_equal(eku_parse("1.3.6.1.5.5.7.3.17", &oid, NULL), OK);
	assert_span_equal(buf_span(&oid), OID_IPSEC_IKE);
	buf_reset(&oid);
	/* a known OID, but none of a purpose */
	assert_int_equal(eku_parse("commonName", &oid, NULL), ERR_SYNTAX);
	assert_int_equal(eku_parse("", &oid, NULL), ERR_SYNTAX);
	assert_int_equal(oid.len, 0);
}

static void basic_constraints(void **state)
{
	static const struct {
		struct span in;
		enum result want;
		bool ca;
		int path_len;
	} rows[] = {
		{ SPAN_LIT("\x30\x00"), OK, false, -1 },
		{ SPAN_LIT("\x30\x03\x01\x01\xff"), OK, true, -1 },
		{ SPAN_LIT("\x30\x03\x01\x01\x00"), OK, false, -1 },
		{ SPAN_LIT("\x30\x06\x01\x01\xff\x02\x01\x03"), OK, true, 3 },
		{ SPAN_LIT("\x30\x03\x02\x01\x03"), OK, false, 3 },
		{ SPAN_LIT("\x30\x06\x01\x01\xff\x02\x01\xff"), ERR_SYNTAX, false, 0 },
		{ SPAN_LIT("\x30\x0a\x01\x01\xff\x02\x05\x00\x80\x00\x00\x00"), ERR_LIMIT, false,
		  0 },
		{ SPAN_LIT("\x30\x05\x01\x01\xff\x05\x00"), ERR_SYNTAX, false, 0 },
		{ SPAN_LIT("\x30\x00\x00"), ERR_SYNTAX, false, 0 },
		{ SPAN_LIT(""), ERR_SYNTAX, false, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		bool ca = true;
		int path_len = 77;

		assert_int_equal(ext_read_basic_constraints(rows[i].in, &ca, &path_len, NULL),
				 rows[i].want);
		assert_int_equal(ca, rows[i].want == OK ? rows[i].ca : true);
		assert_int_equal(path_len, rows[i].want == OK ? rows[i].path_len : 77);
	}
}

static void lists(void **state)
{
	static const struct {
		const char *hex;
		enum result check;
		enum result find;
	} rows[] = {
		{ "", OK, ERR_NOT_FOUND },
		/* keyUsage, then subjectKeyIdentifier */
		{ "300e0603551d0f0101ff0404030205a0 300b0603551d0e040404020102", OK, OK },
		/* the same twice */
		{ "300b0603551d0e040404020102 300b0603551d0e040404020102", ERR_SYNTAX, OK },
		/* cut, without value, with more behind it, critical not a BOOLEAN of one octet */
		{ "300b0603551d0e0404040201", ERR_SYNTAX, ERR_SYNTAX },
		{ "30050603551d0e", ERR_SYNTAX, ERR_SYNTAX },
		{ "300d0603551d0e0404040201020500", ERR_SYNTAX, ERR_SYNTAX },
		{ "300f0603551d0e0102ffff040404020102", ERR_SYNTAX, ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF list = unit_hex(rows[i].hex);
		struct ext ext = { .critical = true };

		assert_int_equal(ext_check(buf_span(&list), NULL), rows[i].check);
		assert_int_equal(ext_find(buf_span(&list), OID_SUBJECT_KEY_ID, &ext, NULL),
				 rows[i].find);
		assert_int_equal(ext.critical, rows[i].find != OK);
	}
}

static void too_many(void **state)
{
	BUF list = BUF_INIT;
	uint8_t oid[] = { 0x2a, 0 };

	(void)state;
	for (oid[1] = 0; oid[1] < EXT_MAX; oid[1]++)
		ext_put(&list, SPAN_ARRAY(oid), false, SPAN_LIT("\x05\x00"));
	assert_int_equal(ext_check(buf_span(&list), NULL), OK);
	ext_put(&list, SPAN_ARRAY(oid), false, SPAN_LIT("\x05\x00"));
	assert_int_equal(ext_check(buf_span(&list), NULL), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key_usages_by_name), cmocka_unit_test(purposes_by_name_or_oid),
		cmocka_unit_test(basic_constraints),  cmocka_unit_test(lists),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
