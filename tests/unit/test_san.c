/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/san.h"

/* What python3-cryptography put into cert_leaf.der, in its order. */
static const struct {
	enum san_kind kind;
	const char *name;
	const char *text;
} leaf[] = {
	{ SAN_DNS, "DNS", "router7.example" },
	{ SAN_IP, "IP", "192.0.2.7" },
	{ SAN_IP, "IP", "2001:db8::7" },
	{ SAN_URI, "URI", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6" },
	{ SAN_EMAIL, "email", "admin@router7.example" },
	{ SAN_UPN, "UPN", "ad\xc3\xa9le@corp.example" },
	{ SAN_DIRECTORY, "dirName", "CN=dir,O=Example,C=DE" },
	{ SAN_RID, "RID", "1.2.3.4" },
};

static struct span leaf_san(const struct buf *der)
{
	struct cert cert;
	struct ext ext;

	assert_int_equal(cert_parse(buf_span(der), &cert, NULL), OK);
	assert_int_equal(ext_find(cert.exts, OID_SUBJECT_ALT_NAME, &ext, NULL), OK);
	return ext.value;
}

static void read_what_another_made(void **state)
{
	BUF der = unit_vector("cert_leaf.der");
	struct span value = leaf_san(&der);
	struct der_reader list;
	struct san san;
	size_t i;

	(void)state;
	assert_int_equal(san_check(value, NULL), OK);
	assert_int_equal(san_begin(value, &list, NULL), OK);
	for (i = 0; i < ARRAY_LEN(leaf); i++) {
		BUF text = BUF_INIT;

		assert_true(san_next(&list, &san));
		assert_int_equal(san.kind, leaf[i].kind);
		assert_string_equal(san_kind_name(san.kind), leaf[i].name);
		assert_int_equal(san_put_text(&text, &san, NULL), OK);
		assert_string_equal(buf_cstr(&text), leaf[i].text);
	}
	assert_false(san_next(&list, &san));
}

static void written_as_another_does(void **state)
{
	BUF der = unit_vector("cert_leaf.der");
	struct span value = leaf_san(&der);
	BUF names = BUF_INIT;
	BUF got = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(leaf); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "%s:%s", leaf[i].name, leaf[i].text);
		assert_int_equal(san_parse_text(text, &names, NULL), OK);
	}
	der_put_tlv(&got, DER_SEQUENCE, buf_span(&names));
	assert_true(san_equal(buf_span(&got), value));
}

static void text_refused(void **state)
{
	static const char *const rows[] = {
		"",           "DNS",          "DNS:",        "dns.example",
		"DNS:a b",    "DNS:\xc3\xa9", "IP:1.2.3",    "IP:1.2.3.4/8",
		"IP:12345::", "email:",       "email:a\n@b", "URI:",
		"UPN:",       "UPN:\xff",     "RID:1",       "RID:x",
		"X400:a",     "dirName:CN",
	};
	BUF out = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_not_equal(san_parse_text(rows[i], &out, NULL), OK);
		assert_int_equal(out.len, 0);
	}
}

static void hostile(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
	} rows[] = {
		{ "3003820161", OK },
		{ "3000", ERR_SYNTAX }, /* no name */
		{ "", ERR_SYNTAX },
		{ "300382016100", ERR_SYNTAX },   /* trailing byte */
		{ "3003820261", ERR_SYNTAX },     /* cut */
		{ "30028200", ERR_SYNTAX },       /* empty dNSName */
		{ "3003820100", ERR_SYNTAX },     /* NUL */
		{ "3005820361002e", ERR_SYNTAX }, /* NUL within */
		{ "30038201ff", ERR_SYNTAX },
		{ "3003820120", ERR_SYNTAX }, /* RFC 5280 4.2.1.6: " " is not to be used */
		{ "3003a20161", ERR_SYNTAX }, /* constructed */
		{ "3003890161", ERR_SYNTAX }, /* [9] */
		{ "3003160161", ERR_SYNTAX }, /* universal tag */
		{ "3006870401020304", OK },
		{ "30058703010203", ERR_SYNTAX },
		{ "300a87080102030405060708", ERR_SYNTAX },
		{ "30048802 2a03", OK },
		{ "30048802 2a83", ERR_SYNTAX },
		{ "30028800", ERR_SYNTAX },
		{ "3004a402 3000", OK }, /* empty directoryName: for lint to judge */
		{ "3002a400", ERR_SYNTAX },
		{ "3009a007 06022a03 a0010c", ERR_SYNTAX },
		{ "300ca00a 06022a03 a0040c0261", ERR_SYNTAX },
		{ "300ba009 06022a03 a0030c0161", OK },
		{ "3008a006 06022a03 a000", ERR_SYNTAX },
		/* userPrincipalName that is no UTF8String, is empty, is not UTF-8 */
		{ "3013a011 060a2b060104018237140203 a003160161", ERR_SYNTAX },
		{ "3012a010 060a2b060104018237140203 a0020c00", ERR_SYNTAX },
		{ "3013a011 060a2b060104018237140203 a0030c01ff", ERR_SYNTAX },
		{ "3013a011 060a2b060104018237140203 a0030c0161", OK },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF in = unit_hex(rows[i].hex);

		assert_int_equal(san_check(buf_span(&in), NULL), rows[i].want);
	}
}

static void too_many(void **state)
{
	BUF names = BUF_INIT;
	BUF value = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i <= SAN_MAX; i++)
		assert_int_equal(san_parse_text("DNS:a", &names, NULL), OK);
	der_put_tlv(&value, DER_SEQUENCE, buf_span(&names));
	assert_int_equal(san_check(buf_span(&value), NULL), ERR_LIMIT);
}

static void put_list(struct buf *out, const char *const *texts)
{
	BUF names = BUF_INIT;

	for (; *texts; texts++)
		assert_int_equal(san_parse_text(*texts, &names, NULL), OK);
	der_put_tlv(out, DER_SEQUENCE, buf_span(&names));
}

static void compared_as_sets(void **state)
{
	static const struct {
		const char *a[4];
		const char *b[4];
		bool same;
	} rows[] = {
		{ { "DNS:a", "IP:::1" }, { "IP:::1", "DNS:A" }, true },
		{ { "DNS:a", "DNS:b" }, { "DNS:a" }, false },
		{ { "DNS:a" }, { "DNS:a", "DNS:b" }, false },
		{ { "DNS:a", "DNS:a" }, { "DNS:a" }, true },
		{ { "email:u@EXAMPLE" }, { "email:u@example" }, true },
		{ { "email:U@example" }, { "email:u@example" }, false },
		{ { "DNS:a.b" }, { "email:a.b" }, false },
		{ { "URI:http://a/X" }, { "URI:http://a/x" }, false },
		{ { "dirName:CN=A b" }, { "dirName:CN=a  B" }, true },
		{ { "IP:192.0.2.1" }, { "IP:::ffff:192.0.2.1" }, false },
		{ { NULL }, { NULL }, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF a = BUF_INIT;
		BUF b = BUF_INIT;

		put_list(&a, rows[i].a);
		put_list(&b, rows[i].b);
		assert_int_equal(san_equal(buf_span(&a), buf_span(&b)), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_what_another_made),
		cmocka_unit_test(written_as_another_does),
		cmocka_unit_test(text_refused),
		cmocka_unit_test(hostile),
		cmocka_unit_test(too_many),
		cmocka_unit_test(compared_as_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
