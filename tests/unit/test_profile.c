/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_fixture.h"

/* ---- subject ---- */

static const struct attr_row cn_and_o[] = {
	{ "CN", PROFILE_REQUIRED, "[A-Za-z0-9._-]{1,16}", NULL, 0 },
	{ "O", PROFILE_OPTIONAL, NULL, NULL, 0 },
	{ "OU", PROFILE_OPTIONAL, NULL, NULL, 2 },
	{ "L", PROFILE_DROP, NULL, NULL, 0 },
	{ "ST", PROFILE_FORBID, NULL, NULL, 0 },
	{ NULL },
};

static const struct attr_row fixed_o[] = {
	{ "C", PROFILE_FIXED, NULL, "AT", 0 },
	{ "O", PROFILE_FIXED, NULL, "Fixed & Co", 0 },
	{ "CN", PROFILE_OPTIONAL, NULL, NULL, 0 },
	{ NULL },
};

static void subject_rows(void **state)
{
	static const struct {
		const struct attr_row *attrs;
		enum profile_choice other;
		const char *asked; /* as openssl writes it: in the order of the encoding */
		enum result want;
		const char *got; /* RFC 4514, so reversed; or part of the error */
	} rows[] = {
		{ cn_and_o, PROFILE_FORBID, "/O=E/CN=r7", OK, "CN=r7,O=E" },
		{ cn_and_o, PROFILE_FORBID, "/CN=r7/O=E", OK, "O=E,CN=r7" },
		{ cn_and_o, PROFILE_FORBID, "/O=E", ERR_BAD_TEMPLATE, "CN is missing" },
		{ cn_and_o, PROFILE_FORBID, "/CN=r 7", ERR_BAD_TEMPLATE, "\"r 7\" does not match" },
		{ cn_and_o, PROFILE_FORBID, "/CN=r7xxxxxxxxxxxxxxxxx", ERR_BAD_TEMPLATE, "match" },
		{ cn_and_o, PROFILE_FORBID, "/CN=r7/CN=r8", ERR_BAD_TEMPLATE, "more often" },
		{ cn_and_o, PROFILE_FORBID, "/OU=a/OU=b/CN=r7", OK, "CN=r7,OU=b,OU=a" },
		{ cn_and_o, PROFILE_FORBID, "/OU=a/OU=b/OU=c/CN=r7", ERR_BAD_TEMPLATE, "OU" },
		{ cn_and_o, PROFILE_FORBID, "/L=Graz/CN=r7", OK, "CN=r7" },
		{ cn_and_o, PROFILE_FORBID, "/ST=x/CN=r7", ERR_BAD_TEMPLATE, "ST is not allowed" },
		{ cn_and_o, PROFILE_FORBID, "/C=AT/CN=r7", ERR_BAD_TEMPLATE, "C is not allowed" },
		{ cn_and_o, PROFILE_DROP, "/C=AT/CN=r7", OK, "CN=r7" },
		{ cn_and_o, PROFILE_OPTIONAL, "/C=AT/CN=r7", OK, "CN=r7,C=AT" },
		{ fixed_o, PROFILE_FORBID, "/CN=r7", OK, "CN=r7,O=Fixed & Co,C=AT" },
		{ fixed_o, PROFILE_FORBID, "/O=Mine/CN=r7", OK, "CN=r7,O=Fixed & Co,C=AT" },
		{ fixed_o, PROFILE_FORBID, "/CN=r7/O=a/O=b", OK, "O=Fixed & Co,CN=r7,C=AT" },
		{ NULL, PROFILE_DROP, "/CN=r7", ERR_BAD_TEMPLATE, "RFC 5280 4.1.2.6" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_freep)
		struct profile *p = new_profile(rows[i].attrs, rows[i].other, NULL, PROFILE_FORBID);
		CLEANUP(profile_result_clear) struct profile_result got = { 0 };
		BUF asked = BUF_INIT;
		BUF text = BUF_INIT;
		struct err err = { 0 };

		assert_int_equal(name_parse_text(rows[i].asked, &asked, NULL), OK);
		if (apply(p, buf_span(&asked), SPAN_NONE, &got, &err) != rows[i].want)
			fail_msg("row %zu: %s", i, err.text);
		if (rows[i].want == OK)
			assert_int_equal(name_put_text(&text, buf_span(&got.subject), NULL), OK);
		else
			buf_put_str(&text, err.text);
		if (!strstr(buf_cstr(&text), rows[i].got))
			fail_msg("row %zu: \"%s\" without \"%s\"", i, buf_cstr(&text), rows[i].got);
	}
}

