/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "der/oid.h"
#include "der/reader.h"
#include "der/writer.h"

static void hostile_headers(void **state)
{
	static const struct {
		struct span in;
		enum result want;
	} rows[] = {
		{ SPAN_LIT("\x30\x00"), OK },
		{ SPAN_LIT(""), ERR_SYNTAX },
		{ SPAN_LIT("\x30"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x01"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x80\x00\x00"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x81\x00"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x82\x00\x80"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x84\xff\xff\xff\xff"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x85\x01\x00\x00\x00\x00"), ERR_LIMIT },
		{ SPAN_LIT("\x31\x00"), ERR_SYNTAX },
		{ SPAN_LIT("\x30\x00\x00"), ERR_SYNTAX },
		{ SPAN_LIT("\x3f\x81\x00"), ERR_SYNTAX },
	};
	struct der_reader inner;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(der_read_whole(rows[i].in, DER_SEQUENCE, "row", &inner, NULL),
				 rows[i].want);
}

static void integers(void **state)
{
	static const struct {
		struct span in;
		enum result want;
		uint64_t value;
	} rows[] = {
		{ SPAN_LIT("\x02\x01\x05"), OK, 5 },
		{ SPAN_LIT("\x02\x02\x00\xff"), OK, 255 },
		{ SPAN_LIT("\x02\x02\x00\x7f"), ERR_SYNTAX, 0 },
		{ SPAN_LIT("\x02\x01\xff"), ERR_SYNTAX, 0 },
		{ SPAN_LIT("\x02\x00"), ERR_SYNTAX, 0 },
		{ SPAN_LIT("\x02\x03\x01\x00\x01"), ERR_LIMIT, 0 },
		{ SPAN_LIT("\x02\x0a\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00"), ERR_LIMIT, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct der_reader r;
		uint64_t v = 0;

		der_reader_init(&r, rows[i].in);
		assert_int_equal(der_read_uint(&r, "row", 65535, &v, NULL), rows[i].want);
		assert_int_equal(v, rows[i].value);
	}
}

static void times_both_ways(void **state)
{
	static const struct {
		int64_t t;
		const char *text;
		uint8_t tag;
	} rows[] = {
		{ 0, "700101000000Z", DER_UTC_TIME },
		{ 951782400, "000229000000Z", DER_UTC_TIME },
		{ 1795293840, "261121204400Z", DER_UTC_TIME },
		{ 2524607999, "491231235959Z", DER_UTC_TIME },
		{ 2524608000, "20500101000000Z", DER_GENERALIZED_TIME },
		{ 253402300799, "99991231235959Z", DER_GENERALIZED_TIME },
		{ -631152000, "500101000000Z", DER_UTC_TIME },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF got = BUF_INIT;
		BUF want = BUF_INIT;
		struct der_reader r;
		int64_t t = 1;

		der_put_time(&got, rows[i].t);
		der_put_tlv(&want, rows[i].tag, span_str(rows[i].text));
		assert_true(span_eq(buf_span(&got), buf_span(&want)));
		der_reader_init(&r, buf_span(&got));
		assert_int_equal(der_read_time(&r, "row", &t, NULL), OK);
		assert_int_equal(t, rows[i].t);
	}
}

static void impossible_times(void **state)
{
	static const char *const rows[] = { "261321204400Z", "260229000000Z", "2611212044Z",
					    "261121204460Z", "26112120440xZ", "261121204400+" };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF in = BUF_INIT;
		struct der_reader r;
		int64_t t = 7;

		der_put_tlv(&in, DER_UTC_TIME, span_str(rows[i]));
		der_reader_init(&r, buf_span(&in));
		assert_int_equal(der_read_time(&r, "row", &t, NULL), ERR_SYNTAX);
		assert_int_equal(t, 7);
	}
}

static void writer_makes_canonical_der(void **state)
{
	BUF out = BUF_INIT;
	size_t set;

	(void)state;
	set = der_open(&out, DER_SET);
	der_put_octets(&out, SPAN_LIT("bb"));
	der_put_octets(&out, SPAN_LIT("a"));
	der_put_uint(&out, 128);
	der_close_set_of(&out, set);
	assert_true(span_eq(buf_span(&out), SPAN_LIT("\x31\x0b\x02\x02\x00\x80\x04\x01"
						     "a"
						     "\x04\x02"
						     "bb")));
	buf_reset(&out);
	der_put_named_bits(&out, 1u << 5 | 1u << 6);
	assert_true(span_eq(buf_span(&out), SPAN_LIT("\x03\x02\x01\x06")));
	buf_reset(&out);
	der_put_named_bits(&out, 0);
	assert_true(span_eq(buf_span(&out), SPAN_LIT("\x03\x01\x00")));
}

static void depth_is_bounded(void **state)
{
	uint8_t nest[2 * 40];
	struct der_reader r, inner;
	enum result got = OK;
	size_t i;

	(void)state;
	for (i = 0; i < 40; i++) {
		nest[2 * i] = DER_SEQUENCE;
		nest[2 * i + 1] = (uint8_t)(2 * (39 - i));
	}
	der_reader_init(&r, SPAN_ARRAY(nest));
	for (i = 0; got == OK && i < 40; i++, r = inner)
		got = der_enter(&r, DER_SEQUENCE, "nest", &inner, NULL);
	assert_int_equal(got, ERR_LIMIT);
	assert_int_equal(i, DER_DEPTH_MAX + 1);
}

static void oids(void **state)
{
	BUF text = BUF_INIT;
	BUF octets = BUF_INIT;

	(void)state;
	oid_put_text(&text, OID_SHA256_WITH_RSA);
	assert_true(span_eq_str(buf_span(&text), "1.2.840.113549.1.1.11"));
	assert_int_equal(oid_parse("2.16.840.1.113733.1.9.7", &octets, NULL), OK);
	assert_true(span_eq(buf_span(&octets), OID_SCEP_TRANSACTION_ID));
	assert_string_equal(oid_name(buf_span(&octets)), "transactionID");
	assert_int_equal(oid_parse("1", &octets, NULL), ERR_SYNTAX);
	assert_int_equal(oid_parse("1.40.1", &octets, NULL), ERR_SYNTAX);
	assert_int_equal(oid_parse("1.2..3", &octets, NULL), ERR_SYNTAX);
	assert_int_equal(oid_parse("3.1", &octets, NULL), ERR_SYNTAX);
	buf_reset(&text);
	buf_put_str(&text, "1.2");
	while (text.len < 2 * OID_OCTETS_MAX + 1)
		buf_put_str(&text, ".1");
	buf_reset(&octets);
	assert_int_equal(oid_parse(buf_cstr(&text), &octets, NULL), OK);
	assert_int_equal(octets.len, OID_OCTETS_MAX);
	buf_put_str(&text, ".1");
	assert_int_equal(oid_parse(buf_cstr(&text), &octets, NULL), ERR_LIMIT);
	assert_int_equal(octets.len, OID_OCTETS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_headers),
		cmocka_unit_test(integers),
		cmocka_unit_test(times_both_ways),
		cmocka_unit_test(impossible_times),
		cmocka_unit_test(writer_makes_canonical_der),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(oids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
