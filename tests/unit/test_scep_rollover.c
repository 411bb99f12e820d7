/* SPDX-License-Identifier: Apache-2.0 */
/* A rollover as devices see it: GetNextCACert, requests of either generation, and the switch. */
#include "scep_fixture.h"

#include "ca/issue.h"
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
		assert_true(span_eq(signer.der, buf_span(&t.f->demo->ca.der)));
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
				    .key = key.key_hash,
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
	key.generation = 1; /* each has its own, whichever came first */
	assert_int_equal(store_find_issued(t.f->store, &key, &found, NULL), OK);
	assert_true(span_eq_str(buf_span(&found.der), "first"));
	store_cert_clear(&found);
	key.generation = 0; /* a poll of neither takes the latest */
	assert_int_equal(store_find_issued(t.f->store, &key, &found, NULL), OK);
	assert_true(span_eq_str(buf_span(&found.der), "second"));
}

/* ---- the device's side of GetNextCACert ---- */

static enum result next_for(const struct scep_ca_certs *ca, struct span answer, struct err *err)
{
	struct scep_ca_certs next = { 0 };
	enum result r = scep_ca_certs_next(ca, t.f->c, answer, NOW, &next, err);

	if (r == OK) {
		assert_true(
		    span_eq(next.certs[next.issuer].der, buf_span(&t.f->demo->next->ca.der)));
		scep_ca_certs_clear(&next);
	}
	return r;
}

static enum result next_of(struct span answer, struct err *err)
{
	return next_for(&t.ca, answer, err);
}

static void sign_as(struct key *key, struct span cert, enum digest_alg digest, struct span content,
		    struct buf *out)
{
	struct cms_sign sign = { .has_content = content.len > 0,
				 .content = content,
				 .digest = digest,
				 .signer_cert = cert,
				 .certs = &cert,
				 .n_certs = 1 };

	assert_int_equal(cms_sign(&sign, key, t.f->c, out, NULL), OK);
}