/* String types and multi-valued RDNs as sent; bytes by hand after X.690. */
static void subject_keeps_bytes(void **state)
{
	static const struct {
		const char *asked;
		const char *want;
	} rows[] = {
		/* O as T61String, CN as BMPString "r7" */
		{ "301b310a3008060355040a140145310d300b06035504031e0400720037",
		  "301b310a3008060355040a140145310d300b06035504031e0400720037" },
		/* one RDN of CN=r and OU=x, then L, which is dropped */
		{ "30253114300806035504031301723008060355040b130178"
		  "310d300b060355040713044772617a",
		  "30163114300806035504031301723008060355040b130178" },
		/* an empty OU counts as not sent */
		{ "3017310a3008060355040313017231093007060355040b1300",
		  "300c310a30080603550403130172" },
	};
	CLEANUP(profile_freep)
	struct profile *p = new_profile(cn_and_o, PROFILE_FORBID, NULL, PROFILE_FORBID);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_result_clear) struct profile_result got = { 0 };
		BUF asked = unit_hex(rows[i].asked);
		BUF want = unit_hex(rows[i].want);
		struct err err = { 0 };

		if (apply(p, buf_span(&asked), SPAN_NONE, &got, &err) != OK)
			fail_msg("row %zu: %s", i, err.text);
		assert_span_equal(buf_span(&got.subject), buf_span(&want));
	}
}

/* ---- subjectAltName ---- */

static const struct attr_row any_cn[] = { { "CN", PROFILE_OPTIONAL, NULL, NULL, 0 }, { NULL } };

static const struct san_row dns_rules[] = {
	{ "[a-z0-9-]+\\.example", SAN_DNS, PROFILE_OPTIONAL, 2 },
	{ "", SAN_IP, PROFILE_OPTIONAL, 1 },
	{ "", SAN_EMAIL, PROFILE_DROP, 0 },
	{ NULL },
};
static const struct san_row dns_required[] = {
	{ "", SAN_DNS, PROFILE_REQUIRED, 1 },
	{ NULL },
};

static void san_rows(void **state)
{
	static const struct {
		const struct san_row *rules;
		enum profile_choice other;
		bool from_cn;
		const char *subject;
		const char *asked[4];
		enum result want;
		const char *got[4]; /* or part of the error */
	} rows[] = {
		{ dns_rules,
		  PROFILE_FORBID,
		  false,
		  "/CN=a",
		  { "DNS:a.example", "DNS:b.example" },
		  OK,
		  { "DNS:a.example", "DNS:b.example" } },
		{ dns_rules,
		  PROFILE_FORBID,
		  false,
		  "/CN=a",
		  { "DNS:a.example", "DNS:b.example", "DNS:c.example" },
		  ERR_BAD_TEMPLATE,
		  { "DNS is sent more often" } },
		{ dns_rules,
		  PROFILE_FORBID,
		  false,
		  "/CN=a",
		  { "DNS:a.example.evil" },
		  ERR_BAD_TEMPLATE,
		  { "\"a.example.evil\" does not match" } },
		{ dns_rules,
		  PROFILE_FORBID,
		  false,
		  "/CN=a",
		  { "email:a@b.example", "IP:192.0.2.1" },
		  OK,
		  { "IP:192.0.2.1" } },
		{ dns_rules,
		  PROFILE_FORBID,
		  false,
		  "/CN=a",
		  { "URI:urn:x" },
		  ERR_BAD_TEMPLATE,
		  { "URI is not allowed" } },
		{ dns_rules, PROFILE_DROP, false, "/CN=a", { "URI:urn:x" }, OK, { NULL } },
		{ dns_rules,
		  PROFILE_OPTIONAL,
		  false,
		  "/CN=a",
		  { "URI:urn:x", "UPN:u@e.example" },
		  OK,
		  { "URI:urn:x", "UPN:u@e.example" } },
		{ dns_required,
		  PROFILE_FORBID,
		  false,
		  "/CN=a",
		  { NULL },
		  ERR_BAD_TEMPLATE,
		  { "DNS is missing" } },
		{ dns_required,
		  PROFILE_FORBID,
		  true,
		  "/CN=a.example",
		  { NULL },
		  OK,
		  { "DNS:a.example" } },
		{ dns_required,
		  PROFILE_FORBID,
		  true,
		  "/CN=Router 7",
		  { NULL },
		  ERR_BAD_TEMPLATE,
		  { "DNS is missing" } },
		{ NULL, PROFILE_FORBID, true, "/CN=a.example", { NULL }, OK, { "DNS:a.example" } },
		{ NULL, PROFILE_FORBID, true, "/CN=192.0.2.1", { NULL }, OK, { NULL } },
		{ NULL, PROFILE_FORBID, true, "/CN=a..example", { NULL }, OK, { NULL } },
		{ NULL, PROFILE_FORBID, true, "/CN=-a.example", { NULL }, OK, { NULL } },
		{ NULL, PROFILE_FORBID, true, "/CN=router", { NULL }, OK, { NULL } },
		{ dns_rules, PROFILE_FORBID, true, "/CN=a.elsewhere", { NULL }, OK, { NULL } },
		{ dns_rules,
		  PROFILE_FORBID,
		  true,
		  "/CN=a.example",
		  { "IP:192.0.2.1" },
		  OK,
		  { "IP:192.0.2.1" } },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_freep)
		struct profile *p =
		    new_profile(any_cn, PROFILE_FORBID, rows[i].rules, rows[i].other);
		CLEANUP(profile_result_clear) struct profile_result got = { 0 };
		BUF subject = BUF_INIT;
		BUF asked = BUF_INIT;
		BUF want = BUF_INIT;
		struct err err = { 0 };

		p->san_from_cn = rows[i].from_cn;
		assert_int_equal(name_parse_text(rows[i].subject, &subject, NULL), OK);
		put_asked(&asked, rows[i].asked, SPAN_NONE);
		if (apply(p, buf_span(&subject), buf_span(&asked), &got, &err) != rows[i].want)
			fail_msg("row %zu: %s", i, err.text);
		if (rows[i].want != OK) {
			if (!strstr(err.text, rows[i].got[0]))
				fail_msg("row %zu: %s", i, err.text);
			continue;
		}
		put_asked(&want, rows[i].got, SPAN_NONE);
		if (want.len == 0)
			assert_int_equal(ext_find(buf_span(&got.exts), OID_SUBJECT_ALT_NAME,
						  &(struct ext){ 0 }, NULL),
					 ERR_NOT_FOUND);
		else if (!memmem(got.exts.data, got.exts.len, want.data, want.len))
			fail_msg("row %zu: other names", i);
	}
}

