/* SPDX-License-Identifier: Apache-2.0 */
/* pkiMessages: those of others read, ours read by others, hostile ones refused. */
#include "unit.h"

#include <unistd.h>

#include "pki/csr.h"
#include "pki/key_evp.h"
#include "scep/message.h"

static struct {
	struct crypto *c;
	struct key *key;
	struct buf cert;
} t;

static int set_up(void **state)
{
	struct key_spec rsa = { KEY_RSA, 2048 };
	struct cert_self self = { .subject = SPAN_LIT("\x30\x00"), .not_after = 1 << 30 };

	(void)state;
	assert_int_equal(crypto_new(&t.c, true, NULL), OK);
	assert_int_equal(key_evp_generate(&t.key, t.c, rsa, NULL), OK);
	return cert_self_signed(&self, t.key, t.c, &t.cert, NULL) == OK ? 0 : 1;
}

static int tear_down(void **state)
{
	(void)state;
	buf_clear(&t.cert);
	key_free(t.key);
	crypto_free(t.c);
	return 0;
}

#define MESSAGE CLEANUP(scep_message_clear) struct scep_message

/* ---- reading ---- */

static void others_messages(void **state)
{
	static const struct {
		const char *file;
		int type;
		int status;
		int fail_info;
		const char *transaction;
		size_t nonce;
		enum cipher_alg cipher; /* NONE: no envelope */
	} row[] = {
		{ "scep_pkcsreq.der", SCEP_PKCS_REQ, -1, -1, "0A 'b", 16, CIPHER_AES128_CBC },
		{ "scep_pkcsreq.ber", SCEP_PKCS_REQ, -1, -1, "0A 'b", 16, CIPHER_AES128_CBC },
		{ "scep_oaep_ski.der", SCEP_PKCS_REQ, -1, -1, "0A 'b", 16, CIPHER_AES256_CBC },
		{ "scep_no_attrs.der", -1, -1, -1, "", 0, CIPHER_AES128_CBC },
		{ "scep_odd_type.der", -1, -1, -1, "0A 'b", 16, CIPHER_AES128_CBC },
		{ "scep_no_envelope.der", SCEP_PKCS_REQ, -1, -1, "0A 'b", 16, CIPHER_NONE },
		{ "scep_go_request.der", SCEP_PKCS_REQ, -1, -1, "hNhXbPlbiMqKIjK2Og1qIER1OFE=", 16,
		  CIPHER_DES_CBC },
		{ "scep_go_success.der", SCEP_CERT_REP, SCEP_SUCCESS, -1,
		  "hNhXbPlbiMqKIjK2Og1qIER1OFE=", 16, CIPHER_DES_CBC },
		{ "scep_go_failure.der", SCEP_CERT_REP, SCEP_FAILURE, 2,
		  "hNhXbPlbiMqKIjK2Og1qIER1OFE=", 16, CIPHER_NONE },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		BUF bytes = unit_vector(row[i].file);
		struct err err = { 0 };
		MESSAGE m = { 0 };

		if (scep_message_parse(buf_span(&bytes), &m, &err) != OK)
			fail_msg("%s: %s", row[i].file, err_text(&err));
		assert_int_equal(m.message_type, row[i].type);
		assert_int_equal(m.pki_status, row[i].status);
		assert_int_equal(m.fail_info, row[i].fail_info);
		assert_true(span_eq_str(m.transaction_id, row[i].transaction));
		assert_int_equal(m.sender_nonce.len, row[i].nonce);
		assert_int_equal(m.has_envelope, row[i].cipher != CIPHER_NONE);
		if (scep_message_read_envelope(&m, &err) != (m.has_envelope ? OK : ERR_BAD_REQUEST))
			fail_msg("%s: %s", row[i].file, err_text(&err));
		assert_int_equal(m.envelope.cipher, row[i].cipher);
	}
}

