/* SPDX-License-Identifier: Apache-2.0 */
/* CMC's codecs: PKIData, PKIResponse, the controls and the proofs in them. */
#include "unit.h"

#include "base/hex.h"
#include "cmc/pki_data.h"
#include "cmc/pki_response.h"
#include "cmc/shared_secret.h"
#include "der/oid.h"
#include "der/writer.h"

#define NONCE_OF(id) "30120201" id "06082b06010505070706 3103 0401aa"
#define NONCE NONCE_OF("01")

static void from_hex(const char *hex, struct buf *out)
{
	assert_int_equal(hex_parse(span_str(hex), out, NULL), OK);
}

/* ---- PKIData ---- */

static void pki_data_of_all_sorts(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		enum result want;
		size_t controls;
		size_t requests;
		size_t messages;
	} rows[] = {
		{ "nothing", "3008 3000 3000 3000 3000", OK, 0, 0, 0 },
		{ "a nonce", "301c 3014" NONCE "3000 3000 3000", OK, 1, 0, 0 },
		{ "PKCS#10", "300f 3000 3007 a005 020107 3000 3000 3000", OK, 0, 1, 0 },
		{ "CRMF", "300f 3000 3007 a105 3003 020107 3000 3000", OK, 0, 1, 0 },
		{ "other", "300f 3000 3007 a205 020107 3000 3000 3000", OK, 0, 1, 0 },
		{ "the largest number", "3013 3000 300b a009 020500ffffffff 3000 3000 3000", OK, 0,
		  1, 0 },
		{ "messages", "3012 3000 3000 3005 3003 020101 3005 3003 020102", OK, 0, 0, 2 },
		{ "empty", "", ERR_SYNTAX },
		{ "no SEQUENCE", "0400", ERR_SYNTAX },
		{ "three lists", "3006 3000 3000 3000", ERR_SYNTAX },
		{ "five lists", "300a 3000 3000 3000 3000 3000", ERR_SYNTAX },
		{ "trailing", "3008 3000 3000 3000 3000 00", ERR_SYNTAX },
		{ "longer than it is", "3009 3000 3000 3000 3000", ERR_SYNTAX },
		{ "number 0", "300f 3000 3007 a005 020100 3000 3000 3000", ERR_SYNTAX },
		{ "number below 0", "300f 3000 3007 a005 0201ff 3000 3000 3000", ERR_SYNTAX },
		{ "number too large", "3013 3000 300b a009 02050100000000 3000 3000 3000",
		  ERR_LIMIT },
		{ "a fourth kind", "300f 3000 3007 a305 020107 3000 3000 3000", ERR_SYNTAX },
		{ "a kind that is primitive", "300f 3000 3007 8005 020107 3000 3000 3000",
		  ERR_SYNTAX },
		{ "PKCS#10 without number", "300c 3000 3004 a002 3000 3000 3000", ERR_SYNTAX },
		{ "PKCS#10 without request", "300d 3000 3005 a003 020107 3000 3000", ERR_SYNTAX },
		{ "PKCS#10 and more", "3011 3000 3009 a007 020107 3000 0500 3000 3000",
		  ERR_SYNTAX },
		{ "CRMF without certReq", "300a 3000 3002 a100 3000 3000", ERR_SYNTAX },
		{ "the same number twice",
		  "3018 3000 3010 a005 020107 3000 a007 020107 3002 0500 3000 3000",
		  ERR_BAD_REQUEST },
		{ "a control and a message alike", "3021 3014" NONCE "3000 3005 3003 020101 3000",
		  ERR_BAD_REQUEST },
		{ "a control without values",
		  "301a 3012 3010 020101 06082b06010505070706 0401aa 3000 3000 3000", ERR_SYNTAX },
		{ "two of a kind",
		  "3030 3028" NONCE "3012020102 06082b06010505070706 3103 0401bb 3000 3000 3000",
		  ERR_BAD_REQUEST },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct cmc_pki_data data = { .n_requests = 77 };
		enum result r;
		BUF der = BUF_INIT;

		from_hex(rows[i].hex, &der);
		r = cmc_pki_data_parse(buf_span(&der), &data, NULL);
		if (r != rows[i].want)
			fail_msg("%s: %s", rows[i].what, err_name(r));
		assert_int_equal(data.n_requests, r == OK ? rows[i].requests : 77);
		if (r != OK)
			continue;
		assert_int_equal(data.controls.n, rows[i].controls);
		assert_int_equal(data.n_messages, rows[i].messages);
	}
}

