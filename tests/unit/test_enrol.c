/* SPDX-License-Identifier: Apache-2.0 */
#include "enrol_fixture.h"

#include "base/file.h"
#include "pki/san.h"

/* ---- asking ---- */

struct ask {
	const char *transaction;
	const char *challenge;
	struct key *key;                   /* NULL: a */
	const struct buf *name;            /* NULL: CN=router7 */
	const struct enrol_policy *policy; /* NULL: the usual */
	struct span exts;
};

static enum result enrol(const struct ask *ask, struct enrol_outcome *out, struct err *err)
{
	struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct enrol_trace trace = { 0 };
	struct enrol_request req = { .policy = ask->policy ? ask->policy : &t.policy,
				     .ca = t.f->demo,
				     .transaction_id = span_str(ask->transaction),
				     .subject = buf_span(ask->name ? ask->name : &t.name),
				     .spki = key_spki(ask->key ? ask->key : t.a),
				     .exts = ask->exts,
				     .challenge = span_str(ask->challenge),
				     .peer = "192.0.2.9",
				     .trace = &trace };

	enrol_trace_add(&trace, "signature", true, "by the \"test\"");
	return ca_enrol(&ctx, t.f->c, &req, out, err);
}

static struct enrol_outcome must_issue(const struct ask *ask, bool repeated)
{
	struct enrol_outcome out = { 0 };
	struct err err = { 0 };

	if (enrol(ask, &out, &err) != OK || out.status != ENROL_ISSUED)
		fail_msg("%s: %s %s", ask->transaction, err.text, out.reason);
	assert_int_equal(out.repeated, repeated);
	return out;
}

/* says: part of the reason, which also is the event's. */
static void must_reject(const struct ask *ask, enum result why, const char *says)
{
	CLEANUP(enrol_outcome_clear) struct enrol_outcome out = { 0 };
	struct err err = { 0 };
	struct ca_fixture_events seen;

	if (enrol(ask, &out, &err) != OK || out.status != ENROL_REJECTED || out.why != why ||
	    !strstr(out.reason, says))
		fail_msg("%s: %s; %s %s", ask->transaction, err.text, err_name(out.why),
			 out.reason);
	seen = ca_fixture_events(t.f, ask->transaction);
	assert_string_equal(seen.kind, "enrol.rejected");
	assert_string_equal(seen.reason, out.reason);
	assert_int_equal(out.cert.len, 0);
}

#define OUTCOME CLEANUP(enrol_outcome_clear) struct enrol_outcome

/* ---- tests ---- */

static void issued_certificate_is_the_profiles(void **state UNUSED)
{
	struct ask ask = { "tx-static", "swordfish" };
	OUTCOME out = must_issue(&ask, false);
	struct ca_fixture_events seen = ca_fixture_events(t.f, "tx-static");
	struct cert cert;

	assert_int_equal(cert_parse(buf_span(&out.cert), &cert, NULL), OK);
	assert_int_equal(cert_verify_signature(&cert, t.f->c, t.f->demo->ca.cert.spki, NULL), OK);
	assert_span_equal(cert.spki, key_spki(t.a));
	assert_span_equal(cert.issuer, t.f->demo->ca.cert.subject);
	assert_int_equal(cert.serial.len, 16);
	/* the CA was made at NOW, back-dated by the same ten minutes */
	assert_int_equal(cert.not_before, NOW - 600);
	assert_int_equal(cert.not_after, NOW - 600 + 90 * DAY);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.kind, "enrol.issued");
	assert_non_null(strstr(seen.detail,
			       "[{\"step\":\"signature\",\"ok\":true,\"text\":\"by the "
			       "\\\"test\\\"\"},{\"step\":\"challenge\",\"ok\":true,"));
	assert_null(strstr(seen.detail, "swordfish"));
}

static void retransmission_gets_the_same(void **state UNUSED)
{
	struct ask ask = { "tx-again", "swordfish" };
	OUTCOME first = must_issue(&ask, false);
	unsigned events = ca_fixture_events(t.f, NULL).n;
	size_t i;

	for (i = 0; i < 20; i++) {
		OUTCOME again = { 0 };

		/* the challenge is not asked for again */
		ask.challenge = i & 1 ? "wrong" : "";
		again = must_issue(&ask, true);
		assert_span_equal(buf_span(&again.cert), buf_span(&first.cert));
	}
	assert_int_equal(ca_fixture_events(t.f, NULL).n, events);
	store_close(t.f->store);
	ca_fixture_open_store(t.f);
	{
		OUTCOME again = must_issue(&ask, true);

		assert_span_equal(buf_span(&again.cert), buf_span(&first.cert));
	}
	ask.key = t.b;
	must_reject(&ask, ERR_DENIED, "wrong for endpoint \"demo\"");
}

