/* SPDX-License-Identifier: Apache-2.0 */
/* A rollover as devices see it: GetNextCACert, requests of either generation, and the switch. */
#include "scep_fixture.h"

#include "ca/rollover.h"
#include "scep/message.h"

#define AT (NOW + 30 * DAY)

static void at(int64_t now)
{
	clock_fix(&t.f->clock, now);
	t.f->demo = authority_find(t.f->authority, "demo", now);
}

static void roll(void)
{
	const struct rollover r = { .store = t.f->store,
				    .keeper = t.f->keeper,
				    .c = t.f->c,
				    .now = NOW,
				    .ca = t.f->demo,
				    .at = AT,
				    .actor = "uid 0" };
	struct err err = { 0 };

	if (rollover_make(&r, &err) != OK)
		fail_msg("%s", err.text);
	ca_fixture_load(t.f);
}

static bool announced(void)
{
	REPLY reply = get("operation=GetCACaps");

	return scep_caps_parse(buf_span(&reply.body)) & SCEP_CAP_GET_NEXT_CA_CERT;
}

/* Trusts that CA certificate among those of an answer. */
static struct scep_ca_certs trust(struct span answer, const struct authority_ca *anchor,
				  int64_t now)
{
	uint8_t digest[DIGEST_MAX];
	struct scep_ca_certs ca = { 0 };
	struct err err = { 0 };

	assert_int_equal(scep_ca_certs_parse(answer, &ca, NULL), OK);
	assert_int_equal(
	    cert_fingerprint(t.f->c, buf_span(&anchor->ca.der), DIGEST_SHA256, digest, NULL), OK);
	if (scep_ca_certs_trust(&ca, t.f->c, span_of(digest, 32), now, &err) != OK)
		fail_msg("%s", err_text(&err));
	return ca;
}

static void next_is_served_when_it_is_there(void **state)
{
	struct cms_signed outer;
	struct cert signer;

	(void)state;
	assert_false(announced());
	{
		REPLY none = get("operation=GetNextCACert");

		assert_int_equal(none.status, 404);
	}
	roll();
	assert_true(announced());
	{
		REPLY reply = get("operation=GetNextCACert");

		assert_int_equal(reply.status, 200);
		assert_string_equal(reply.content_type, "application/x-x509-next-ca-cert");
		assert_int_equal(cms_signed_parse(buf_span(&reply.body), &outer, NULL), OK);
		assert_int_equal(cms_signed_signer(&outer, &signer, NULL), OK);
		assert_true(span_eq(signer.der, buf_span(&t.f->demo->ra_sign.der)));
		assert_int_equal(cms_signed_verify(&outer, t.f->c, signer.spki, NULL), OK);
		{
			struct scep_ca_certs next = trust(outer.content, t.f->demo->next, AT + DAY);

			assert_int_equal(next.n, 2);
			assert_true(span_eq(next.certs[next.encrypter].der,
					    buf_span(&t.f->demo->next->ra_sign.der)));
			scep_ca_certs_clear(&next);
		}
	}
	at(AT);
	assert_false(announced());
	at(NOW);
}

/* A PKCSReq of t.rsa, encrypted for ca; the certificate that came back. */
static void ask(const struct scep_ca_certs *ca, const char *name, struct buf *der)
{
	CLEANUP(key_freep) struct key *key = NULL;
	struct scep_enrolment_config config = { .caps = MODERN,
						.now = NOW,
						.challenge = span_str(CHALLENGE) };
	ENROLMENT e = { 0 };
	BUF subject = BUF_INIT, request = BUF_INIT;
	struct err err = { 0 };

	assert_int_equal(key_evp_generate(&key, t.f->c, (struct key_spec){ KEY_RSA, 2048 }, NULL),
			 OK);
	assert_int_equal(name_parse_text(name, &subject, NULL), OK);
	config.key = key;
	config.subject = buf_span(&subject);
	assert_int_equal(scep_enrolment_init(&e, &config, t.f->c, NULL), OK);
	assert_int_equal(scep_enrolment_request(&e, ca, t.f->c, &request, NULL), OK);
	{
		REPLY reply = post(buf_span(&request));
		ANSWER answer = { 0 };

		assert_int_equal(reply.status, 200);
		if (scep_enrolment_read(&e, ca, t.f->c, buf_span(&reply.body), &answer, &err) != OK)
			fail_msg("%s", err_text(&err));
		if (answer.status != SCEP_SUCCESS)
			fail_msg("%d: %s", answer.fail_info, answer.text);
		buf_put(der, buf_span(&answer.cert));
	}
}