/* A value that says one thing to who stops at a NUL and another to who does not. */
static void hostile_values(void **state)
{
	/* dNSName "a.example\0.evil", GeneralNames in an Extension */
	static const char exts[] = "301a0603551d1104133011820f612e6578616d70"
				   "6c65002e6576696c";
	/* CN=UTF8String "a\0b" */
	static const char subject[] = "300e310c300a06035504030c03610062";
	CLEANUP(profile_freep)
	struct profile *p = new_profile(any_cn, PROFILE_OPTIONAL, NULL, PROFILE_OPTIONAL);
	CLEANUP(profile_result_clear) struct profile_result got = { 0 };
	BUF san = unit_hex(exts);
	BUF nul = unit_hex(subject);
	BUF cn = BUF_INIT;

	(void)state;
	assert_int_equal(name_parse_text("/CN=a", &cn, NULL), OK);
	assert_int_not_equal(apply(p, buf_span(&cn), buf_span(&san), &got, NULL), OK);
	assert_int_not_equal(apply(p, buf_span(&nul), SPAN_NONE, &got, NULL), OK);
	assert_int_equal(got.subject.len, 0);
}

/* ---- key, extensions, validity ---- */

static void a_ca_is_refused_and_the_rest_ignored(void **state)
{
	static const uint32_t ca_usages[] = { KU_KEY_CERT_SIGN, KU_CRL_SIGN,
					      KU_DIGITAL_SIGNATURE | KU_KEY_CERT_SIGN };
	CLEANUP(profile_freep)
	struct profile *p = new_profile(any_cn, PROFILE_FORBID, NULL, PROFILE_FORBID);
	CLEANUP(profile_result_clear) struct profile_result got = { 0 };
	BUF cn = BUF_INIT;
	BUF exts = BUF_INIT;
	struct ext ext;
	struct err err;
	uint32_t usage = 0;
	size_t i;

	(void)state;
	assert_int_equal(name_parse_text("/CN=a", &cn, NULL), OK);
	ext_put_key_usage(&exts, KU_DATA_ENCIPHERMENT);
	ext_put_basic_constraints(&exts, false, -1);
	assert_int_equal(apply(p, buf_span(&cn), buf_span(&exts), &got, NULL), OK);
	assert_int_equal(ext_find(buf_span(&got.exts), OID_KEY_USAGE, &ext, NULL), OK);
	assert_int_equal(ext_read_key_usage(ext.value, &usage, NULL), OK);
	assert_int_equal(usage, KU_DIGITAL_SIGNATURE);
	buf_reset(&exts);
	ext_put_basic_constraints(&exts, true, -1);
	profile_result_clear(&got);
	assert_int_equal(apply(p, buf_span(&cn), buf_span(&exts), &got, &err), ERR_BAD_TEMPLATE);
	assert_non_null(strstr(err.text, "RFC 5280 4.2.1.9"));
	for (i = 0; i < ARRAY_LEN(ca_usages); i++) {
		buf_reset(&exts);
		ext_put_key_usage(&exts, ca_usages[i]);
		assert_int_equal(apply(p, buf_span(&cn), buf_span(&exts), &got, &err),
				 ERR_BAD_TEMPLATE);
		assert_non_null(strstr(err.text, "RFC 5280 4.2.1.3"));
	}
	buf_put_byte(&exts, 0x30);
	assert_int_equal(apply(p, buf_span(&cn), buf_span(&exts), &got, &err), ERR_SYNTAX);
}