static void opens_to_the_request(void **state)
{
	static const char *const files[] = { "scep_pkcsreq.der", "scep_pkcsreq.ber",
					     "scep_oaep_ski.der" };
	BUF pem = unit_vector("rsa.pem");
	CLEANUP(key_freep) struct key *key = NULL;
	size_t i;

	(void)state;
	assert_int_equal(key_evp_from_bytes(&key, t.c, buf_span(&pem), NULL, NULL), OK);
	for (i = 0; i < ARRAY_LEN(files); i++) {
		BUF bytes = unit_vector(files[i]);
		BUF plain = BUF_INIT;
		SECRET content_key = SECRET_INIT;
		SECRET challenge = SECRET_INIT;
		const struct cms_recipient *to;
		struct csr csr;
		MESSAGE m = { 0 };

		assert_int_equal(scep_message_parse(buf_span(&bytes), &m, NULL), OK);
		assert_int_equal(scep_message_read_envelope(&m, NULL), OK);
		to = &m.envelope.recipients[0];
		assert_int_equal(to->ski.len, i == 2 ? 20 : 0);
		assert_int_equal(to->transport.oaep, i == 2);
		assert_int_equal(
		    key_decrypt(key, t.c, &to->transport, to->encrypted_key, &content_key, NULL),
		    OK);
		assert_int_equal(
		    cms_enveloped_open(&m.envelope, t.c, secret_span(&content_key), &plain, NULL),
		    OK);
		assert_int_equal(csr_parse(buf_span(&plain), &csr, NULL), OK);
		assert_int_equal(csr_verify(&csr, t.c, NULL), OK);
		assert_int_equal(csr_challenge(&csr, &challenge, NULL), OK);
		assert_true(secret_eq(&challenge, SPAN_LIT("hush")));
	}
}

static void nonce_beyond_the_limit(void **state)
{
	BUF bytes = unit_vector("scep_long_nonce.der");
	struct err err = { 0 };
	MESSAGE m = { .message_type = 7 };

	(void)state;
	assert_int_equal(scep_message_parse(buf_span(&bytes), &m, &err), ERR_LIMIT);
	assert_non_null(strstr(err_text(&err), "senderNonce has 65 octets, more than 64"));
	assert_int_equal(m.message_type, 7); /* untouched */
}

static enum result parse(struct span bytes)
{
	MESSAGE m = { 0 };

	TRY(scep_message_parse(bytes, &m, NULL));
	return m.has_envelope ? scep_message_read_envelope(&m, NULL) : OK;
}

static void hostile(void **state)
{
	BUF der = unit_vector("scep_pkcsreq.der");
	BUF degenerate = unit_vector("scep_go_ca.der");

	(void)state;
	unit_refuses_cuts(buf_span(&der), parse);
	unit_survives_flips(buf_span(&der), parse);
	assert_int_not_equal(parse(buf_span(&degenerate)), OK);
	assert_int_not_equal(parse(SPAN_NONE), OK);
}

/* ---- building ---- */

static void ask_oracle(struct span message, char *out, size_t size)
{
	char path[] = "/tmp/test-scep-XXXXXX", command[1024];
	int fd = mkstemp(path);
	FILE *answer;
	size_t n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, message.p, message.len), (ssize_t)message.len);
	(void)close(fd);
	(void)snprintf(command, sizeof(command), "/usr/bin/python3 %s/../scep_oracle.py %s",
		       UNIT_VECTORS, path);
	answer = popen(command, "r");
	assert_non_null(answer);
	n = fread(out, 1, size - 1, answer);
	out[n] = '\0';
	assert_int_equal(pclose(answer), 0);
	(void)snprintf(command, sizeof(command),
		       "openssl cms -verify -noverify -inform DER -in %s -out /dev/null 2>&1",
		       path);
	assert_int_equal(system(command), 0);
	(void)unlink(path);
}

static void build(struct scep_message_new *m, char *oracle, size_t size)
{
	BUF out = BUF_INIT;
	struct err err = { 0 };

	m->signer_cert = buf_span(&t.cert);
	m->digest = DIGEST_SHA256;
	if (scep_message_build(m, t.key, t.c, &out, &err) != OK)
		fail_msg("%s", err_text(&err));
	ask_oracle(buf_span(&out), oracle, size);
}