static void what_is_where(void **state)
{
	struct cmc_pki_data data;
	struct span nonce = SPAN_NONE;
	BUF der = BUF_INIT;

	(void)state;
	from_hex("3023 3014" NONCE "3007 a005 020107 3000 3000 3000", &der);
	assert_int_equal(cmc_pki_data_parse(buf_span(&der), &data, NULL), OK);
	assert_int_equal(cmc_control_content(&data.controls, OID_CMC_SENDER_NONCE, DER_OCTET_STRING,
					     &nonce, NULL),
			 OK);
	assert_span_equal(nonce, SPAN_LIT("\xaa"));
	assert_int_equal(
	    cmc_control_content(&data.controls, OID_CMC_SENDER_NONCE, DER_INTEGER, &nonce, NULL),
	    ERR_SYNTAX);
	assert_null(cmc_control_find(&data.controls, OID_CMC_RECIPIENT_NONCE));
	assert_int_equal(data.controls.list[0].id, 1);
	assert_int_equal(data.requests[0].kind, CMC_PKCS10);
	assert_int_equal(data.requests[0].id, 7);
	assert_span_equal(data.requests[0].body, SPAN_LIT("\x30\x00"));
	assert_span_equal(data.req_sequence, SPAN_LIT("\x30\x07\xa0\x05\x02\x01\x07\x30\x00"));
}

static void too_many_controls(void **state)
{
	struct cmc_pki_data data;
	BUF controls = BUF_INIT;
	BUF der = BUF_INIT;
	size_t seq, list, i;

	(void)state;
	for (i = 0; i <= CMC_CONTROLS_MAX; i++) {
		uint8_t oid[] = { 0x2a, (uint8_t)i };

		cmc_control_put(&controls, (uint32_t)i + 1, SPAN_ARRAY(oid), SPAN_LIT("\x05\x00"));
	}
	seq = der_open(&der, DER_SEQUENCE);
	list = der_open(&der, DER_SEQUENCE);
	buf_put(&der, buf_span(&controls));
	der_close(&der, list);
	buf_put(&der, SPAN_LIT("\x30\x00\x30\x00\x30\x00"));
	der_close(&der, seq);
	assert_int_equal(cmc_pki_data_parse(buf_span(&der), &data, NULL), ERR_LIMIT);
}

static void what_a_device_asks_for(void **state)
{
	static const struct {
		const char *what;
		struct cmc_ask ask;
		const char *want; /* by hand, after RFC 5272 3.2.1 */
	} rows[] = {
		{ "nothing", { SPAN_NONE }, "3008 3000 3000 3000 3000" },
		{ "a certificate",
		  { .csr = SPAN_LIT("\x30\x00") },
		  "300f 3000 3007 a005 020101 3000 3000 3000" },
		{ "with a nonce",
		  { .csr = SPAN_LIT("\x30\x00"), .sender_nonce = SPAN_LIT("\xaa") },
		  "3023 3014" NONCE_OF("02") "3007 a005 020101 3000 3000 3000" },
		{ "of a transaction",
		  { .csr = SPAN_LIT("\x30\x00"), .transaction_id = SPAN_LIT("\x07") },
		  "3023 3014 3012020102 06082b06010505070705 3103 020107"
		  "3007 a005 020101 3000 3000 3000" },
		{ "a poll",
		  { .pend_token = SPAN_LIT("t") },
		  "301c 3014 3012020102 06082b06010505070715 3103 040174 3000 3000 3000" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct cmc_pki_data data;
		BUF want = BUF_INIT;
		BUF der = BUF_INIT;

		from_hex(rows[i].want, &want);
		assert_int_equal(cmc_pki_data_put(&der, &rows[i].ask, NULL, NULL), OK);
		if (!span_eq(buf_span(&der), buf_span(&want)))
			fail_msg("%s", rows[i].what);
		assert_int_equal(cmc_pki_data_parse(buf_span(&der), &data, NULL), OK);
		assert_int_equal(data.n_requests, rows[i].ask.csr.len != 0);
	}
}

/* ---- the values of controls ---- */

#define NAME "300c 310a 3008 0603550403 0c0141"

static struct cmc_control control_of(const char *hex, struct buf *value)
{
	from_hex(hex, value);
	return (struct cmc_control){ .id = 1, .values = buf_span(value) };
}

static void get_certs(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
	} rows[] = {
		{ "3013 a40e" NAME "020105", OK },
		{ "3010 a40e" NAME, ERR_SYNTAX },
		{ "3015 a40e" NAME "020105 0500", ERR_SYNTAX },
		{ "3015 a410" NAME "0500 020105", ERR_SYNTAX },
		{ "3011" NAME "020105", ERR_BAD_REQUEST },
		{ "3009 8204 612e6232 020105", ERR_BAD_REQUEST },
		{ "3013 a40e" NAME "020105 0500", ERR_SYNTAX },
		{ "", ERR_SYNTAX },
	};
	struct cmc_get_cert get;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF value = BUF_INIT;
		const struct cmc_control control = control_of(rows[i].hex, &value);
		enum result r = cmc_get_cert_read(&control, &get, NULL);
		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		if (r == OK)
			assert_span_equal(get.serial, SPAN_LIT("\x05"));
	}
}