static bool is_by(const struct buf *der, const struct authority_ca *ca, struct cert *cert)
{
	assert_int_equal(cert_parse(buf_span(der), cert, NULL), OK);
	return cert_verify_signature(cert, t.f->c, ca->ca.cert.spki, NULL) == OK;
}

/* RFC 8894 figure 9: the envelope says which key is to sign. */
static void the_envelope_decides_who_issues(void **state)
{
	const struct authority_ca *old = authority_find(t.f->authority, "demo", NOW);
	const struct authority_ca *new = old->next;
	struct scep_ca_certs both[2];
	struct cert cert;
	size_t i;

	(void)state;
	assert_non_null(new);
	{
		REPLY reply = get("operation=GetNextCACert");
		struct cms_signed outer;

		assert_int_equal(cms_signed_parse(buf_span(&reply.body), &outer, NULL), OK);
		both[1] = trust(outer.content, new, AT);
	}
	{
		REPLY reply = get("operation=GetCACert");

		both[0] = trust(buf_span(&reply.body), old, NOW);
	}
	for (i = 0; i < 4; i++) { /* before and after the switch, of the old one and of the new */
		const struct authority_ca *want = i % 2 ? new : old;
		int64_t now = i < 2 ? NOW + DAY : AT + 10;
		BUF der = BUF_INIT;

		at(now);
		ask(&both[i % 2], "CN=either", &der);
		assert_true(is_by(&der, want, &cert));
		assert_true(cert.not_before >= (want == new ? AT : NOW));
		assert_true(cert.not_after <= want->ca.cert.not_after);
	}
	assert_non_null(strstr(ca_fixture_events(t.f, NULL).kind, "enrol.issued"));
	at(NOW);
	scep_ca_certs_clear(&both[0]);
	scep_ca_certs_clear(&both[1]);
}

/* Encrypted for a CA that has ended meanwhile: the one in charge issues, in the old one's words. */
static void what_was_on_its_way_is_not_lost(void **state)
{
	const struct authority_ca *old = authority_find(t.f->authority, "demo", NOW);
	const struct span certs[] = { buf_span(&old->ra_sign.der), buf_span(&old->ca.der),
				      buf_span(&old->next->ca.der) };
	struct scep_ca_certs ca = { 0 };
	BUF set = BUF_INIT, der = BUF_INIT;
	struct cert cert;

	(void)state;
	assert_int_equal(cms_put_degenerate(&set, certs, ARRAY_LEN(certs), NULL, 0, NULL), OK);
	assert_int_equal(scep_ca_certs_parse(buf_span(&set), &ca, NULL), OK);
	memset(ca.trusted, true, sizeof(ca.trusted));
	ca.encrypter = 0;
	ca.issuer = 2;
	at(old->ca.cert.not_after + 1);
	ask(&ca, "CN=late", &der);
	assert_true(is_by(&der, old->next, &cert));
	at(NOW);
	scep_ca_certs_clear(&ca);
}

/* The same key and transactionID ask the next CA for a certificate of its own, once. */
static void a_transaction_of_each_generation(void **state)
{
	struct store_transaction_key key = { .endpoint = "demo", .id = SPAN_LIT("twice") };
	struct store_issuance i = { .ca = "demo",
				    .generation = 1,
				    .profile = "device",
				    .serial = SPAN_LIT("\x01\x02"),
				    .cert = SPAN_LIT("first"),
				    .now = NOW,
				    .event = { .time = NOW, .kind = "enrol.issued" } };
	CLEANUP(store_cert_clear) struct store_cert found = { 0 };

	(void)state;
	i.transaction = key;
	i.transaction.generation = 1;
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), OK);
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), ERR_CONFLICT);
	key.generation = 2;
	assert_int_equal(store_find_issued(t.f->store, &key, &found, NULL), ERR_NOT_FOUND);
	i.transaction.generation = i.generation = 2;
	i.serial = SPAN_LIT("\x01\x03");
	i.cert = SPAN_LIT("second");
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), OK);
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), ERR_CONFLICT);
	key.generation = 0; /* a poll takes the latest */
	assert_int_equal(store_find_issued(t.f->store, &key, &found, NULL), OK);
	assert_true(span_eq_str(buf_span(&found.der), "second"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_is_served_when_it_is_there),
		cmocka_unit_test(the_envelope_decides_who_issues),
		cmocka_unit_test(what_was_on_its_way_is_not_lost),
		cmocka_unit_test(a_transaction_of_each_generation),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
