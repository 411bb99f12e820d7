/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCEP's two sides against each other, with a real store and keeper between HTTP request and reply.
 * (That others understand either side is for test_scep_message and the scenario tests to show.)
 */
#define KEEPER_PATIENCE_MS 10000 /* keeper_away() waits for all of it */
#include "scep_fixture.h"

#include <sys/resource.h>

/* ---- the tests ---- */

static void enrols_and_repeats(void **state)
{
	ENROLMENT e = device(t.rsa, CHALLENGE, MODERN);
	ANSWER first = enrol(&e);
	ANSWER second = enrol(&e);
	struct ca_fixture_events seen = ca_fixture_events(t.f, e.transaction_id);

	(void)state;
	assert_int_equal(first.status, SCEP_SUCCESS);
	assert_true(span_eq(buf_span(&first.cert), buf_span(&second.cert)));
	assert_int_equal(seen.n, 1);
	assert_non_null(strstr(seen.detail, "\"signature\""));
	assert_non_null(strstr(seen.detail, "\"decryption\""));
	assert_non_null(strstr(seen.detail, "\"proof of possession\""));
	assert_true(is_logged(e.transaction_id));
	assert_true(is_logged("\"endpoint\":\"demo\""));
	assert_false(is_logged(CHALLENGE));
}

static void point_23_ec_device_is_answered_under_its_challenge(void **state)
{
	ENROLMENT e = device(t.ec, CHALLENGE, MODERN);
	ANSWER answer = enrol(&e);
	ENROLMENT mute = device(t.ec, NULL, MODERN);
	ANSWER refusal = enrol(&mute);

	(void)state;
	assert_int_equal(answer.status, SCEP_SUCCESS);
	assert_int_equal(refusal.status, SCEP_FAILURE);
	assert_int_equal(refusal.fail_info, 2);
	assert_non_null(strstr(refusal.text, "challengePassword"));
}

