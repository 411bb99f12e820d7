/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/oid.h"
#include "der/text.h"
#include "pki/name.h"

/* A name of one attribute, commonName, of that string type. */
static struct buf cn(const char *tlv)
{
	struct buf v = unit_hex(tlv), out = BUF_INIT;

	buf_put(&out, SPAN_LIT("\x30\x00\x31\x00\x30\x00\x06\x03\x55\x04\x03"));
	buf_put(&out, buf_span(&v));
	out.data[1] = (uint8_t)(out.len - 2);
	out.data[3] = (uint8_t)(out.len - 4);
	out.data[5] = (uint8_t)(out.len - 6);
	buf_clear(&v);
	return out;
}

/*
 * Name, RFC 4514 text. The DER is by python3-cryptography (x509.Name(...).public_bytes()), the text
 * by its rfc4514_string(), but for the types that it gives in dotted form.
 */
static const struct {
	const char *der;
	const char *text;
} same[] = {
	{ "3000", "" },
	{ "30123110300e06035504030c07726f7574657237", "CN=router7" },
	{ "3037310b300906035504061302444531163014060355040a0c0d4578616d706c652c20496e632e3110300e06"
	  "035504030c07726f7574657237",
	  "CN=router7,O=Example\\, Inc.,C=DE" },
	{ "304131173015060a0992268993f22c64011916076578616d706c65310e300c060355040b0c05612b623d6331"
	  "16301406035504030c0d207822795c7a3b203c773e2320",
	  "CN=\\ x\\\"y\\\\z\\; \\<w\\>#\\ ,OU=a\\+b=c,DC=example" },
	{ "3029310a3008060355040a0c014f311b300806035504030c0161300f060a0992268993f22c6401010c0137",
	  "CN=a+UID=7,O=O" },
	{ "301d311b301906035504030c12476572c3a47420cea920e6bca220f09f9880",
	  "CN=Ger\303\244t \316\251 \346\274\242 \360\237\230\200" },
	{ "3027310c300a06035504030c03233132310a300806035504070c016c310b300906035504080c027374",
	  "ST=st,L=l,CN=\\#12" },
	{ "302e311a301806092a864886f70d010901160b6140622e6578616d706c653110300e06035504051307464f43"
	  "31323334",
	  "serialNumber=FOC1234,emailAddress=a@b.example" },
};

static void both_ways(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(same); i++) {
		BUF der = unit_hex(same[i].der), text = BUF_INIT, back = BUF_INIT;

		assert_int_equal(name_check(buf_span(&der), NULL), OK);
		assert_int_equal(name_put_text(&text, buf_span(&der), NULL), OK);
		assert_string_equal(buf_cstr(&text), same[i].text);
		assert_int_equal(name_parse_text(same[i].text, &back, NULL), OK);
		assert_span_equal(buf_span(&back), buf_span(&der));
		assert_int_equal(name_is_empty(buf_span(&der)), i == 0);
	}
}