static void get_crls(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
		bool has_time;
		bool is_partial;
	} rows[] = {
		{ "300e" NAME, OK, false, false },
		{ "301f" NAME "180f32303230303130313030303030305a", OK, true, false },
		{ "3014" NAME "8604 613a2f2f", OK, false, true },
		{ "3012" NAME "030200c0", OK, false, true },
		{ "3029" NAME "8604 613a2f2f 180f32303230303130313030303030305a 030200c0", OK, true,
		  true },
		{ "3023" NAME "030200c0 180f32303230303130313030303030305a", ERR_SYNTAX },
		{ "3000", ERR_SYNTAX },
		{ "3002 3000", OK, false, false }, /* a name without attributes */
		{ "3010" NAME "1800", ERR_SYNTAX },
	};
	struct cmc_get_crl get;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF value = BUF_INIT;
		const struct cmc_control control = control_of(rows[i].hex, &value);
		enum result r = cmc_get_crl_read(&control, &get, NULL);
		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		if (r != OK)
			continue;
		assert_int_equal(get.has_time, rows[i].has_time);
		assert_int_equal(get.is_partial, rows[i].is_partial);
	}
}

static void revocations(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
		unsigned reason;
		bool has_secret;
		size_t comment;
	} rows[] = {
		{ "3014" NAME "020105 0a0101", OK, 1, false, 0 },
		{ "302e" NAME
		  "020105 0a0109 180f32303230303130313030303030305a 0402aabb 0c036f6866",
		  OK, 9, true, 3 },
		{ "3017" NAME "020105 0a0101 0c0161", OK, 1, false, 1 },
		{ "3014" NAME "020105 0a010b", ERR_SYNTAX },
		{ "3015" NAME "020105 0a020001", ERR_SYNTAX },
		{ "3014" NAME "020105 020101", ERR_SYNTAX },
		{ "3011" NAME "020105", ERR_SYNTAX },
		{ "301a" NAME "020105 0a0101 0c0161 040161", ERR_SYNTAX },
		{ "3016" NAME "020105 0a0101 0500", ERR_SYNTAX },
	};
	struct cmc_revoke revoke;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF value = BUF_INIT;
		const struct cmc_control control = control_of(rows[i].hex, &value);
		enum result r = cmc_revoke_read(&control, &revoke, NULL);
		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		if (r != OK)
			continue;
		assert_int_equal(revoke.reason, rows[i].reason);
		assert_int_equal(revoke.has_secret, rows[i].has_secret);
		assert_int_equal(revoke.comment.len, rows[i].comment);
	}
}

/* ---- PKIResponse ---- */

