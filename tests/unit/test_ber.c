/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/ber.h"

/* Input and what it is in DER; NULL where it is DER already. */
static const struct {
	const char *ber;
	const char *der;
} good[] = {
	{ "3000", NULL },
	{ "0500", NULL },
	{ "3006 020105 020106", NULL },
	{ "a003 800105", NULL },
	/* long forms, some with leading zeros */
	{ "308103 020105", "3003 020105" },
	{ "308400000004 02810105", "3003 020105" },
	{ "30880000000000000003 020105", "3003 020105" },
	/* indefinite in indefinite; zeros inside a primitive are no end */
	{ "3080 0000", "3000" },
	{ "3080 020105 0000", "3003 020105" },
	{ "3080 3180 04020000 0000 0000", "3006 3104 04020000" },
	/* segments of an OCTET STRING: definite, indefinite, nested, none */
	{ "2408 0402aabb 0402ccdd", "0404 aabbccdd" },
	{ "2480 0402aabb 0402ccdd 0000", "0404 aabbccdd" },
	{ "2480 2406 0404aabbccdd 2480 0401ee 0400 0000 0000", "0405 aabbccddee" },
	{ "2480 0000", "0400" },
	{ "2400", "0400" },
	/* [0] in segments is made definite, not joined: its type is not known here */
	{ "a080 0402aabb 0402ccdd 0000", "a008 0402aabb 0402ccdd" },
	{ "a080 2480 0401aa 0401bb 0000 0000", "a004 0402aabb" },
	/* the order of a SET stays */
	{ "3180 020106 020105 0000", "3106 020106 020105" },
};

static void becomes_der(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good); i++) {
		BUF in = unit_hex(good[i].ber), want = BUF_INIT, out = BUF_INIT, again = BUF_INIT;
		bool was_der = false;

		assert_int_equal(
		    ber_to_der(buf_span(&in), &BER_LIMITS_DEFAULT, &out, &was_der, NULL), OK);
		assert_int_equal(was_der, good[i].der == NULL);
		if (was_der) {
			assert_int_equal(out.len, 0);
			continue;
		}
		want = unit_hex(good[i].der);
		assert_span_equal(buf_span(&out), buf_span(&want));
		assert_int_equal(
		    ber_to_der(buf_span(&out), &BER_LIMITS_DEFAULT, &again, &was_der, NULL), OK);
		assert_true(was_der);
	}
}

