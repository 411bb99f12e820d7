/* SPDX-License-Identifier: Apache-2.0 */
/* EST's codecs: bodies, and what a server wants to find in a request. */
#include "unit.h"

#include "base/base64.h"
#include "der/oid.h"
#include "est/attributes.h"
#include "est/body.h"
#include "est/key_reply.h"

/* ---- bodies ---- */

static void bodies_in_many_forms(void **state)
{
	static const struct {
		const char *body;
		enum result want;
	} rows[] = {
		{ "MAMCAQU=", OK },
		{ "MAMC\r\nAQU=\r\n", OK },
		{ "M A\tM\nCAQU", OK },
		{ "-----BEGIN X-----\nMAMCAQU=\n-----END X-----\n", OK },
		{ "text before\n-----BEGIN X-----\nMAMCAQU=\n-----END X-----\n", OK },
		{ "\x30\x03\x02\x01\x05", OK },
		{ "", ERR_SYNTAX },
		{ "\n", ERR_SYNTAX },
		{ "aGVsbG8=", ERR_SYNTAX },          /* hello */
		{ "MAMCAQU=%", ERR_SYNTAX },         /* */
		{ "-----BEGIN X-----", ERR_SYNTAX }, /* */
		{ "-----BEGIN ", ERR_SYNTAX },       /* */
		{ "-----BEGIN X--", ERR_SYNTAX },    /* */
		{ "-----END X-----\n", ERR_SYNTAX }, /* */
		{ "\x02\x01\x05", ERR_SYNTAX },      /* DER, but of no message */
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF decoded = BUF_INIT;
		struct span der = SPAN_NONE;
		enum result r = est_body_read(span_str(rows[i].body), &decoded, &der, NULL);

		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		if (r == OK)
			assert_span_equal(der, SPAN_LIT("\x30\x03\x02\x01\x05"));
	}
}

static void lines_have_64_columns(void **state)
{
	uint8_t bytes[49] = { 0 };
	BUF out = BUF_INIT;
	BUF back = BUF_INIT;
	struct span der;

	(void)state;
	bytes[0] = 0x30;
	est_body_put(&out, SPAN_ARRAY(bytes), EST_LINES_64);
	assert_int_equal(span_find(buf_span(&out), '\n'), 64);
	assert_int_equal(out.data[out.len - 1], '\n');
	assert_int_equal(est_body_read(buf_span(&out), &back, &der, NULL), OK);
	assert_span_equal(der, SPAN_ARRAY(bytes));
	buf_reset(&out);
	est_body_put(&out, SPAN_ARRAY(bytes), EST_LINES_NONE);
	assert_int_equal(out.len, 68);
	assert_int_equal(span_find(buf_span(&out), '\n'), out.len);
}