static void point_16_failure_as_others_read_it(void **state)
{
	struct scep_message_new m = { .message_type = SCEP_CERT_REP,
				      .transaction_id = SPAN_LIT("device/7"),
				      .pki_status = SCEP_FAILURE,
				      .fail_info = 2,
				      .fail_info_text = "no: \xc3\xbc",
				      .sender_nonce = SPAN_LIT("\x01\x02"),
				      .recipient_nonce = SPAN_LIT("\x03") };
	char oracle[4096];

	(void)state;
	build(&m, oracle, sizeof(oracle));
	assert_string_equal(oracle, "failInfoText UTF8String no: \xc3\xbc\n"
				    "messageType PrintableString 3\n"
				    "pkiStatus PrintableString 2\n"
				    "failInfo PrintableString 2\n"
				    "senderNonce OctetString 0102\n"
				    "recipientNonce OctetString 03\n"
				    "transactionID PrintableString device/7\n"
				    "content \n"
				    "certificates 1\n"
				    "signature rsassa_pkcs1v15 sha256\n");
}

static void request_as_others_read_it(void **state)
{
	struct scep_message_new m = { .message_type = SCEP_PKCS_REQ,
				      .transaction_id = SPAN_LIT("a_b"), /* no PrintableString */
				      .pki_status = -1,
				      .fail_info = -1,
				      .sender_nonce = SPAN_LIT("\xff"),
				      .envelope = SPAN_LIT("\x30\x03\x02\x01\x05") };
	char oracle[4096];

	(void)state;
	build(&m, oracle, sizeof(oracle));
	assert_string_equal(oracle, "messageType PrintableString 19\n"
				    "senderNonce OctetString ff\n"
				    "transactionID UTF8String a_b\n"
				    "content 3003020105\n"
				    "certificates 1\n"
				    "signature rsassa_pkcs1v15 sha256\n");
}

static void point_12_transaction_is_mirrored_in_its_type(void **state)
{
	struct scep_message_new m = { .message_type = SCEP_CERT_REP,
				      .transaction_id = SPAN_LIT("a_b"),
				      .transaction_tag = DER_PRINTABLE_STRING,
				      .pki_status = SCEP_PENDING,
				      .fail_info = -1 };
	char oracle[4096];

	(void)state;
	build(&m, oracle, sizeof(oracle));
	assert_non_null(strstr(oracle, "transactionID PrintableString a_b\n"));
}

static void long_text_is_cut_between_characters(void **state)
{
	char text[400], oracle[4096], *at;
	struct scep_message_new m = { .message_type = SCEP_CERT_REP,
				      .transaction_id = SPAN_LIT("1"),
				      .pki_status = SCEP_FAILURE,
				      .fail_info = 0,
				      .fail_info_text = text };
	size_t i;

	(void)state;
	text[0] = 'x'; /* the limit, 255, then lies within a character */
	for (i = 1; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 4);
	build(&m, oracle, sizeof(oracle));
	at = strstr(oracle, "failInfoText UTF8String ");
	assert_non_null(at);
	at += strlen("failInfoText UTF8String ");
	assert_int_equal(strcspn(at, "\n"), 253);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(scep_message_type_name(19), "PKCSReq");
	assert_string_equal(scep_message_type_name(20), "CertPoll");
	assert_string_equal(scep_message_type_name(-1), "?");
	assert_string_equal(scep_pki_status_name(3), "PENDING");
	assert_string_equal(scep_pki_status_name(1), "?");
	assert_string_equal(scep_fail_info_name(4), "badCertId");
	assert_string_equal(scep_fail_info_name(5), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_messages),
		cmocka_unit_test(opens_to_the_request),
		cmocka_unit_test(nonce_beyond_the_limit),
		cmocka_unit_test(hostile),
		cmocka_unit_test(point_16_failure_as_others_read_it),
		cmocka_unit_test(request_as_others_read_it),
		cmocka_unit_test(point_12_transaction_is_mirrored_in_its_type),
		cmocka_unit_test(long_text_is_cut_between_characters),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