static void hostile(void **state)
{
	static const struct {
		const char *ber;
		enum result want;
	} rows[] = {
		{ "", ERR_SYNTAX },
		{ "30", ERR_SYNTAX },
		{ "0000", ERR_SYNTAX },
		{ "3000 00", ERR_SYNTAX },
		{ "3080", ERR_SYNTAX },
		{ "3080 00", ERR_SYNTAX },
		{ "3080 0000 00", ERR_SYNTAX },
		{ "3080 0001 0000", ERR_SYNTAX },
		{ "3002 0000", ERR_SYNTAX },
		{ "0480 0000", ERR_SYNTAX },
		{ "3003 0201", ERR_SYNTAX },
		{ "3003 020205", ERR_SYNTAX },
		{ "3004 3080 0000 0000", ERR_SYNTAX },
		{ "30ff", ERR_SYNTAX },
		{ "3085 01000000", ERR_SYNTAX },
		{ "3088 ffffffffffffffff 00", ERR_SYNTAX },
		{ "308901 0000000000000000", ERR_SYNTAX },
		{ "3f8101 00", ERR_SYNTAX },
		{ "2480 020105 0000", ERR_SYNTAX },
		{ "2480 3000 0000", ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF in = unit_hex(rows[i].ber), out = BUF_INIT;
		bool was_der = true;

		buf_put_str(&out, "kept");
		assert_int_equal(
		    ber_to_der(buf_span(&in), &BER_LIMITS_DEFAULT, &out, &was_der, NULL),
		    rows[i].want);
		assert_span_equal(buf_span(&out), SPAN_LIT("kept"));
	}
}

/* depth of SEQUENCEs of indefinite length, one in the other. */
static struct buf nested(size_t depth)
{
	struct buf out = BUF_INIT;
	size_t i;

	for (i = 0; i < depth; i++)
		buf_put(&out, SPAN_LIT("\x30\x80"));
	for (i = 0; i < depth; i++)
		buf_put(&out, SPAN_LIT("\x00\x00"));
	return out;
}

static void limits_hold(void **state)
{
	static const struct {
		size_t depth;
		struct ber_limits limits;
		enum result want;
	} rows[] = {
		{ 32, { 32, 4096, 1 << 20 }, OK },
		{ 33, { 32, 4096, 1 << 20 }, ERR_LIMIT },
		{ 33, { 1000, 4096, 1 << 20 }, ERR_LIMIT },
		{ 100000, { 32, 4096, 1 << 20 }, ERR_LIMIT },
		{ 5, { 4, 4096, 1 << 20 }, ERR_LIMIT },
		{ 5, { 5, 5, 20 }, OK },
		{ 5, { 5, 4, 20 }, ERR_LIMIT },
		{ 5, { 5, 5, 19 }, ERR_LIMIT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF in = nested(rows[i].depth), out = BUF_INIT;
		bool was_der;

		assert_int_equal(ber_to_der(buf_span(&in), &rows[i].limits, &out, &was_der, NULL),
				 rows[i].want);
	}
}

/* 128 octets under lengths of one octet, which is minimal, and of two and three. */
static void long_form_lengths(void **state)
{
	static const struct {
		struct span head;
		bool is_der;
	} rows[] = {
		{ SPAN_LIT("\x04\x81\x80"), true },
		{ SPAN_LIT("\x04\x82\x00\x80"), false },
		{ SPAN_LIT("\x04\x83\x00\x00\x80"), false },
	};
	uint8_t content[128] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF in = BUF_INIT, out = BUF_INIT;
		bool was_der = !rows[i].is_der;

		buf_put(&in, rows[i].head);
		buf_put(&in, (struct span)SPAN_ARRAY(content));
		assert_int_equal(
		    ber_to_der(buf_span(&in), &BER_LIMITS_DEFAULT, &out, &was_der, NULL), OK);
		assert_int_equal(was_der, rows[i].is_der);
		assert_int_equal(out.len, was_der ? 0 : 3 + sizeof(content));
	}
}

/* Streamed SignedData from OpenSSL against what asn1crypto makes of it. */
static void streamed_cms(void **state)
{
	BUF ber = unit_vector("signed.ber"), der = unit_vector("signed.der"), out = BUF_INIT;
	bool was_der = true;

	(void)state;
	assert_int_equal(ber_to_der(buf_span(&ber), &BER_LIMITS_DEFAULT, &out, &was_der, NULL), OK);
	assert_false(was_der);
	assert_span_equal(buf_span(&out), buf_span(&der));
}

static void joins_octets(void **state)
{
	static const struct {
		const char *in;
		enum result want;
		const char *out;
	} rows[] = {
		{ "", OK, "" },
		{ "0402aabb", OK, "aabb" },
		{ "0402aabb 0400 0401cc", OK, "aabbcc" },
		{ "0402aabb 020101", ERR_SYNTAX, "" },
		{ "0402aa", ERR_SYNTAX, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF in = unit_hex(rows[i].in), want = unit_hex(rows[i].out), out = BUF_INIT;

		assert_int_equal(ber_join_octets(buf_span(&in), &out, NULL), rows[i].want);
		assert_span_equal(buf_span(&out), buf_span(&want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(becomes_der),  cmocka_unit_test(hostile),
		cmocka_unit_test(limits_hold),  cmocka_unit_test(streamed_cms),
		cmocka_unit_test(joins_octets), cmocka_unit_test(long_form_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