static void a_response_there_and_back(void **state)
{
	const struct cmc_pki_response put = {
		.has_status = true,
		.status = { .status = CMC_PENDING,
			    .bodies = { 7, 0, UINT32_MAX },
			    .n_bodies = 3,
			    .text = SPAN_LIT("w\xc3\xa4rten"),
			    .fail_info = CMC_FAIL_NONE,
			    .pend_token = SPAN_LIT("token"),
			    .pend_time = 1700000000 },
		.transaction_id = SPAN_LIT("\x01\x02"),
		.sender_nonce = SPAN_LIT("s"),
		.recipient_nonce = SPAN_LIT("r"),
		.data_return = SPAN_LIT("d"),
	};
	struct cmc_pki_response got;
	BUF der = BUF_INIT;

	(void)state;
	cmc_pki_response_put(&der, &put);
	assert_int_equal(cmc_pki_response_parse(buf_span(&der), &got, NULL), OK);
	assert_true(got.has_status);
	assert_int_equal(got.status.status, CMC_PENDING);
	assert_int_equal(got.status.n_bodies, 3);
	assert_memory_equal(got.status.bodies, put.status.bodies, 3 * sizeof(uint32_t));
	assert_span_equal(got.status.text, put.status.text);
	assert_int_equal(got.status.fail_info, CMC_FAIL_NONE);
	assert_span_equal(got.status.pend_token, put.status.pend_token);
	assert_int_equal(got.status.pend_time, put.status.pend_time);
	assert_span_equal(got.transaction_id, put.transaction_id);
	assert_span_equal(got.sender_nonce, put.sender_nonce);
	assert_span_equal(got.recipient_nonce, put.recipient_nonce);
	assert_span_equal(got.data_return, put.data_return);
}

static void a_text_that_is_none_is_left_out(void **state)
{
	const struct cmc_pki_response put = { .has_status = true,
					      .status = { .status = CMC_FAILED,
							  .n_bodies = 1,
							  .text = SPAN_LIT("\xff\xfe"),
							  .fail_info = CMC_FAIL_POP_FAILED } };
	struct cmc_pki_response got;
	BUF der = BUF_INIT;

	(void)state;
	cmc_pki_response_put(&der, &put);
	assert_int_equal(cmc_pki_response_parse(buf_span(&der), &got, NULL), OK);
	assert_int_equal(got.status.text.len, 0);
	assert_int_equal(got.status.fail_info, CMC_FAIL_POP_FAILED);
}

/* A PKIResponse whose only control is statusInfoV2 with that value. */
static enum result parse_status(const char *hex, struct cmc_pki_response *out)
{
	size_t seq, list;
	BUF value = BUF_INIT;
	BUF der = BUF_INIT;
	enum result r;

	from_hex(hex, &value);
	seq = der_open(&der, DER_SEQUENCE);
	list = der_open(&der, DER_SEQUENCE);
	cmc_control_put(&der, 1, OID_CMC_STATUS_INFO_V2, buf_span(&value));
	der_close(&der, list);
	buf_put(&der, SPAN_LIT("\x30\x00\x30\x00"));
	der_close(&der, seq);
	r = cmc_pki_response_parse(buf_span(&der), out, NULL);
	out->status.text = out->status.pend_token = SPAN_NONE; /* views of der */
	return r;
}

