/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's wire and the rules' text: what comes in broken is refused. */
#include "unit.h"

#include "keeper/rule.h"
#include "keeper/wire.h"

#define DAY 86400

/* ---- wire ---- */

static void wire_round_trips(void **state)
{
	static const struct keeper_request rows[] = {
		{ .op = KEEPER_PING },
		{ .op = KEEPER_OPEN, .id = SPAN_LIT("demo-ca-1") },
		{ .op = KEEPER_GENERATE,
		  .id = SPAN_LIT("a"),
		  .spec = { KEY_RSA, 4096 },
		  .payload = SPAN_LIT("csr yes\n") },
		{ .op = KEEPER_SIGN,
		  .id = SPAN_LIT("a"),
		  .purpose = KEY_FOR_CRL,
		  .alg = { KEY_EC_P384, DIGEST_SHA384 },
		  .payload = SPAN_LIT("m") },
		{ .op = KEEPER_SIGN,
		  .id = SPAN_LIT("tls-1"),
		  .purpose = KEY_FOR_TLS,
		  .alg = { KEY_RSA, DIGEST_SHA256, true },
		  .payload = SPAN_LIT("m") },
		{ .op = KEEPER_DECRYPT,
		  .id = SPAN_LIT("a"),
		  .transport = { true, DIGEST_SHA256, DIGEST_SHA1 },
		  .payload = SPAN_LIT("c") },
		{ .op = KEEPER_SUCCEED,
		  .id = SPAN_LIT("a-2"),
		  .spec = { KEY_RSA, 3072 },
		  .payload = SPAN_LIT("a-1") },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct keeper_request got = { 0 };
		uint8_t header[KEEPER_HEADER];
		BUF message = BUF_INIT;

		keeper_wire_put_request(&rows[i], header);
		buf_put(&message, SPAN_ARRAY(header));
		buf_put(&message, rows[i].id);
		buf_put(&message, rows[i].payload);
		assert_int_equal(keeper_wire_get_request(buf_span(&message), &got, NULL), OK);
		assert_int_equal(got.op, rows[i].op);
		assert_true(span_eq(got.id, rows[i].id));
		assert_true(span_eq(got.payload, rows[i].payload));
		assert_int_equal(got.spec.kind, rows[i].spec.kind);
		assert_int_equal(got.spec.bits, rows[i].spec.bits);
		assert_int_equal(got.purpose, rows[i].purpose);
		assert_int_equal(got.alg.kind, rows[i].alg.kind);
		assert_int_equal(got.alg.digest, rows[i].alg.digest);
		assert_int_equal(got.alg.pss, rows[i].alg.pss);
		assert_int_equal(got.transport.oaep, rows[i].transport.oaep);
		assert_int_equal(got.transport.digest, rows[i].transport.digest);
		assert_int_equal(got.transport.mgf_digest, rows[i].transport.mgf_digest);
	}
}