/* A certificate of the CA for t.rsa, which calls it a registration authority or not. */
static void issue_leaf(bool registrar, struct buf *out)
{
	struct cert_template leaf = { .serial = SPAN_LIT("\x47\x11"),
				      .sig_alg = sig_alg_for(t.f->demo->ca.key->kind),
				      .issuer = t.f->demo->ca.cert.subject,
				      .not_before = NOW,
				      .not_after = NOW + DAY,
				      .subject = buf_span(&t.name),
				      .spki = key_spki(t.rsa) };
	BUF exts = BUF_INIT;
	struct err err = { 0 };
	uint8_t id[20];

	ext_put_basic_constraints(&exts, false, -1);
	ext_put_key_usage(&exts, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	if (registrar)
		ext_put_eku(&exts, &OID_CMC_RA, 1, false);
	assert_int_equal(cert_key_id(t.f->c, leaf.spki, id, NULL), OK);
	ext_put_ski(&exts, SPAN_ARRAY(id));
	ext_put_aki(&exts, buf_span(&t.f->demo->ca_ski));
	leaf.exts = buf_span(&exts);
	if (issue_certificate(&leaf, t.f->demo->ca.key, t.f->c, out, &err) != OK)
		fail_msg("%s", err.text);
}

/* What GetCACert is made to answer by who stands between: the CA, and a certificate of it. */
static struct scep_ca_certs with_leaf(struct span leaf)
{
	const struct span certs[] = { leaf, buf_span(&t.f->demo->ca.der) };
	BUF answer = BUF_INIT;

	assert_int_equal(cms_put_degenerate(&answer, certs, ARRAY_LEN(certs), NULL, 0, NULL), OK);
	return trust(buf_span(&answer), t.f->demo, NOW);
}

/* Any device has a certificate of the CA, and could make all others trust whom it likes. */
static void no_device_says_who_is_next(void **state)
{
	REPLY reply = get("operation=GetNextCACert");
	struct cms_signed sd;
	bool registrar;

	(void)state;
	assert_int_equal(cms_signed_parse(buf_span(&reply.body), &sd, NULL), OK);
	for (registrar = false;; registrar = true) {
		struct scep_ca_certs ca;
		struct err err = { 0 };
		BUF leaf = BUF_INIT, answer = BUF_INIT;

		issue_leaf(registrar, &leaf);
		ca = with_leaf(buf_span(&leaf));
		sign_as(t.rsa, buf_span(&leaf), DIGEST_SHA256, sd.content, &answer);
		if (next_for(&ca, buf_span(&answer), &err) != (registrar ? OK : ERR_BAD_CHECK))
			fail_msg("%s: %s", registrar ? "RA" : "device", err.text);
		scep_ca_certs_clear(&ca);
		if (registrar)
			return;
		assert_non_null(strstr(err.text, "RFC 8894 4.7.1"));
	}
}

static void only_the_ca_says_who_is_next(void **state)
{
	const struct ca_identity *ra = &t.f->demo->ra_sign;
	struct cert_self self = { .subject = buf_span(&t.name),
				  .not_before = NOW,
				  .not_after = NOW + DAY };
	struct err err = { 0 };
	BUF own = BUF_INIT, forged = BUF_INIT, weak = BUF_INIT, empty = BUF_INIT, odd = BUF_INIT;
	BUF by_ra = BUF_INIT, leaf = BUF_INIT;
	REPLY reply = get("operation=GetNextCACert");
	struct scep_ca_certs called;
	struct cms_signed sd;

	(void)state;
	if (next_of(buf_span(&reply.body), &err) != OK)
		fail_msg("%s", err.text);
	assert_int_equal(cms_signed_parse(buf_span(&reply.body), &sd, NULL), OK);
	/* by its RA, which no word of the CA's tells from a device */
	sign_as(ra->key, buf_span(&ra->der), DIGEST_SHA256, sd.content, &by_ra);
	assert_int_equal(next_of(buf_span(&by_ra), &err), ERR_BAD_CHECK);
	/* unsigned, as early servers sent it (draft-nourse-scep 8.9) */
	assert_int_equal(next_of(sd.content, &err), ERR_BAD_CHECK);
	assert_non_null(strstr(err.text, "not signed"));
	/* by whoever comes along */
	assert_int_equal(cert_self_signed(&self, t.rsa, t.f->c, &own, NULL), OK);
	sign_as(t.rsa, buf_span(&own), DIGEST_SHA256, sd.content, &forged);
	assert_int_equal(next_of(buf_span(&forged), &err), ERR_BAD_CHECK);
	/* in the RA's name, but not with its key */
	buf_reset(&forged);
	sign_as(t.rsa, buf_span(&ra->der), DIGEST_SHA256, sd.content, &forged);
	assert_int_equal(next_of(buf_span(&forged), &err), ERR_BAD_CHECK);
	sign_as(ra->key, buf_span(&ra->der), DIGEST_SHA1, sd.content, &weak);
	assert_int_equal(next_of(buf_span(&weak), &err), ERR_BAD_ALG);
	issue_leaf(true, &leaf);
	called = with_leaf(buf_span(&leaf));
	sign_as(t.rsa, buf_span(&leaf), DIGEST_SHA256, SPAN_NONE, &empty);
	assert_int_not_equal(next_for(&called, buf_span(&empty), &err), OK);
	sign_as(t.rsa, buf_span(&leaf), DIGEST_SHA256, buf_span(&ra->der), &odd);
	assert_int_not_equal(next_for(&called, buf_span(&odd), &err), OK); /* no CA is in it */
	scep_ca_certs_clear(&called);
	buf_put_byte(&reply.body, 0);
	assert_int_not_equal(next_of(buf_span(&reply.body), &err), OK);
	assert_int_not_equal(next_of(SPAN_NONE, &err), OK);
}

/* ---- a device's years ---- */

/* The set that a device asks: the next CA where the one in charge has no more time to give. */
static struct scep_ca_certs set_for(const struct cert *have, int64_t now)
{
	struct scep_ca_certs ca = { 0 }, next = { 0 };
	struct err err = { 0 };
	REPLY reply = get("operation=GetCACert");

	assert_int_equal(scep_ca_certs_parse(buf_span(&reply.body), &ca, NULL), OK);
	if (scep_ca_certs_trust(&ca, t.f->c, SPAN_NONE, now, &err) != OK)
		fail_msg("%s", err.text);
	if (!have || have->not_after < ca.certs[ca.issuer].not_after || !announced())
		return ca;
	{
		REPLY answer = get("operation=GetNextCACert");

		if (scep_ca_certs_next(&ca, t.f->c, buf_span(&answer.body), now, &next, &err) != OK)
			fail_msg("%s", err.text);
	}
	scep_ca_certs_clear(&ca);
	return next;
}

/*
 * Day by day to the end of the CA and beyond, the next generation made thirty days before: the
 * device looks once a day, and is never without a certificate that is valid at that hour.
 */
static void a_valid_certificate_every_day(void **state)
{
	int64_t end, now;
	struct authority_init init = ca_fixture_init("years");
	const struct authority_ca *ca;
	BUF held = BUF_INIT, kept = BUF_INIT;
	struct cert have = { 0 }, waits = { 0 };
	unsigned renewals = 0;

	(void)state;
	init.ca_validity = 200 * DAY;
	init.max_leaf_validity = init.ra_validity = 200 * DAY;
	ca_fixture_create(t.f, &init);
	ca_fixture_load(t.f);
	t.endpoint.policy.ca = "years";
	end = authority_find(t.f->authority, "years", NOW)->ca.cert.not_after;
	for (now = NOW; now < end + 100 * DAY; now += DAY) {
		clock_fix(&t.f->clock, now);
		ca = authority_find(t.f->authority, "years", now);
		if (rollover_is_due(ca, 30 * DAY, now)) {
			const struct rollover r = { .store = t.f->store,
						    .keeper = t.f->keeper,
						    .c = t.f->c,
						    .now = now,
						    .ca = ca,
						    .actor = "test" };

			assert_int_equal(rollover_make(&r, NULL), OK);
			ca_fixture_load(t.f);
		}
		t.f->demo = authority_find(t.f->authority, "years", now);
		if (kept.len && waits.not_before <= now) {
			buf_clear(&held);
			held = buf_take(&kept);
			assert_int_equal(cert_parse(buf_span(&held), &have, NULL), OK);
		}
		if (!held.len || (have.not_after - now < 25 * DAY && !kept.len)) {
			struct scep_ca_certs set = set_for(held.len ? &have : NULL, now);
			BUF got = BUF_INIT;

			ask(&set, "CN=years", &got);
			scep_ca_certs_clear(&set);
			assert_int_equal(cert_parse(buf_span(&got), &waits, NULL), OK);
			kept = buf_take(&got);
			renewals++;
			if (waits.not_before <= now) {
				buf_clear(&held);
				held = buf_take(&kept);
				assert_int_equal(cert_parse(buf_span(&held), &have, NULL), OK);
			}
		}
		if (have.not_before > now || have.not_after < now)
			fail_msg("day %lld", (long long)(now - NOW) / DAY);
	}
	assert_true(renewals >= 4 && renewals <= 12);
	assert_int_equal(t.f->demo->generation, 2);
	t.endpoint.policy.ca = "demo";
	buf_clear(&kept);
	at(NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_is_served_when_it_is_there),
		cmocka_unit_test(the_envelope_decides_who_issues),
		cmocka_unit_test(what_was_on_its_way_is_not_lost),
		cmocka_unit_test(no_device_says_who_is_next),
		cmocka_unit_test(only_the_ca_says_who_is_next),
		cmocka_unit_test(a_transaction_of_each_generation),
		cmocka_unit_test(a_valid_certificate_every_day),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