static void challenges_that_do_not_do(void **state UNUSED)
{
	static const struct {
		const char *transaction, *challenge, *says;
	} rows[] = {
		{ "tx-none", "", "no password is shown" },
		{ "tx-wrong", "sword", "wrong for endpoint" },
		{ "tx-26", "AAAAAAAAAAAAAAAAAAAAAAAAAA", "wrong for endpoint" },
	};
	struct enrol_policy only_one_time = t.policy;
	struct ask ask = { "tx-only", "swordfish", .policy = &only_one_time };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		must_reject(&(struct ask){ rows[i].transaction, rows[i].challenge }, ERR_DENIED,
			    rows[i].says);
	only_one_time.statics = NULL;
	must_reject(&ask, ERR_DENIED, "not one that this server made");
}

/* ---- protocols without a transactionID ---- */

static enum result vouch_for_sesame(const struct verifier *v, struct crypto *c UNUSED,
				    struct span name, struct span password, struct err *err)
{
	(void)v;
	if (span_eq_str(name, "ali") && span_eq_str(password, "sesame"))
		return OK;
	return err_set(err, ERR_DENIED, "wrong name or password");
}

static struct enrol_outcome ask_anew(const char *what, struct enrol_request *req)
{
	struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct enrol_outcome out = { 0 };
	struct err err = { 0 };

	req->policy = req->policy ? req->policy : &t.policy;
	req->ca = t.f->demo;
	req->transaction_id = span_str(what);
	req->subject = buf_span(&t.name);
	req->spki = key_spki(t.a);
	req->peer = "192.0.2.9";
	req->anew = true;
	if (ca_enrol(&ctx, t.f->c, req, &out, &err) != OK)
		fail_msg("%s", err_text(&err));
	return out;
}

static void accounts_and_who_answers(void **state UNUSED)
{
	const struct verifier accounts = { .verify = vouch_for_sesame };
	const struct enrol_words words = { "RFC 1", "RFC 2: no password", "RFC 3" };
	struct enrol_policy no_statics = t.policy;
	const struct {
		const char *what, *user, *password, *vouched, *says;
	} rows[] = {
		{ "by account", "ali", "sesame", NULL, NULL },
		{ "vouched for", "", "", "somebody", NULL },
		{ "guessed", "ali", "barley", NULL, "wrong name or password" },
		{ "of nobody", "", "sesame", NULL, "not one that this server made" },
		{ "without", "", "", NULL, "RFC 2: no password" },
	};
	size_t i;

	no_statics.statics = NULL;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct enrol_request req = { .policy = &no_statics,
					     .words = &words,
					     .accounts = &accounts,
					     .user = span_str(rows[i].user),
					     .challenge = span_str(rows[i].password),
					     .vouched = rows[i].vouched };
		OUTCOME out = { 0 };

		out = ask_anew(rows[i].what, &req);
		assert_int_equal(out.status, rows[i].says ? ENROL_REJECTED : ENROL_ISSUED);
		if (rows[i].says && !strstr(out.reason, rows[i].says))
			fail_msg("row %zu: %s", i, out.reason);
	}
}

/* The latest of all that there were is found by the first one's id. */
static void check_latest(const struct enrol_request *req, struct span cert, bool first)
{
	struct store_transaction_key key = { .endpoint = t.policy.endpoint,
					     .id = req->transaction_id };
	CLEANUP(store_cert_clear) struct store_cert got = { 0 };
	uint8_t digest[DIGEST_MAX];

	assert_int_equal(crypto_digest(t.f->c, DIGEST_SHA256, &req->spki, 1, digest, NULL), OK);
	memcpy(key.key_hash, digest, STORE_HASH);
	assert_int_equal(store_find_latest(t.f->store, &key, &got, NULL), OK);
	assert_span_equal(buf_span(&got.der), cert);
	assert_int_equal(span_eq(buf_span(&got.transaction), req->transaction_id), first);
	key.id = SPAN_LIT("what is asked fo");
	assert_int_equal(store_find_latest(t.f->store, &key, &got, NULL), ERR_NOT_FOUND);
}