static void keys(void **state)
{
	static const struct {
		struct profile_key rule;
		enum result want;
		const char *says;
	} rows[] = {
		{ { KEY_EC_P256, 0, 0 }, OK, "" },
		{ { KEY_EC_P384, 0, 0 }, ERR_BAD_ALG, "P-256 is not allowed" },
		{ { KEY_RSA, 2048, 4096 }, ERR_BAD_ALG, "which takes RSA 2048..4096" },
		{ { KEY_RSA, 3072, 0 }, ERR_BAD_ALG, "which takes RSA from 3072" },
	};
	CLEANUP(profile_freep)
	struct profile *p = new_profile(any_cn, PROFILE_FORBID, NULL, PROFILE_FORBID);
	BUF cn = BUF_INIT;
	size_t i;

	(void)state;
	assert_int_equal(name_parse_text("/CN=a", &cn, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_result_clear) struct profile_result got = { 0 };
		struct err err = { 0 };

		p->keys[0] = rows[i].rule;
		p->n_keys = 1;
		assert_int_equal(apply(p, buf_span(&cn), SPAN_NONE, &got, &err), rows[i].want);
		if (!strstr(err.text, rows[i].says))
			fail_msg("row %zu: %s", i, err.text);
	}
}

static void validity_stays_within_the_ca(void **state)
{
	static const struct {
		int64_t validity, backdate, ca_from, ca_to;
		enum result want;
		int64_t from, to;
	} rows[] = {
		{ 10 * DAY, 600, -DAY, 90 * DAY, OK, -600, 10 * DAY - 600 },
		{ 100 * DAY, 600, -DAY, 90 * DAY, OK, -600, 90 * DAY },
		{ 10 * DAY, 600, -60, 90 * DAY, OK, -60, 10 * DAY - 600 },
		{ 10 * DAY, 0, -60, 90 * DAY, OK, 0, 10 * DAY },
		{ 10 * DAY, 600, -DAY, 0, ERR_BAD_REQUEST, 0, 0 },
		{ 10 * DAY, 600, -DAY, -60, ERR_BAD_REQUEST, 0, 0 },
		/* a CA that is still to come: as long as ever, from its beginning */
		{ 10 * DAY, 600, DAY, 90 * DAY, OK, DAY, 11 * DAY - 600 },
		{ 10 * DAY, 600, DAY, 5 * DAY, OK, DAY, 5 * DAY },
		{ 10 * DAY, 600, DAY, DAY, ERR_BAD_REQUEST, 0, 0 },
		{ 500, 600, -DAY, 90 * DAY, ERR_BAD_REQUEST, 0, 0 },
	};
	CLEANUP(profile_freep)
	struct profile *p = new_profile(any_cn, PROFILE_FORBID, NULL, PROFILE_FORBID);
	struct profile_request req = { .spki = key_spki(fix.device), .now = NOW };
	BUF cn = BUF_INIT;
	size_t i;

	(void)state;
	assert_int_equal(name_parse_text("/CN=a", &cn, NULL), OK);
	req.subject = buf_span(&cn);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(profile_result_clear) struct profile_result got = { 0 };
		struct profile_issuer by = issuer();

		p->validity = rows[i].validity;
		p->backdate = rows[i].backdate;
		by.not_before = NOW + rows[i].ca_from;
		by.not_after = NOW + rows[i].ca_to;
		assert_int_equal(profile_apply(p, fix.c, &req, &by, &got, NULL), rows[i].want);
		if (rows[i].want != OK)
			continue;
		assert_int_equal(got.not_before - NOW, rows[i].from);
		assert_int_equal(got.not_after - NOW, rows[i].to);
	}
}

static void bad_patterns(void **state)
{
	regex_t unused;

	(void)state;
	assert_int_equal(profile_pattern_compile("a(b", &unused, NULL), ERR_CONFIG);
	assert_int_equal(profile_pattern_compile("[z-a]", &unused, NULL), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subject_rows),
		cmocka_unit_test(subject_keeps_bytes),
		cmocka_unit_test(san_rows),
		cmocka_unit_test(hostile_values),
		cmocka_unit_test(a_ca_is_refused_and_the_rest_ignored),
		cmocka_unit_test(keys),
		cmocka_unit_test(validity_stays_within_the_ca),
		cmocka_unit_test(bad_patterns),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