static void media_types(void **state)
{
	static const struct {
		const char *said;
		bool want;
	} rows[] = {
		{ "application/pkcs10", true },    { "Application/PKCS10; charset=x", true },
		{ "application/pkcs10 ;x", true }, { "application/pkcs1", false },
		{ "application/pkcs10x", false },  { "", false },
		{ "; application/pkcs10", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(est_body_is(span_str(rows[i].said), EST_TYPE_PKCS10),
				 rows[i].want);
}

/* ---- a key and its certificate ---- */

static void keys_come_in_parts(void **state)
{
	static const struct {
		const char *body;
		enum result want;
	} rows[] = {
		{ "preamble\r\n--b\r\nContent-Type: application/pkcs8\r\n\r\nMAMCAQU=\r\n--b\r\n"
		  "Content-Type: application/pkcs7-mime; "
		  "smime-type=certs-only\r\n\r\nMAA=\r\n--b--\r\n",
		  OK },
		{ "--b\nContent-Type: application/pkcs7-mime\n\nMAA=\n--b\nContent-Type: "
		  "application/pkcs8\n\nMAMCAQU=\n--b--",
		  OK },
		{ "", ERR_SYNTAX },
		{ "--", ERR_SYNTAX },
		{ "--b", ERR_SYNTAX },
		{ "--b\n", ERR_SYNTAX },
		{ "--b\n--b\n--b--\n", ERR_SYNTAX },
		{ "--b\nContent-Type: application/pkcs8\n\nMAMCAQU=\n--b--\n", ERR_SYNTAX },
		{ "--b\nContent-Type: application/pkcs8\n\n!\n--b--\n", ERR_SYNTAX },
		{ "--b\nContent-Type: application/pkcs8\n--b--\n", ERR_SYNTAX },
		{ "no parts at all\n", ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF key = BUF_INIT;
		BUF certs = BUF_INIT;
		bool encrypted = true;
		enum result r =
		    est_key_reply_parse(span_str(rows[i].body), &encrypted, &key, &certs, NULL);

		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		if (r != OK)
			continue;
		assert_false(encrypted);
		assert_span_equal(buf_span(&key), SPAN_LIT("\x30\x03\x02\x01\x05"));
		assert_span_equal(buf_span(&certs), SPAN_ARRAY("\x30"));
	}
}

static void what_is_sent_in_parts_is_read(void **state)
{
	const struct est_key_reply sent = { true, SPAN_LIT("\x30\x01\x01"),
					    SPAN_LIT("\x30\x01\x02") };
	BUF body = BUF_INIT;
	BUF key = BUF_INIT;
	BUF certs = BUF_INIT;
	bool encrypted = false;

	(void)state;
	est_key_reply_put(&body, &sent);
	assert_int_equal(est_key_reply_parse(buf_span(&body), &encrypted, &key, &certs, NULL), OK);
	assert_true(encrypted);
	assert_span_equal(buf_span(&key), sent.key);
	assert_span_equal(buf_span(&certs), sent.cert);
}

/* ---- attributes ---- */

/* The example of RFC 7030 4.5.2. */
static void the_example_of_the_rfc(void **state)
{
	struct est_attributes a;
	BUF der = BUF_INIT;

	(void)state;
	assert_int_equal(base64_parse(SPAN_LIT("MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSq"
					       "GSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjOPQQDAw=="),
				      &der, NULL),
			 OK);
	/* its extensionRequest has an OID where Extensions belong, as RFC 9908 3 explains */
	assert_int_equal(est_attributes_parse(buf_span(&der), &a, NULL), OK);
	assert_true(a.link);
	assert_int_equal(a.key, KEY_EC_P384);
	assert_false(a.san);
	assert_int_equal(a.n_subject, 0);
}

static enum result parse_only(struct span der)
{
	struct est_attributes a;

	return est_attributes_parse(der, &a, NULL);
}

static void what_is_put_is_read(void **state)
{
	static const struct est_attributes rows[] = {
		{ .link = true },
		{ .key = KEY_EC_P256 },
		{ .key = KEY_EC_P521, .link = true },
		{ .key = KEY_ED25519 },
		{ .key = KEY_RSA },
		{ .key = KEY_RSA, .bits = 3072 },
		{ .san = true },
		{ .n_subject = 1, .san = true, .link = true, .key = KEY_RSA, .bits = 2048 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct est_attributes a = rows[i], got;
		BUF der = BUF_INIT;

		if (a.n_subject)
			a.subject[0].type = OID_CN;
		est_attributes_put(&der, &a);
		assert_int_equal(est_attributes_parse(buf_span(&der), &got, NULL), OK);
		assert_int_equal(got.link, a.link);
		assert_int_equal(got.key, a.key);
		assert_int_equal(got.bits, a.bits);
		assert_int_equal(got.san, a.san);
		assert_int_equal(got.n_subject, a.n_subject);
		if (a.n_subject)
			assert_span_equal(got.subject[0].type, OID_CN);
		unit_refuses_cuts(buf_span(&der), parse_only);
	}
}

/* A template of CN="x", and challengePassword behind or before it, which does not count then. */
static void a_template_stands_alone(void **state)
{
	static const char *const rows[] = {
		"30313024060b2a864886f70d010910023d31153013020100300c310a30080603550403130178"
		"a10006092a864886f70d010907",
		"303106092a864886f70d0109073024060b2a864886f70d010910023d31153013020100300c31"
		"0a30080603550403130178a100",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i]);
		struct est_attributes a;

		assert_int_equal(est_attributes_parse(buf_span(&der), &a, NULL), OK);
		assert_false(a.link);
		assert_int_equal(a.n_subject, 1);
		assert_span_equal(a.subject[0].type, OID_CN);
		assert_span_equal(a.subject[0].value, SPAN_LIT("\x13\x01x"));
	}
}

static void hostile_attributes(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
	} rows[] = {
		{ "3000", OK },                     /* nothing wanted */
		{ "300406022a03", OK },             /* an OID that nobody knows */
		{ "3008300606022a033100", OK },     /* so is an attribute */
		{ "3003020100", ERR_SYNTAX },       /* neither */
		{ "3100", ERR_SYNTAX },             /* no SEQUENCE */
		{ "30023000", ERR_SYNTAX },         /* an attribute without a type */
		{ "3006300406022a03", ERR_SYNTAX }, /* without values */
		{ "30100e0e300c06022a0331000101ff020100", ERR_SYNTAX },
		/* a template that is empty, and one of version 1 */
		{ "3011300f060b2a864886f70d010910023d3100", ERR_SYNTAX },
		{ "30183016060b2a864886f70d010910023d31073005020101a100", ERR_SYNTAX },
		/* the same of version 0; twice; with an RSA placeholder that is none */
		{ "30183016060b2a864886f70d010910023d31073005020100a100", OK },
		{ "30303016060b2a864886f70d010910023d31073005020100a100"
		  "3016060b2a864886f70d010910023d31073005020100a100",
		  ERR_SYNTAX },
		{ "302e302c060b2a864886f70d010910023d311d301b020100a014300d06092a864886f70d0101010"
		  "500030300050000a100",
		  ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].hex);
		struct est_attributes a;
		enum result r = est_attributes_parse(buf_span(&der), &a, NULL);

		if ((r == OK) != (rows[i].want == OK))
			fail_msg("row %zu: %s", i, err_name(r));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_in_many_forms),
		cmocka_unit_test(lines_have_64_columns),
		cmocka_unit_test(media_types),
		cmocka_unit_test(keys_come_in_parts),
		cmocka_unit_test(what_is_sent_in_parts_is_read),
		cmocka_unit_test(the_example_of_the_rfc),
		cmocka_unit_test(what_is_put_is_read),
		cmocka_unit_test(a_template_stands_alone),
		cmocka_unit_test(hostile_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