static void what_has_ended_begins_anew(void **state UNUSED)
{
	struct enrol_request req = { .challenge = SPAN_LIT("swordfish") };
	OUTCOME before = ask_anew("what is asked for", &req);
	unsigned n;

	check_latest(&req, buf_span(&before.cert), true);
	for (n = 1; n < 6; n++) {
		OUTCOME again = ask_anew("what is asked for", &req);
		OUTCOME later = { 0 };

		assert_true(again.repeated);
		assert_span_equal(buf_span(&again.cert), buf_span(&before.cert));
		clock_fix(&t.f->clock, NOW + n * 91 * DAY);
		later = ask_anew("what is asked for", &req);
		assert_int_equal(later.status, ENROL_ISSUED);
		assert_false(later.repeated);
		assert_false(span_eq(buf_span(&later.cert), buf_span(&before.cert)));
		check_latest(&req, buf_span(&later.cert), false);
		enrol_outcome_clear(&before);
		before = later;
		later = (struct enrol_outcome){ 0 };
	}
	clock_fix(&t.f->clock, NOW);
}

static void one_time_is_used_once(void **state UNUSED)
{
	struct challenge_new n = { .lifetime = 3600 };
	MADE made = new_challenge(&n);
	struct ask ask = { "tx-once", text_of(&made) };
	OUTCOME first = must_issue(&ask, false);
	OUTCOME again = must_issue(&ask, true);
	struct ca_fixture_events seen;

	assert_span_equal(buf_span(&again.cert), buf_span(&first.cert));
	ask.transaction = "tx-once-more";
	must_reject(&ask, ERR_DENIED, "with another transactionID or key");
	ask = (struct ask){ "tx-once", text_of(&made), t.b };
	must_reject(&ask, ERR_DENIED, "with another transactionID or key");
	seen = ca_fixture_events(t.f, "tx-once");
	assert_null(strstr(seen.detail, text_of(&made)));
	assert_non_null(strstr(seen.detail, made.id));
}

/*
 * Not even for the same request, when its certificate has ended. The store would not take the
 * second certificate either: but then it would have been signed.
 */
static void one_time_is_for_one_certificate(void **state UNUSED)
{
	struct challenge_new n = { .lifetime = 365 * DAY };
	MADE made = new_challenge(&n);
	struct enrol_request req = { .challenge = span_str(text_of(&made)) };
	OUTCOME first = ask_anew("once", &req);
	OUTCOME later = { 0 };

	assert_int_equal(first.status, ENROL_ISSUED);
	clock_fix(&t.f->clock, NOW + 91 * DAY);
	later = ask_anew("once", &req);
	clock_fix(&t.f->clock, NOW);
	assert_int_equal(later.status, ENROL_REJECTED);
	assert_non_null(strstr(later.reason, "it is good for one certificate"));
}

static void refusal_binds_the_challenge_too(void **state UNUSED)
{
	struct challenge_new n = { .lifetime = 3600 };
	MADE made = new_challenge(&n);
	BUF no_cn = BUF_INIT;
	struct ask ask = { "tx-bind", text_of(&made), .name = &no_cn };

	assert_int_equal(name_parse_text("O=Example", &no_cn, NULL), OK);
	must_reject(&ask, ERR_BAD_TEMPLATE, "O is not allowed");
	must_reject(&(struct ask){ "tx-other", text_of(&made) }, ERR_DENIED, "used already");
	must_reject(&(struct ask){ "tx-bind", text_of(&made), t.b }, ERR_DENIED, "used already");
	ask.name = NULL;
	{
		OUTCOME out = must_issue(&ask, false);

		assert_int_not_equal(out.cert.len, 0);
	}
}

static void one_time_limits(void **state UNUSED)
{
	static const char *const sans[] = { "DNS:router7.example" };
	struct challenge_new bound = { .lifetime = 3600, .subject = "CN=router8" };
	struct challenge_new with_san = { .lifetime = 3600, .sans = sans, .n_sans = 1 };
	struct challenge_new elsewhere = { .lifetime = 3600, .endpoint = "other" };
	struct challenge_new brief = { .lifetime = 60 };
	MADE subject = new_challenge(&bound), san = new_challenge(&with_san),
	     other = new_challenge(&elsewhere), late = new_challenge(&brief),
	     revoked = new_challenge(&brief);
	struct store_event event = { .time = NOW, .kind = "challenge.revoked" };

	must_reject(&(struct ask){ "tx-l1", text_of(&subject) }, ERR_DENIED,
		    "is only for subject \"CN=router8\"");
	must_reject(&(struct ask){ "tx-l2", text_of(&san) }, ERR_DENIED, "subjectAltNames");
	must_reject(&(struct ask){ "tx-l3", text_of(&other) }, ERR_DENIED,
		    "for endpoint \"other\", not for \"demo\"");
	assert_int_equal(store_revoke_challenge(t.f->store, revoked.id, &event, NULL), OK);
	must_reject(&(struct ask){ "tx-l4", text_of(&revoked) }, ERR_DENIED, "was revoked");
	clock_fix(&t.f->clock, NOW + 60);
	must_reject(&(struct ask){ "tx-l5", text_of(&late) }, ERR_DENIED, "expired at 2026-11-21");
	clock_fix(&t.f->clock, NOW);
}

