/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "keeper/rule.h"
#include "ocsp/cache.h"
#include "ocsp/response.h"
#include "pki/cert.h"
#include "pki/key_evp.h"
#include "pki/name.h"

#define NOW 1795293840 /* 2026-11-21T20:44:00Z */
#define NONCE SPAN_LIT("nonce of 17 bytes")

static enum result parse_request(struct span der)
{
	struct ocsp_request req;

	return ocsp_request_parse(der, &req, NULL);
}

static enum result parse_response(struct span der)
{
	struct ocsp_response resp;

	return ocsp_response_parse(der, &resp, NULL);
}

/* ---- requests ---- */

static void requests_of_others(void **state)
{
	BUF one = unit_vector("ocsp_request.der"), many = unit_vector("ocsp_request_many.der");
	struct ocsp_request req;

	(void)state;
	assert_int_equal(ocsp_request_parse(buf_span(&one), &req, NULL), OK);
	assert_int_equal(req.n, 1);
	assert_int_equal(req.certs[0].hash, DIGEST_SHA256);
	assert_int_equal(req.certs[0].name_hash.len, 32);
	assert_int_equal(req.certs[0].key_hash.len, 32);
	assert_span_equal(req.certs[0].serial, SPAN_LIT("\x00\xf0\x0d"));
	assert_span_equal(req.nonce, NONCE);
	assert_int_equal(ocsp_request_parse(buf_span(&many), &req, NULL), OK);
	assert_int_equal(req.n, 3);
	assert_int_equal(req.nonce.len, 0);
	assert_int_equal(req.certs[0].hash, DIGEST_SHA1);
	assert_int_equal(req.certs[1].hash, DIGEST_NONE); /* it matches no issuer */
	assert_span_equal(req.certs[1].serial, SPAN_LIT("\xfb"));
	assert_int_equal(req.certs[2].serial.len, 13);
}

static void requests_both_ways(void **state)
{
	struct ocsp_request req = { .n = OCSP_CERTS_MAX, .nonce = SPAN_LIT("\x01") }, got;
	uint8_t hash[DIGEST_MAX] = { 7 };
	BUF der = BUF_INIT, longer = BUF_INIT, nonce = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < req.n; i++)
		req.certs[i] = (struct ocsp_cert_id){ .hash = DIGEST_SHA512,
						      .name_hash = span_of(hash, 64),
						      .key_hash = span_of(hash, 64),
						      .serial = SPAN_LIT("\x40\x01") };
	assert_int_equal(ocsp_request_build(&req, &der, NULL), OK);
	assert_int_equal(ocsp_request_parse(buf_span(&der), &got, NULL), OK);
	assert_int_equal(got.n, OCSP_CERTS_MAX);
	assert_span_equal(got.nonce, req.nonce);
	assert_span_equal(got.certs[31].key_hash, req.certs[31].key_hash);
	req.n = 1;
	for (i = 0; i < OCSP_NONCE_MAX + 1; i++)
		buf_put_byte(&nonce, 1);
	req.nonce = buf_span(&nonce);
	assert_int_equal(ocsp_request_build(&req, &longer, NULL), OK);
	assert_int_equal(ocsp_request_parse(buf_span(&longer), &got, NULL), ERR_LIMIT);
}

static void hostile_requests(void **state)
{
#define ID "303a300906052b0e03021a05000414" H20 "0414" H20 "020103"
#define H20 "6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e"
	static const struct {
		const char *hex;
		enum result want;
	} rows[] = {
		{ "3042"
		  "3040"
		  "303e"
		  "303c" ID,
		  OK },
		{ "30"
		  "02"
		  "3000",
		  ERR_SYNTAX }, /* no list */
		{ "3004"
		  "3002"
		  "3000",
		  ERR_SYNTAX }, /* an empty one */
		{ "3006"
		  "3004"
		  "3002"
		  "3000",
		  ERR_SYNTAX },
		/* version v2; critical extension of the request, of the certificate; empty nonce */
		{ "3047"
		  "3045"
		  "a003020101"
		  "303e"
		  "303c" ID,
		  ERR_LIMIT },
		{ "3051"
		  "304f"
		  "303e"
		  "303c" ID "a20d300b30090602 2a03 0101ff 0400",
		  ERR_BAD_REQUEST },
		{ "3051"
		  "304f"
		  "304d"
		  "304b" ID "a00d300b30090602 2a03 0101ff 0400",
		  ERR_BAD_REQUEST },
		{ "3057"
		  "3055"
		  "303e"
		  "303c" ID "a2133011300f0609 2b0601050507300102 0402 0400",
		  ERR_LIMIT },
		/* bytes behind */
		{ "3044"
		  "3040"
		  "303e"
		  "303c" ID "0500",
		  ERR_SYNTAX },
	};
	BUF one = unit_vector("ocsp_request.der"), many = unit_vector("ocsp_request_many.der");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_hex(rows[i].hex);

		if (parse_request(buf_span(&der)) != rows[i].want)
			fail_msg("row %zu: %d", i, parse_request(buf_span(&der)));
	}
	unit_refuses_cuts(buf_span(&one), parse_request);
	unit_survives_flips(buf_span(&one), parse_request);
	unit_refuses_cuts(buf_span(&many), parse_request);
}