static void status_infos_of_all_sorts(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
		int fail_info;
	} rows[] = {
		{ "3008 020100 3003 020101", OK, CMC_FAIL_NONE },
		{ "300b 020102 3003 020101 020109", OK, 9 },
		{ "300c 020102 3003 020101 020203e8", OK, 1000 },
		{ "300d 020102 3008 3006 020101 020102", OK, CMC_FAIL_NONE },      /* a path */
		{ "300f 020102 3003 020101 3005 06012a 0500", OK, CMC_FAIL_NONE }, /* extended */
		{ "3003 020100", ERR_SYNTAX, 0 },
		{ "3008 020109 3003 020101", ERR_LIMIT, 0 },
		{ "300a 020102 3003 020101 0500", ERR_SYNTAX, 0 },
		{ "300e 020102 3003 020101 020109 020109", ERR_SYNTAX, 0 },
		{ "300c 020103 3003 020101 3002 0400", ERR_SYNTAX, 0 },
		{ "300c 020102 3003 020101 02027fff", ERR_LIMIT, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct cmc_pki_response got = { 0 };
		enum result r = parse_status(rows[i].hex, &got);

		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
		if (r == OK)
			assert_int_equal(got.status.fail_info, rows[i].fail_info);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(cmc_status_name(CMC_PARTIAL), "partial");
	assert_string_equal(cmc_status_name(1), "unknown");
	assert_string_equal(cmc_status_name(-1), "unknown");
	assert_string_equal(cmc_fail_info_name(err_map(ERR_BAD_CERT_ID)->cmc_fail_info),
			    "badCertId");
	assert_string_equal(cmc_fail_info_name(err_map(ERR_BUSY)->cmc_fail_info), "tryLater");
	assert_string_equal(cmc_fail_info_name(CMC_FAIL_NO_KEY_REUSE), "noKeyReuse");
	assert_string_equal(cmc_fail_info_name(13), "authDataFail");
	assert_string_equal(cmc_fail_info_name(14), "unknown");
}

/* ---- proofs by a secret ---- */

/* Of "secret" and "device", over "message": by Python's hashlib and hmac. */
#define WITNESS_SHA256 "4023bae5115fc46065df3ebf5353970e5aa2205fb048f55b4231ac6d914d958d"

static void witnesses(void **state)
{
	const struct cmc_shared_secret secret = { SPAN_LIT("secret"), SPAN_LIT("device") };
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct cmc_witness w = { DIGEST_SHA256, DIGEST_SHA256, SPAN_NONE };
	BUF value = BUF_INIT;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	from_hex(WITNESS_SHA256, &value);
	w.value = buf_span(&value);
	assert_int_equal(cmc_witness_check(&w, c, &secret, SPAN_LIT("message"), NULL), OK);
	assert_int_equal(cmc_witness_check(&w, c, &secret, SPAN_LIT("messagE"), NULL),
			 ERR_BAD_CHECK);
	w.mac = DIGEST_SHA512;
	assert_int_equal(cmc_witness_check(&w, c, &secret, SPAN_LIT("message"), NULL),
			 ERR_BAD_CHECK);
	w = (struct cmc_witness){ DIGEST_SHA256, DIGEST_SHA256, SPAN_NONE };
	assert_int_equal(cmc_witness_check(&w, c, &secret, SPAN_LIT("message"), NULL),
			 ERR_BAD_CHECK);
}

static void a_witness_is_written(void **state)
{
	const struct cmc_shared_secret secret = { SPAN_LIT("secret"), SPAN_LIT("device") };
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	BUF want = BUF_INIT;
	BUF der = BUF_INIT;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	from_hex(
	    "303d 300b 0609608648016503040201 300c 06082a864886f70d0209 0500 0420" WITNESS_SHA256,
	    &want);
	assert_int_equal(cmc_witness_put_v2(&der, c, &secret, SPAN_LIT("message"), NULL), OK);
	assert_span_equal(buf_span(&der), buf_span(&want));
}

static void witnesses_of_all_sorts(void **state)
{
#define SHA_256 "300b 0609 608648016503040201"
#define HMAC_256 "300c 0608 2a864886f70d0209 0500"
	static const struct {
		const char *hex;
		enum result want;
	} rows[] = {
		{ "301e" SHA_256 HMAC_256 "0401aa", OK },
		{ "301b" SHA_256 "3009 0607 2b060105050801 0401aa", ERR_BAD_ALG },
		{ "301b" SHA_256 HMAC_256, ERR_SYNTAX },
		{ "3021" SHA_256 HMAC_256 "0401aa 020101", ERR_SYNTAX },
		{ "3016 3003 06012a" HMAC_256 "0401aa", ERR_BAD_ALG },
		{ "0401aa", ERR_SYNTAX },
		{ "", ERR_SYNTAX },
	};
	struct cmc_witness w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF der = BUF_INIT;
		enum result r;

		from_hex(rows[i].hex, &der);
		r = cmc_witness_read_v2(buf_span(&der), "witness", &w, NULL);
		if (r != rows[i].want)
			fail_msg("row %zu: %s", i, err_name(r));
	}
	assert_int_equal(cmc_witness_read_v1(SPAN_LIT("\x04\x01\xaa"), "witness", &w, NULL), OK);
	assert_int_equal(w.mac, DIGEST_SHA1);
	assert_int_equal(cmc_witness_read_v1(SPAN_LIT("\x04\x01\xaa\x00"), "witness", &w, NULL),
			 ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pki_data_of_all_sorts),
		cmocka_unit_test(what_is_where),
		cmocka_unit_test(what_a_device_asks_for),
		cmocka_unit_test(too_many_controls),
		cmocka_unit_test(get_certs),
		cmocka_unit_test(get_crls),
		cmocka_unit_test(revocations),
		cmocka_unit_test(a_response_there_and_back),
		cmocka_unit_test(a_text_that_is_none_is_left_out),
		cmocka_unit_test(status_infos_of_all_sorts),
		cmocka_unit_test(names),
		cmocka_unit_test(witnesses),
		cmocka_unit_test(a_witness_is_written),
		cmocka_unit_test(witnesses_of_all_sorts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