static void point_10_floor_and_switches(void **state)
{
	static const struct {
		uint32_t caps;
		bool sha1_3des;
		bool md5_des;
		int status;
		const char *says;
	} row[] = {
		{ MODERN, false, false, SCEP_SUCCESS, "" },
		{ SCEP_CAP_AES, false, false, SCEP_FAILURE, "digestAlgorithm with SHA-1" },
		{ SCEP_CAP_SHA256, false, false, SCEP_FAILURE,
		  "pkcsPKIEnvelope with DES-EDE3-CBC" },
		{ 0, true, false, SCEP_SUCCESS, "" },
		{ 0, false, true, SCEP_SUCCESS, "" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		ENROLMENT e = device(t.rsa, NULL, row[i].caps);
		struct scep_enrolment_reply answer;

		t.endpoint.allow_sha1_3des = row[i].sha1_3des;
		t.endpoint.allow_md5_des = row[i].md5_des;
		answer = enrol(&e);
		if ((int)answer.status != row[i].status || !strstr(answer.text, row[i].says))
			fail_msg("row %zu: %d %s", i, answer.status, answer.text);
		if (row[i].status == SCEP_FAILURE)
			assert_int_equal(answer.fail_info, 0);
		scep_enrolment_reply_clear(&answer);
	}
	assert_true(is_logged("legacy algorithms taken from this device"));
	t.endpoint.allow_sha1_3des = t.endpoint.allow_md5_des = false;
}

/* A signed CertRep, checked by hand since it answers no request of ours. */
static void must_fail(const struct http_reply *reply, int fail_info, const char *says)
{
	struct scep_message m = { 0 };
	struct err err = { 0 };

	assert_int_equal(reply->status, 200);
	assert_int_equal(scep_message_parse(buf_span(&reply->body), &m, NULL), OK);
	if (cms_signed_verify(&m.sd, t.f->c, t.ca.certs[t.ca.encrypter].spki, &err) != OK)
		fail_msg("%s", err_text(&err));
	assert_int_equal(m.message_type, SCEP_CERT_REP);
	assert_int_equal(m.pki_status, SCEP_FAILURE);
	assert_int_equal(m.sender_nonce.len, SCEP_NONCE);
	if (m.fail_info != fail_info ||
	    !memmem(m.fail_info_text.p, m.fail_info_text.len, says, strlen(says)))
		fail_msg("%s: failInfo %d \"%.*s\"", says, m.fail_info, (int)m.fail_info_text.len,
			 m.fail_info_text.p);
	scep_message_clear(&m);
}

static void point_18_what_can_be_read_gets_a_signed_failure(void **state)
{
	static const struct {
		const char *file;
		int fail_info;
		const char *says;
	} row[] = {
		{ "scep_no_attrs.der", 2, "transactionID missing" },
		{ "scep_odd_type.der", 2, "messageType missing or no decimal number" },
		{ "scep_no_envelope.der", 2, "PKCSReq without a pkcsPKIEnvelope" },
		{ "scep_pkcsreq.ber", 2, "with no key of this CA" },
		{ "scep_oaep_ski.der", 2, "with no key of this CA" },
		{ "scep_go_request.der", 0, "digestAlgorithm with SHA-1" },
		{ "scep_go_failure.der", 0, "digestAlgorithm with SHA-1" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		BUF message = unit_vector(row[i].file);
		REPLY reply = post(buf_span(&message));

		must_fail(&reply, row[i].fail_info, row[i].says);
	}
	assert_string_equal(ca_fixture_events(t.f, "0A 'b").kind, "enrol.rejected");
}

static void what_is_no_request_is_refused_by_name(void **state)
{
	static const struct {
		int type;
		const char *says;
	} row[] = {
		{ SCEP_RENEWAL_REQ, "RenewalReq without a pkcsPKIEnvelope" },
		{ SCEP_UPDATE_REQ, "UpdateReq without a pkcsPKIEnvelope" },
		{ SCEP_CERT_POLL, "CertPoll without a pkcsPKIEnvelope" },
		{ SCEP_GET_CERT, "GetCert without a pkcsPKIEnvelope" },
		{ SCEP_GET_CRL, "GetCRL without a pkcsPKIEnvelope" },
		{ SCEP_CERT_REP, "messageType 3 is no request" },
		{ 99, "messageType 99 is no request" },
		{ 0, "messageType 0 is no request" },
	};
	ENROLMENT e = device(t.rsa, NULL, MODERN);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct scep_message_new m = { .message_type = row[i].type,
					      .transaction_id = SPAN_LIT("not-served"),
					      .sender_nonce = SPAN_LIT("nonce"),
					      .pki_status = -1,
					      .fail_info = -1,
					      .digest = DIGEST_SHA256,
					      .signer_cert = buf_span(&e.signer_cert) };
		BUF message = BUF_INIT;

		assert_int_equal(scep_message_build(&m, t.rsa, t.f->c, &message, NULL), OK);
		{
			REPLY reply = post(buf_span(&message));

			must_fail(&reply, 2, row[i].says);
		}
	}
}

/* What an altered copy of a captured request can learn: that it did not open, and no more. */
static void altered_envelopes_have_one_answer(void **state)
{
	ENROLMENT victim = device(t.rsa, CHALLENGE, MODERN);
	struct cms_envelop envelop = { .plain = buf_span(&victim.csr),
				       .cipher = CIPHER_AES128_CBC };
	BUF envelope = BUF_INIT;
	size_t n;

	(void)state;
	assert_int_equal(
	    cms_envelop_to_cert(&envelop, t.f->c, t.ca.certs[t.ca.encrypter].der, &envelope, NULL),
	    OK);
	/* the last octet (padding), the last block but one, the first of all, the encrypted key */
	for (n = 0; n < 4; n++) {
		size_t at[] = { envelope.len - 1, envelope.len - 17,
				envelope.len - victim.csr.len / 16 * 16 - 10, envelope.len / 3 };
		struct scep_message_new m = { .message_type = SCEP_PKCS_REQ,
					      .transaction_id = SPAN_LIT("altered"),
					      .sender_nonce = SPAN_LIT("nonce"),
					      .pki_status = -1,
					      .fail_info = -1,
					      .digest = DIGEST_SHA256,
					      .envelope = buf_span(&envelope),
					      .signer_cert = buf_span(&victim.signer_cert) };
		BUF message = BUF_INIT;

		envelope.data[at[n]] ^= 1;
		assert_int_equal(scep_message_build(&m, t.rsa, t.f->c, &message, NULL), OK);
		envelope.data[at[n]] ^= 1;
		{
			REPLY reply = post(buf_span(&message));

			must_fail(&reply, 2,
				  "RFC 8894 3.2.2: with no key of this CA does the pkcsPKIEnvelope "
				  "open to what a PKCSReq holds");
		}
	}
}

static void point_06_another_key_than_the_signers(void **state)
{
	struct key_spec spec = { KEY_RSA, 2048 };
	CLEANUP(key_freep) struct key *other = NULL;
	ENROLMENT e = device(t.rsa, NULL, MODERN);

	(void)state;
	assert_int_equal(key_evp_generate(&other, t.f->c, spec, NULL), OK);
	{
		ENROLMENT stranger = device(other, NULL, MODERN);
		struct scep_enrolment_reply answer;
		struct buf own = e.csr;

		e.csr = stranger.csr;
		answer = enrol(&e);
		e.csr = own;
		assert_int_equal(answer.status, SCEP_FAILURE);
		assert_non_null(strstr(answer.text, "signed with another key"));
		scep_enrolment_reply_clear(&answer);
	}
}

/* Each of the two signatures, and a weak algorithm in either place of the outer one. */
static void signatures_are_checked(void **state)
{
	ENROLMENT e = device(t.rsa, NULL, MODERN);
	BUF request = BUF_INIT;
	size_t at;

	(void)state;
	assert_int_equal(scep_enrolment_request(&e, &t.ca, t.f->c, &request, NULL), OK);
	request.data[request.len - 1] ^= 1; /* the signature ends the message */
	{
		REPLY reply = post(buf_span(&request));

		must_fail(&reply, 1, "signature");
	}
	request.data[request.len - 1] ^= 1;
	/* before the signature stands rsaEncryption with NULL: say sha1WithRSAEncryption */
	at = request.len - 256 - 4 - 2 - 1;
	assert_int_equal(request.data[at], 1);
	request.data[at] = 5;
	{
		REPLY reply = post(buf_span(&request));

		must_fail(&reply, 0, "signatureAlgorithm with SHA-1");
	}
	e.csr.data[e.csr.len - 1] ^= 1;
	{
		ANSWER answer = enrol(&e);

		assert_int_equal(answer.status, SCEP_FAILURE);
		assert_int_equal(answer.fail_info, 2);
		assert_non_null(strstr(answer.text, "signature"));
	}
}

static void what_cannot_be_read_is_an_http_error(void **state)
{
	static const struct {
		enum http_method method;
		const char *query;
		const char *body;
		int status;
	} row[] = {
		{ HTTP_POST, "operation=PKIOperation", "x", 400 },
		{ HTTP_POST, "operation=PKIOperation", "", 400 },
		{ HTTP_POST, "", "0\x80", 400 },
		{ HTTP_GET, "", "", 400 },
		{ HTTP_GET, "operation=GetEverything", "", 400 },
		{ HTTP_GET, "operation=PKIOperation", "", 400 },
		{ HTTP_GET, "operation=PKIOperation&message=!", "", 400 },
		{ HTTP_GET, "operation=GetNextCACert", "", 404 },
		{ HTTP_DELETE, "operation=GetCACaps", "", 405 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		REPLY reply = handle(row[i].method, row[i].query, span_str(row[i].body), t.f->demo);

		if (reply.status != row[i].status)
			fail_msg("row %zu: %d", i, reply.status);
		assert_non_null(strstr(reply.content_type, "text/plain"));
		assert_true(reply.body.len > 0);
	}
}

static void events_of_what_cannot_be_read(void **state)
{
	unsigned before = ca_fixture_events(t.f, NULL).n;
	struct ca_fixture_events seen;
	REPLY reply = post(SPAN_LIT("x"));

	(void)state;
	seen = ca_fixture_events(t.f, NULL);
	assert_int_equal(seen.n, before + 1);
	assert_string_equal(seen.kind, "message.unreadable");
	assert_memory_equal(seen.reason, reply.body.data, strlen(seen.reason));
	assert_non_null(strstr(seen.detail, "answered by HTTP 400"));
	assert_true(is_logged("message unreadable"));
}

/* A refusal that cannot be put on record is none: the device is told to come back. */
static void nothing_is_refused_off_the_record(void **state)
{
	static const struct {
		enum http_method method;
		const char *query;
		const char *vector; /* NULL: no body */
	} row[] = {
		{ HTTP_POST, "operation=PKIOperation", "scep_no_attrs.der" },
		{ HTTP_POST, "operation=PKIOperation", "scep_go_request.der" },
		{ HTTP_GET, "operation=GetEverything", NULL },
		{ HTTP_GET, "operation=PKIOperation&message=!", NULL },
		{ HTTP_DELETE, "operation=GetCACaps", NULL },
	};
	struct rlimit full = { 0 }, before;
	unsigned events = ca_fixture_events(t.f, NULL).n;
	size_t i;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	full = (struct rlimit){ 1, before.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < ARRAY_LEN(row); i++) {
		BUF body = BUF_INIT;

		if (row[i].vector)
			body = unit_vector(row[i].vector);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
		{
			REPLY reply =
			    handle(row[i].method, row[i].query, buf_span(&body), t.f->demo);

			assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
			if (reply.status != 503)
				fail_msg("row %zu: %d", i, reply.status);
			assert_non_null(reply_header(&reply, "Retry-After"));
		}
	}
	assert_int_equal(ca_fixture_events(t.f, NULL).n, events);
}

static void point_15_get_ca_cert_by_what_there_is(void **state)
{
	struct authority_ca lone = *t.f->demo;
	REPLY with_ra = get("operation=GetCACert&message=any");

	(void)state;
	lone.has_ra = false;
	assert_string_equal(with_ra.content_type, "application/x-x509-ca-ra-cert");
	assert_int_equal(t.ca.n, 2);
	assert_false(cert_is_ca(&t.ca.certs[0]));
	assert_true(cert_is_ca(&t.ca.certs[1]));
	{
		REPLY alone = handle(HTTP_GET, "operation=GetCACert", SPAN_NONE, &lone);

		assert_string_equal(alone.content_type, "application/x-x509-ca-cert");
		assert_true(span_eq(buf_span(&alone.body), buf_span(&lone.ca.der)));
	}
}

static void capabilities(void **state)
{
	REPLY reply = get("operation=GetCACaps");

	(void)state;
	assert_string_equal(reply.content_type, "text/plain");
	assert_string_equal(buf_cstr(&reply.body),
			    "AES\nPOSTPKIOperation\nSHA-256\nSHA-384\nSHA-512\nSCEPStandard\n");
}

static void must_come_back(const struct http_reply *reply, const char *seconds)
{
	assert_int_equal(reply->status, 503);
	assert_non_null(reply_header(reply, "Retry-After"));
	assert_string_equal(reply_header(reply, "Retry-After"), seconds);
}

static void no_ca_yet(void **state)
{
	REPLY reply = handle(HTTP_GET, "operation=GetCACert", SPAN_NONE, NULL);

	(void)state;
	must_come_back(&reply, "30");
	assert_true(is_logged("scepterctl ca init"));
}

static void keeper_away(void **state)
{
	ENROLMENT e = device(t.rsa, NULL, MODERN);
	unsigned before = ca_fixture_events(t.f, NULL).n;
	BUF request = BUF_INIT;
	int status;

	(void)state;
	assert_int_equal(scep_enrolment_request(&e, &t.ca, t.f->c, &request, NULL), OK);
	assert_int_equal(kill(t.f->keeper_pid, SIGSTOP), 0);
	assert_int_equal(waitpid(t.f->keeper_pid, &status, WUNTRACED), t.f->keeper_pid);
	assert_true(WIFSTOPPED(status));
	t.endpoint.retry_after = 7;
	{
		REPLY reply = post(buf_span(&request));

		assert_int_equal(kill(t.f->keeper_pid, SIGCONT), 0);
		must_come_back(&reply, "7");
	}
	assert_int_equal(ca_fixture_events(t.f, NULL).n, before); /* nothing was decided */
	t.endpoint.retry_after = 0;
}

/* An RA's key that decrypts, and whose keeper is away when it is to sign. */
struct tired_key {
	struct key key;
	struct key *real;
	unsigned asked;
};

static RESULT tired_sign(struct key *k, struct crypto *c, enum key_purpose purpose,
			 struct sig_alg alg, struct span message, struct buf *out, struct err *err)
{
	struct tired_key *tired = (struct tired_key *)k;

	(void)c, (void)purpose, (void)alg, (void)message, (void)out;
	tired->asked++;
	return err_set(err, ERR_TIMEOUT, "keeper: the answer took too long");
}

static RESULT tired_decrypt(struct key *k, struct crypto *c, const struct transport_alg *alg,
			    struct span cipher, struct secret *out, struct err *err)
{
	return key_decrypt(((struct tired_key *)k)->real, c, alg, cipher, out, err);
}

/* The device waits for one timeout, not two, and gets its certificate when it comes back. */
static void keeper_away_between_issuance_and_reply(void **state)
{
	static const struct key_ops ops = { .sign = tired_sign, .decrypt = tired_decrypt };
	struct authority_ca ca = *t.f->demo;
	struct tired_key tired = { .key = *ca.ra_sign.key, .real = ca.ra_sign.key };
	ENROLMENT e = device(t.rsa, NULL, MODERN);
	unsigned before = ca_fixture_events(t.f, NULL).n;
	BUF request = BUF_INIT;

	(void)state;
	tired.key.ops = &ops;
	ca.ra_sign.key = &tired.key;
	e.transaction_id[0] = 'x'; /* of its own, though the key has been here before */
	assert_int_equal(scep_enrolment_request(&e, &t.ca, t.f->c, &request, NULL), OK);
	{
		REPLY reply = handle(HTTP_POST, "operation=PKIOperation", buf_span(&request), &ca);

		must_come_back(&reply, "30");
	}
	assert_int_equal(tired.asked, 1);
	assert_int_equal(ca_fixture_events(t.f, NULL).n, before + 1);
	{
		REPLY reply = post(buf_span(&request));
		ANSWER answer = read_reply(&e, &reply);

		assert_int_equal(answer.status, SCEP_SUCCESS);
	}
	assert_int_equal(ca_fixture_events(t.f, NULL).n, before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enrols_and_repeats),
		cmocka_unit_test(point_23_ec_device_is_answered_under_its_challenge),
		cmocka_unit_test(point_10_floor_and_switches),
		cmocka_unit_test(point_18_what_can_be_read_gets_a_signed_failure),
		cmocka_unit_test(what_is_no_request_is_refused_by_name),
		cmocka_unit_test(altered_envelopes_have_one_answer),
		cmocka_unit_test(point_06_another_key_than_the_signers),
		cmocka_unit_test(signatures_are_checked),
		cmocka_unit_test(what_cannot_be_read_is_an_http_error),
		cmocka_unit_test(events_of_what_cannot_be_read),
		cmocka_unit_test(nothing_is_refused_off_the_record),
		cmocka_unit_test(point_15_get_ca_cert_by_what_there_is),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(no_ca_yet),
		cmocka_unit_test(keeper_away),
		cmocka_unit_test(keeper_away_between_issuance_and_reply),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