static void text_is_read(void **state)
{
	static const struct {
		const char *text;
		const char *same_as; /* NULL: ERR_SYNTAX */
	} rows[] = {
		{ "/O=b/CN=a", "CN=a,O=b" },
		{ "/O=b+OU=c/CN=a", "CN=a,O=b+OU=c" },
		{ "/CN=a,b/O=c", "O=c,CN=a\\,b" },
		{ "/CN=a\\/b", "CN=a/b" },
		{ "/", "" },
		{ " CN = a , O = b ", "CN=a,O=b" },
		{ "cn=a;o=b", "CN=a,O=b" },
		{ "O=\"Example, Inc.\" , CN=a", "O=Example\\, Inc.,CN=a" },
		{ "CN=\\41\\ ", "CN=A\\ " },
		{ "CN=\\C3\\A4", "CN=\xc3\xa4" },
		{ "2.5.4.3=a", "CN=a" },
		{ "CN=#0c0161", "CN=a" },
		{ "E=a@b.c", "emailAddress=a@b.c" },
		{ "S=Bayern", "ST=Bayern" },
		{ "CN", NULL },
		{ "CN=", NULL },
		{ "=a", NULL },
		{ "XX=a", NULL },
		{ "CN=a,", NULL },
		{ "CN=a,,O=b", NULL },
		{ "CN=a+", NULL },
		{ "//CN=a", NULL },
		{ "CN=\"a", NULL },
		{ "CN=\"a\"b", NULL },
		{ "CN=a\\", NULL },
		{ "CN=\\00", NULL },
		{ "CN=\\ff", NULL },
		{ "CN=#", NULL },
		{ "CN=#0c02", NULL },
		{ "CN=#0c016100", NULL },
		{ "C=D_", NULL },
		{ "DC=\xc3\xa4", NULL },
		{ "3.1=a", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF got = BUF_INIT, want = BUF_INIT;

		assert_int_equal(name_parse_text(rows[i].text, &got, NULL),
				 rows[i].same_as ? OK : ERR_SYNTAX);
		if (!rows[i].same_as) {
			assert_int_equal(got.len, 0);
			continue;
		}
		assert_int_equal(name_parse_text(rows[i].same_as, &want, NULL), OK);
		assert_span_equal(buf_span(&got), buf_span(&want));
	}
}

static void odd_values_in_text(void **state)
{
	static const struct {
		const char *value;
		const char *text;
	} rows[] = {
		{ "0c03610a62", "CN=a\\0Ab" },
		{ "0c0361ff62", "CN=#0c0361ff62" },
		{ "1303610062", "CN=#1303610062" },
		{ "0402aabb", "CN=#0402aabb" },
		{ "3003020105", "CN=#3003020105" },
		{ "1403e4f6fc", "CN=\xc3\xa4\xc3\xb6\xc3\xbc" },
		{ "1e0400e42126", "CN=\xc3\xa4\xe2\x84\xa6" },
		{ "1e04d83dde00", "CN=\xf0\x9f\x98\x80" },
		{ "1c040001f600", "CN=\xf0\x9f\x98\x80" },
		{ "1e0100", "CN=#1e0100" },
		{ "1e02d83d", "CN=#1e02d83d" },
		{ "1c0400110000", "CN=#1c0400110000" },
		{ "1301ff", "CN=#1301ff" },
		{ "0c02c080", "CN=#0c02c080" },
		{ "0c02c1a1", "CN=#0c02c1a1" },
		{ "0c03e081a1", "CN=#0c03e081a1" },
		{ "0c04f08080e1", "CN=#0c04f08080e1" },
		{ "0c04f4908080", "CN=#0c04f4908080" },
		{ "0c03eda080", "CN=#0c03eda080" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = cn(rows[i].value), text = BUF_INIT;

		assert_int_equal(name_put_text(&text, buf_span(&der), NULL), OK);
		assert_string_equal(buf_cstr(&text), rows[i].text);
	}
}

static void unknown_type_in_text(void **state)
{
	BUF der = unit_hex("300d310b3009060329030 40c026162"), text = BUF_INIT, back = BUF_INIT;

	(void)state;
	assert_int_equal(name_put_text(&text, buf_span(&der), NULL), OK);
	assert_string_equal(buf_cstr(&text), "1.1.3.4=#0c026162");
	assert_int_equal(name_parse_text(buf_cstr(&text), &back, NULL), OK);
	assert_span_equal(buf_span(&back), buf_span(&der));
}

static void compares_leniently(void **state)
{
	static const struct {
		const char *a, *b;
		bool ordered, unordered;
		bool key; /* which RDN an attribute is in does not count */
	} rows[] = {
		{ "CN=a,O=b", "CN=a,O=b", true, true, true },
		{ "CN=Router  Seven ", "cn=router seven", true, true, true },
		{ "CN=\\ a", "CN=a", true, true, true },
		{ "CN=a,O=b", "O=b,CN=a", false, true, true },
		{ "CN=a,OU=b,O=c", "OU=b,O=c,CN=a", false, true, true },
		{ "CN=a,CN=a", "CN=a,CN=b", false, false, false },
		{ "CN=a,CN=b", "CN=a,CN=a", false, false, false },
		{ "CN=a", "CN=a,O=b", false, false, false },
		{ "CN=a b", "CN=ab", false, false, false },
		{ "CN=a", "O=a", false, false, false },
		{ "CN=a+O=b", "CN=a,O=b", false, false, true },
		{ "CN=a+O=b,C=DE", "O=B+CN=A,C=de", true, true, true },
		{ "CN=a+CN=a", "CN=a", false, false, false },
		{ "", "", true, true, true },
		{ "", "CN=a", false, false, false },
		{ "CN=#0402aabb", "CN=#0402aabb", true, true, true },
		{ "CN=#0402aabb", "CN=#0402aabc", false, false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF a = BUF_INIT, b = BUF_INIT, key_a = BUF_INIT, key_b = BUF_INIT;

		assert_int_equal(name_parse_text(rows[i].a, &a, NULL), OK);
		assert_int_equal(name_parse_text(rows[i].b, &b, NULL), OK);
		assert_int_equal(name_put_key(&key_a, buf_span(&a), NULL), OK);
		assert_int_equal(name_put_key(&key_b, buf_span(&b), NULL), OK);
		assert_int_equal(span_eq(buf_span(&key_a), buf_span(&key_b)), rows[i].key);
		assert_int_equal(name_equal(buf_span(&a), buf_span(&b)), rows[i].ordered);
		assert_int_equal(name_equal_unordered(buf_span(&a), buf_span(&b)),
				 rows[i].unordered);
	}
}

static void string_types_do_not_matter(void **state)
{
	static const char *const forms[] = {
		"0c024162",     "13024162",     "16024162",
		"14026142",     "1e0400410062", "1c080000004100000062",
		"0c0420416220",
	};
	BUF other = cn("0c0162");
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_LEN(forms); i++)
		for (j = 0; j < ARRAY_LEN(forms); j++) {
			BUF a = cn(forms[i]), b = cn(forms[j]);

			assert_true(name_equal(buf_span(&a), buf_span(&b)));
			assert_false(name_equal(buf_span(&a), buf_span(&other)));
		}
}

static void hostile_names(void **state)
{
	static const struct {
		const char *der;
		enum result want;
	} rows[] = {
		{ "", ERR_SYNTAX },
		{ "3100", ERR_SYNTAX },
		{ "3000 00", ERR_SYNTAX },
		{ "3002 3100", ERR_SYNTAX },
		{ "3002 3000", ERR_SYNTAX },
		{ "3004 3102 3000", ERR_SYNTAX },
		{ "3009 3107 3005 0603550403", ERR_SYNTAX },
		{ "300d 310b 3009 0603550403 0c0161 05", ERR_SYNTAX },
		{ "300e 310c 300a 0603550403 0c0161 00", ERR_SYNTAX },
		{ "300c 310a 3008 0603550403 0c0261", ERR_SYNTAX },
		{ "300c 310a 3008 0603550483 0c0161", ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].der), text = BUF_INIT;
		struct name_attr attr;
		struct name_iter it;

		assert_int_equal(name_check(buf_span(&der), NULL), rows[i].want);
		assert_int_equal(name_put_text(&text, buf_span(&der), NULL), rows[i].want);
		assert_int_equal(text.len, 0);
		name_iter_init(&it, buf_span(&der));
		while (name_next(&it, &attr))
			;
	}
}

static void too_many_attributes(void **state)
{
	BUF text = BUF_INIT, der = BUF_INIT;
	int i;

	(void)state;
	for (i = 0; i < NAME_RDN_MAX; i++)
		buf_put_str(&text, i ? ",CN=a" : "CN=a");
	assert_int_equal(name_parse_text(buf_cstr(&text), &der, NULL), OK);
	assert_int_equal(name_check(buf_span(&der), NULL), OK);
	buf_put_str(&text, "+O=b");
	assert_int_equal(name_parse_text(buf_cstr(&text), &der, NULL), ERR_LIMIT);
}

static void finds_common_name(void **state)
{
	BUF der = BUF_INIT, none = BUF_INIT, out = BUF_INIT;

	(void)state;
	assert_int_equal(name_parse_text("CN=second,CN=first,O=o", &der, NULL), OK);
	assert_int_equal(name_common_name(buf_span(&der), &out, NULL), OK);
	assert_string_equal(buf_cstr(&out), "first");
	assert_int_equal(name_parse_text("O=o", &none, NULL), OK);
	assert_int_equal(name_common_name(buf_span(&none), &out, NULL), ERR_NOT_FOUND);
}

static void types_by_name(void **state)
{
	(void)state;
	assert_string_equal(name_type_text(OID_ST), "ST");
	assert_null(name_type_text(OID_SHA256));
	assert_span_equal(name_type_parse("Email"), OID_EMAIL_ADDRESS);
	assert_int_equal(name_type_parse("nonsense").len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),          cmocka_unit_test(text_is_read),
		cmocka_unit_test(odd_values_in_text), cmocka_unit_test(unknown_type_in_text),
		cmocka_unit_test(compares_leniently), cmocka_unit_test(string_types_do_not_matter),
		cmocka_unit_test(hostile_names),      cmocka_unit_test(too_many_attributes),
		cmocka_unit_test(finds_common_name),  cmocka_unit_test(types_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