/* ---- responses ---- */

static void responses_of_others(void **state)
{
	static const struct {
		const char *file;
		enum ocsp_cert_state want;
		bool by_name;
	} rows[] = {
		{ "ocsp_good.der", OCSP_GOOD, false },
		{ "ocsp_revoked.der", OCSP_REVOKED, true },
		{ "ocsp_unknown.der", OCSP_UNKNOWN, false },
	};
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	size_t i;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = unit_vector(rows[i].file);
		CLEANUP(pubkey_freep) struct pubkey *key = NULL;
		struct ocsp_response r;
		struct cert cert;

		assert_int_equal(ocsp_response_parse(buf_span(&der), &r, NULL), OK);
		assert_int_equal(r.status, OCSP_SUCCESSFUL);
		assert_int_equal(r.data.n, 1);
		assert_int_equal(r.data.singles[0].state, rows[i].want);
		assert_int_equal(r.data.singles[0].this_update, NOW);
		assert_int_equal(r.data.singles[0].next_update, NOW + 3600);
		assert_int_equal(r.data.by_name, rows[i].by_name);
		assert_span_equal(r.data.nonce, NONCE);
		if (rows[i].want == OCSP_REVOKED)
			assert_int_equal(r.data.singles[0].reason, CRL_SUPERSEDED);
		assert_int_equal(cert_parse(r.cert, &cert, NULL), OK);
		assert_int_equal(pubkey_new(&key, c, cert.spki, NULL), OK);
		assert_int_equal(pubkey_verify(key, c, r.sig_alg, r.tbs, r.signature, NULL), OK);
		unit_refuses_cuts(buf_span(&der), parse_response);
		unit_survives_flips(buf_span(&der), parse_response);
	}
}

static void put_data(struct buf *out)
{
	struct ocsp_data data = { .responder = SPAN_LIT("12345678901234567890"),
				  .produced_at = NOW,
				  .n = 3,
				  .nonce = NONCE,
				  .extended_revoke = true };
	const struct ocsp_cert_id id = { .hash = DIGEST_SHA1,
					 .name_hash = SPAN_LIT("n"),
					 .key_hash = SPAN_LIT("k"),
					 .serial = SPAN_LIT("\x07") };
	BUF cert_id = BUF_INIT;
	size_t i;

	ocsp_request_put_cert_id(&cert_id, &id);
	for (i = 0; i < data.n; i++)
		data.singles[i] = (struct ocsp_single){ .cert_id = buf_span(&cert_id),
							.state = (enum ocsp_cert_state)i,
							.revoked = 0,
							.reason = CRL_CERTIFICATE_HOLD,
							.this_update = NOW,
							.next_update = i ? NOW + 60 : 0 };
	assert_int_equal(ocsp_response_put_data(&data, out, NULL), OK);
}

static void responses_both_ways(void **state)
{
	BUF data = BUF_INIT, der = BUF_INIT;
	struct ocsp_response r;

	(void)state;
	put_data(&data);
	assert_int_equal(ocsp_response_assemble(buf_span(&data),
						(struct sig_alg){ KEY_EC_P256, DIGEST_SHA256 },
						SPAN_LIT("signature"), SPAN_NONE, &der, NULL),
			 OK);
	assert_int_equal(ocsp_response_parse(buf_span(&der), &r, NULL), OK);
	assert_span_equal(r.tbs, buf_span(&data));
	assert_int_equal(r.data.n, 3);
	assert_int_equal(r.data.singles[1].state, OCSP_REVOKED);
	assert_int_equal(r.data.singles[1].revoked, 0);
	assert_int_equal(r.data.singles[1].reason, CRL_CERTIFICATE_HOLD);
	assert_int_equal(r.data.singles[2].state, OCSP_UNKNOWN);
	assert_int_equal(r.data.singles[0].next_update, 0);
	assert_int_equal(r.data.singles[2].next_update, NOW + 60);
	assert_true(r.data.extended_revoke);
	assert_span_equal(r.data.nonce, NONCE);
	assert_int_equal(r.cert.len, 0);
	buf_reset(&der);
	assert_int_equal(ocsp_response_put_error(OCSP_TRY_LATER, &der, NULL), OK);
	assert_span_equal(buf_span(&der), SPAN_LIT("\x30\x03\x0a\x01\x03"));
	assert_int_equal(ocsp_response_parse(buf_span(&der), &r, NULL), OK);
	assert_int_equal(r.status, OCSP_TRY_LATER);
}