static void bound_names_that_match(void **state UNUSED)
{
	static const char *const sans[] = { "DNS:router7.example" };
	struct challenge_new n = {
		.lifetime = 3600, .subject = "CN=router7", .sans = sans, .n_sans = 1
	};
	MADE made = new_challenge(&n);
	struct ask ask = { "tx-names", text_of(&made) };
	BUF names = BUF_INIT;
	BUF exts = BUF_INIT;

	t.profile.other_sans = PROFILE_OPTIONAL;
	assert_int_equal(san_parse_text("DNS:ROUTER7.example", &names, NULL), OK);
	ext_put_san(&exts, buf_span(&names), false);
	ask.exts = buf_span(&exts);
	{
		OUTCOME out = must_issue(&ask, false);

		assert_int_not_equal(out.cert.len, 0);
	}
	t.profile.other_sans = PROFILE_FORBID;
}

static void anyone_is_anyone(void **state UNUSED)
{
	struct enrol_policy anyone = t.policy;
	struct ask ask = { "tx-anyone", "", .policy = &anyone };
	OUTCOME out = { 0 };

	anyone.accept_anyone = true;
	out = must_issue(&ask, false);
	assert_int_not_equal(out.cert.len, 0);
}

static void nothing_is_decided_without_a_store_or_ca(void **state UNUSED)
{
	struct ask ask = { "", "swordfish" };
	struct enrol_outcome out = { .status = ENROL_PENDING };
	struct authority_ca broken = *t.f->demo;
	const struct authority_ca *demo = t.f->demo;

	assert_int_equal(enrol(&ask, &out, NULL), ERR_BAD_REQUEST);
	ask.transaction = "tx-nowhere";
	(void)snprintf(broken.name, sizeof(broken.name), "nowhere");
	t.f->demo = &broken;
	assert_int_equal(enrol(&ask, &out, NULL), ERR_INTERNAL);
	t.f->demo = demo;
	assert_int_equal(out.status, ENROL_PENDING);
	assert_int_equal(ca_fixture_events(t.f, "tx-nowhere").n, 0);
}

static void codec_refusals_are_on_record(void **state UNUSED)
{
	struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct enrol_trace trace = { 0 };
	struct enrol_request req = { .policy = &t.policy,
				     .transaction_id = span_str("tx-codec"),
				     .peer = "192.0.2.9",
				     .trace = &trace };
	struct ca_fixture_events seen;

	enrol_trace_add(&trace, "signature", false, "does not verify\n\x01");
	assert_int_equal(ca_enrol_refused(&ctx, &req, ERR_BAD_CHECK, "signature: bad", NULL), OK);
	seen = ca_fixture_events(t.f, "tx-codec");
	assert_string_equal(seen.reason, "signature: bad");
	assert_string_equal(seen.detail,
			    "[{\"step\":\"signature\",\"ok\":false,\"text\":\"does not "
			    "verify\\u000a\\u0001\"},{\"step\":\"decision\",\"ok\":false,\"text\":"
			    "\"rejected: bad-message-check\"}]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issued_certificate_is_the_profiles),
		cmocka_unit_test(retransmission_gets_the_same),
		cmocka_unit_test(challenges_that_do_not_do),
		cmocka_unit_test(accounts_and_who_answers),
		cmocka_unit_test(what_has_ended_begins_anew),
		cmocka_unit_test(one_time_is_used_once),
		cmocka_unit_test(one_time_is_for_one_certificate),
		cmocka_unit_test(refusal_binds_the_challenge_too),
		cmocka_unit_test(one_time_limits),
		cmocka_unit_test(bound_names_that_match),
		cmocka_unit_test(anyone_is_anyone),
		cmocka_unit_test(nothing_is_decided_without_a_store_or_ca),
		cmocka_unit_test(codec_refusals_are_on_record),
	};

	return cmocka_run_group_tests(tests, enrol_fixture_set_up, enrol_fixture_tear_down);
}