static void hostile_requests(void **state)
{
	static const struct {
		const char *why;
		struct span in;
		enum result want;
	} rows[] = {
		{ "nothing", SPAN_LIT(""), ERR_SYNTAX },
		{ "half a header", SPAN_LIT("\0\0\0\0\1\0"), ERR_SYNTAX },
		{ "ping", SPAN_LIT("\0\0\0\0\1\0\0\0\0\0\0\0"), OK },
		{ "version", SPAN_LIT("\0\0\0\0\2\0\0\0\0\0\0\0"), ERR_SYNTAX },
		{ "operation", SPAN_LIT("\0\0\0\0\1\5\0\0\0\0\0\0"), ERR_SYNTAX },
		{ "length above cap", SPAN_LIT("\xff\xff\xff\xff\1\0\0\0\0\0\0\0"), ERR_LIMIT },
		{ "length too long", SPAN_LIT("\0\0\0\2\1\1\1\0\0\0\0\0a"), ERR_SYNTAX },
		{ "length too short", SPAN_LIT("\0\0\0\1\1\1\1\0\0\0\0\0aa"), ERR_SYNTAX },
		{ "ping with payload", SPAN_LIT("\0\0\0\1\1\0\0\0\0\0\0\0a"), ERR_SYNTAX },
		{ "ping with id", SPAN_LIT("\0\0\0\1\1\0\1\0\0\0\0\0a"), ERR_SYNTAX },
		{ "open", SPAN_LIT("\0\0\0\1\1\1\1\0\0\0\0\0a"), OK },
		{ "open without id", SPAN_LIT("\0\0\0\0\1\1\0\0\0\0\0\0"), ERR_SYNTAX },
		{ "id past the end", SPAN_LIT("\0\0\0\1\1\1\2\0\0\0\0\0a"), ERR_SYNTAX },
		{ "id climbs out", SPAN_LIT("\0\0\0\2\1\1\2\0\0\0\0\0.."), ERR_SYNTAX },
		{ "id upper case", SPAN_LIT("\0\0\0\1\1\1\1\0\0\0\0\0A"), ERR_SYNTAX },
		{ "id with NUL", SPAN_LIT("\0\0\0\2\1\1\2\0\0\0\0\0a\0"), ERR_SYNTAX },
		{ "sign nothing", SPAN_LIT("\0\0\0\1\1\3\1\0\1\3\0\0a"), ERR_SYNTAX },
		{ "sign", SPAN_LIT("\0\0\0\2\1\3\1\0\1\3\0\0ab"), OK },
		{ "sign who is next", SPAN_LIT("\0\0\0\2\1\3\1\7\1\3\0\0ab"), OK },
		{ "purpose", SPAN_LIT("\0\0\0\2\1\3\1\x08\1\3\0\0ab"), ERR_SYNTAX },
		{ "padding", SPAN_LIT("\0\0\0\2\1\3\1\5\1\3\0\2ab"), ERR_SYNTAX },
		{ "key kind", SPAN_LIT("\0\0\0\2\1\3\1\0\x09\3\0\0ab"), ERR_SYNTAX },
		{ "digest", SPAN_LIT("\0\0\0\2\1\3\1\0\1\6\0\0ab"), ERR_SYNTAX },
		{ "decrypt", SPAN_LIT("\0\0\0\2\1\4\1\1\3\3\0\0ab"), OK },
		{ "oaep", SPAN_LIT("\0\0\0\2\1\4\1\2\3\3\0\0ab"), ERR_SYNTAX },
		{ "make what", SPAN_LIT("\0\0\0\2\1\2\1\x09\0\0\x40\1ab"), ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct keeper_request req = { .op = KEEPER_DECRYPT };
		enum result got = keeper_wire_get_request(rows[i].in, &req, NULL);

		if (got != rows[i].want)
			fail_msg("%s: %s", rows[i].why, err_name(got));
		if (got != OK)
			assert_int_equal(req.op, KEEPER_DECRYPT);
	}
}

static void hostile_replies(void **state)
{
	static const struct {
		struct span in;
		enum result want;
	} rows[] = {
		{ SPAN_LIT("\0\0\0\1\1\0\1\0\0\0\x08\0s"), OK },
		{ SPAN_LIT("\0\0\0\1\1\xff\0\0\0\0\0\0s"), ERR_SYNTAX },
		{ SPAN_LIT("\0\0\0\1\1\0\x09\0\0\0\0\0s"), ERR_SYNTAX },
		{ SPAN_LIT("\0\1\0\1\1\0\0\0\0\0\0\0s"), ERR_LIMIT },
		{ SPAN_LIT("\0\0\0\1\1\0\0\0\0\0\0\0"), ERR_SYNTAX },
		{ SPAN_LIT("\0\0\0\0\1\0\0\0\0\0\0\0s"), ERR_SYNTAX },
	};
	struct keeper_reply reply;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(keeper_wire_get_reply(rows[i].in, &reply, NULL), rows[i].want);
}

/* ---- rules ---- */

static void rule_text_both_ways(void **state)
{
	struct key_rule rule = { .certificates = true,
				 .decrypt = true,
				 .max_validity = 5 * DAY,
				 .max_own_validity = 3650LL * DAY,
				 .max_kept_validity = 7 * DAY };
	CLEANUP(key_rule_clear) struct key_rule got = { 0 };
	BUF text = BUF_INIT;

	(void)state;
	buf_put(&rule.issuer, SPAN_LIT("\x30\x00"));
	assert_int_equal(key_rule_write(&rule, &text, NULL), OK);
	assert_int_equal(key_rule_read(buf_span(&text), &got, NULL), OK);
	assert_true(got.certificates && got.decrypt && !got.crls && !got.ca_certificates);
	assert_true(!got.content && !got.csr);
	assert_int_equal(got.max_validity, rule.max_validity);
	assert_int_equal(got.max_own_validity, rule.max_own_validity);
	assert_int_equal(got.max_kept_validity, rule.max_kept_validity);
	assert_true(span_eq(buf_span(&got.issuer), buf_span(&rule.issuer)));
	key_rule_clear(&rule);
}

static void broken_rule_texts(void **state)
{
	static const char *const rows[] = {
		"crls",
		"crls yes",
		"crls maybe\n",
		"crls \n",
		"crls yes\ncrls no\n",
		"sign-everything yes\n",
		"max-validity -1\n",
		"max-validity 1e9\n",
		"max-validity \n",
		"max-validity 9999999999999999\n",
		"issuer 3\n",
		"\n",
		" crls yes\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct key_rule rule = { .csr = true };

		assert_int_equal(key_rule_read(span_str(rows[i]), &rule, NULL), ERR_SYNTAX);
		assert_true(rule.csr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_round_trips),  cmocka_unit_test(hostile_requests),
		cmocka_unit_test(hostile_replies),   cmocka_unit_test(rule_text_both_ways),
		cmocka_unit_test(broken_rule_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