/* ---- what the keeper signs with a responder's key ---- */

static void the_rule_of_a_responders_key(void **state)
{
	struct key_rule responder = { .ocsp = true }, ca = { .certificates = true, .crls = true };
	struct cert_template t = { .serial = SPAN_LIT("\x01"),
				   .sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
				   .issuer = SPAN_LIT("\x30\x00"),
				   .not_before = NOW,
				   .not_after = NOW + 60,
				   .subject = SPAN_LIT("\x30\x00"),
				   .spki = SPAN_LIT("\x30\x00") };
	CLEANUP(key_rule_clear) struct key_rule read = { 0 };
	BUF data = BUF_INIT, tbs = BUF_INIT, text = BUF_INIT, list = BUF_INIT, tail = BUF_INIT;
	const struct crl_template crl = { .sig_alg = t.sig_alg, .issuer = t.issuer };

	(void)state;
	put_data(&data);
	assert_int_equal(cert_build_tbs(&t, &tbs, NULL), OK);
	assert_int_equal(crl_put_frame(&crl, 0, &list, &tail, NULL), OK);
	buf_put(&list, buf_span(&tail));
	assert_int_equal(key_rule_check(&responder, KEY_FOR_OCSP, SPAN_NONE, buf_span(&data), NULL),
			 OK);
	assert_int_equal(key_rule_check(&ca, KEY_FOR_OCSP, SPAN_NONE, buf_span(&data), NULL),
			 ERR_DENIED);
	assert_int_equal(key_rule_check(&responder, KEY_FOR_OCSP, SPAN_NONE, buf_span(&tbs), NULL),
			 ERR_DENIED);
	assert_int_equal(key_rule_check(&responder, KEY_FOR_OCSP, SPAN_NONE, buf_span(&list), NULL),
			 ERR_DENIED);
	assert_int_equal(
	    key_rule_check(&responder, KEY_FOR_CERTIFICATE, SPAN_NONE, buf_span(&tbs), NULL),
	    ERR_DENIED);
	assert_int_equal(key_rule_check(&responder, KEY_FOR_CRL, SPAN_NONE, buf_span(&list), NULL),
			 ERR_DENIED);
	assert_int_equal(key_rule_write(&responder, &text, NULL), OK);
	assert_int_equal(key_rule_read(buf_span(&text), &read, NULL), OK);
	assert_true(read.ocsp && !read.certificates && !read.content);
}

/* ---- the cache ---- */

static void the_cache_says_what_holds(void **state)
{
	static const struct ocsp_said good = {
		.state = OCSP_GOOD, .this_update = NOW, .next_update = NOW + 60, .until = NOW + 30
	};
	CLEANUP(ocsp_cache_freep) struct ocsp_cache *cache = NULL;
	struct ocsp_said said = good;
	BUF out = BUF_INIT;

	(void)state;
	assert_int_equal(ocsp_cache_new(&cache, 1, NULL), OK);
	assert_false(ocsp_cache_get(cache, SPAN_LIT("a"), NOW, &said, &out));
	ocsp_cache_put(cache, SPAN_LIT("a"), &good, SPAN_LIT("response"));
	said = (struct ocsp_said){ .state = OCSP_GOOD };
	assert_true(ocsp_cache_get(cache, SPAN_LIT("a"), NOW + 29, &said, &out));
	assert_int_equal(said.next_update, NOW + 60);
	assert_span_equal(buf_span(&out), SPAN_LIT("response"));
	assert_false(ocsp_cache_get(cache, SPAN_LIT("a"), NOW + 30, &said, &out));
	assert_false(ocsp_cache_get(cache, SPAN_LIT("a"), NOW - 1, &said, &out));
	assert_false(ocsp_cache_get(cache, SPAN_LIT("b"), NOW, &said, &out));
	said.state = OCSP_REVOKED;
	assert_false(ocsp_cache_get(cache, SPAN_LIT("a"), NOW, &said, &out));
	/* one slot: the next takes it */
	ocsp_cache_put(cache, SPAN_LIT("b"), &good, SPAN_LIT("other"));
	said.state = OCSP_GOOD;
	assert_false(ocsp_cache_get(cache, SPAN_LIT("a"), NOW, &said, &out));
	assert_true(ocsp_cache_get(cache, SPAN_LIT("b"), NOW, &said, &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_others),
		cmocka_unit_test(requests_both_ways),
		cmocka_unit_test(hostile_requests),
		cmocka_unit_test(responses_of_others),
		cmocka_unit_test(responses_both_ways),
		cmocka_unit_test(the_rule_of_a_responders_key),
		cmocka_unit_test(the_cache_says_what_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
