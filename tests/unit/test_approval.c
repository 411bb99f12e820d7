/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait for operators: who must say yes, when, and what comes of it, exactly once. */
#include "ca_fixture.h"

#include <pthread.h>

#include "ca/approval.h"
#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"

static struct {
	struct ca_fixture *f;
	struct key *key;
	struct key *other;
	struct buf name;
	struct profile_attr attr;
	struct profile profile;
	struct enrol_policy policy;
	struct enrol_context ctx;
} t;

static int set_up(void **state)
{
	struct key_spec p256 = { KEY_EC_P256, 256 };

	assert_int_equal(ca_fixture_set_up(state), 0);
	t.f = *state;
	assert_int_equal(key_evp_generate(&t.key, t.f->c, p256, NULL), OK);
	assert_int_equal(key_evp_generate(&t.other, t.f->c, p256, NULL), OK);
	assert_int_equal(name_parse_text("CN=router7", &t.name, NULL), OK);
	buf_put(&t.attr.type, OID_CN);
	t.ctx = (struct enrol_context){ t.f->store, &t.f->clock };
	return 0;
}

static int tear_down(void **state)
{
	key_free(t.key);
	key_free(t.other);
	buf_clear(&t.name);
	buf_clear(&t.attr.type);
	return ca_fixture_tear_down(state);
}

/* Before each test: all that the last one may have changed. */
static int usual(void **state)
{
	(void)state;
	t.profile = ca_fixture_profile(&t.attr);
	t.policy = (struct enrol_policy){ .endpoint = "demo",
					  .ca = "demo",
					  .profile = &t.profile,
					  .accept_anyone = true,
					  .manual = true,
					  .approvers = 1,
					  .pending_lifetime = DAY };
	clock_fix(&t.f->clock, NOW);
	return 0;
}

/* ---- the device ---- */

#define OUTCOME CLEANUP(enrol_outcome_clear) struct enrol_outcome

static struct enrol_outcome ask(const char *transaction, bool poll, struct key *key)
{
	struct enrol_trace trace = { 0 };
	struct enrol_request req = { .policy = &t.policy,
				     .ca = t.f->demo,
				     .transaction_id = span_str(transaction),
				     .subject = buf_span(&t.name),
				     .spki = key_spki(key),
				     .peer = "192.0.2.9",
				     .trace = &trace };
	struct enrol_outcome out = { 0 };
	struct err err = { 0 };

	if ((poll ? ca_enrol_poll : ca_enrol)(&t.ctx, t.f->c, &req, &out, &err) != OK)
		fail_msg("%s: %s", transaction, err.text);
	return out;
}

static void must_be(const char *transaction, enum enrol_status status)
{
	OUTCOME polled = ask(transaction, true, t.key);

	assert_int_equal(polled.status, status);
}

/* ---- the operators ---- */

static struct store_request find(const char *transaction)
{
	struct store_transaction_key key = { "demo", span_str(transaction), { 0 } };
	struct span spki = key_spki(t.key);
	struct store_request r = { 0 };
	uint8_t digest[DIGEST_MAX];

	assert_int_equal(crypto_digest(t.f->c, DIGEST_SHA256, &spki, 1, digest, NULL), OK);
	memcpy(key.key_hash, digest, STORE_HASH);
	assert_int_equal(store_find_request_of(t.f->store, &key, &r, NULL), OK);
	return r;
}

#define REQUEST CLEANUP(store_request_clear) struct store_request

static enum result approve(const struct store_request *r, const char *actor, bool *issued,
			   struct err *err)
{
	const struct approval a = {
		.request = r, .policy = &t.policy, .ca = t.f->demo, .actor = actor
	};

	return approval_grant(&t.ctx, t.f->c, &a, issued, err);
}

static void must_approve(const char *transaction, const char *actor, bool issues)
{
	REQUEST r = find(transaction);
	struct err err = { 0 };
	bool issued = false;

	if (approve(&r, actor, &issued, &err) != OK)
		fail_msg("%s", err.text);
	assert_int_equal(issued, issues);
}

static void must_not_approve(const char *transaction, const char *actor, enum result why,
			     const char *says)
{
	REQUEST r = find(transaction);
	unsigned before = ca_fixture_events(t.f, NULL).n;
	struct err err = { 0 };
	bool issued = false;

	if (approve(&r, actor, &issued, &err) != why || !strstr(err.text, says))
		fail_msg("%s", err.text);
	assert_false(issued);
	assert_int_equal(ca_fixture_events(t.f, NULL).n, before);
}

/* ---- tests ---- */

static void waits_and_is_granted(void **state)
{
	OUTCOME first = ask("tx-one", false, t.key);
	OUTCOME again = ask("tx-one", false, t.key);
	struct ca_fixture_events seen = ca_fixture_events(t.f, "tx-one");

	(void)state;
	assert_int_equal(first.status, ENROL_PENDING);
	assert_int_equal(again.status, ENROL_PENDING);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.kind, "enrol.pending");
	assert_string_equal(seen.reason, "waits for 1 operator until 2026-11-22T20:44:00Z");
	must_be("tx-one", ENROL_PENDING);
	must_approve("tx-one", "uid 0", true);
	{
		OUTCOME polled = ask("tx-one", true, t.key);
		OUTCOME repeated = ask("tx-one", false, t.key);

		assert_int_equal(polled.status, ENROL_ISSUED);
		assert_span_equal(buf_span(&polled.cert), buf_span(&repeated.cert));
	}
	seen = ca_fixture_events(t.f, "tx-one");
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.kind, "enrol.issued");
	assert_non_null(strstr(seen.detail, "of 192.0.2.9, by uid 0"));
	must_not_approve("tx-one", "uid 1000", ERR_CONFLICT, "waits no more: it is approved");
}

static void two_are_two_people(void **state)
{
	(void)state;
	t.policy.approvers = 2;
	{
		OUTCOME out = ask("tx-two", false, t.key);

		assert_int_equal(out.status, ENROL_PENDING);
	}
	must_approve("tx-two", "uid 0", false);
	must_not_approve("tx-two", "uid 0", ERR_CONFLICT, "uid 0 has approved request");
	must_be("tx-two", ENROL_PENDING);
	must_approve("tx-two", "uid 1000", true);
	must_be("tx-two", ENROL_ISSUED);
	assert_non_null(strstr(ca_fixture_events(t.f, "tx-two").detail, "by uid 0, uid 1000"));
}

/* Both read that one approval is missing, and both bring it. */
static void the_last_approval_comes_once(void **state)
{
	struct err err = { 0 };
	bool issued = false;

	(void)state;
	t.policy.approvers = 2;
	{
		OUTCOME out = ask("tx-race", false, t.key);
		REQUEST stale = find("tx-race");

		assert_int_equal(out.status, ENROL_PENDING);
		must_approve("tx-race", "uid 0", false);
		assert_int_equal(approve(&stale, "uid 1000", &issued, &err), ERR_BUSY);
	}
	must_be("tx-race", ENROL_PENDING);
	{
		REQUEST stale = find("tx-race");

		assert_int_equal(stale.approvals, 1);
		must_approve("tx-race", "uid 1000", true);
		assert_int_equal(approve(&stale, "uid 1001", &issued, &err), ERR_CONFLICT);
	}
}

static void configuration_of_then(void **state)
{
	struct authority_ca elsewhere = *t.f->demo;
	const struct authority_ca *demo = t.f->demo;

	(void)state;
	{
		OUTCOME out = ask("tx-config", false, t.key);

		assert_int_equal(out.status, ENROL_PENDING);
	}
	t.attr.choice = PROFILE_FORBID;
	must_not_approve("tx-config", "uid 0", ERR_BAD_TEMPLATE, "CN is not allowed");
	t.attr.choice = PROFILE_REQUIRED;
	t.profile.name = (char *)(uintptr_t) "vpn";
	must_not_approve("tx-config", "uid 0", ERR_CONFLICT, "has \"demo\" and \"vpn\" now");
	t.profile.name = (char *)(uintptr_t) "device";
	(void)snprintf(elsewhere.name, sizeof(elsewhere.name), "other");
	t.f->demo = &elsewhere;
	must_not_approve("tx-config", "uid 0", ERR_CONFLICT, "has \"other\" and \"device\" now");
	t.f->demo = NULL;
	must_not_approve("tx-config", "uid 0", ERR_BUSY, "is not there");
	t.f->demo = demo;
	must_approve("tx-config", "uid 0", true);
}

static void rejected_is_for_good(void **state)
{
	OUTCOME out = ask("tx-no", false, t.key);
	REQUEST r = find("tx-no");
	const struct approval a = { .request = &r, .actor = "uid 0" };

	(void)state;
	assert_int_equal(approval_reject(&t.ctx, &a, "unknown device", NULL), OK);
	assert_int_equal(approval_reject(&t.ctx, &a, "again", NULL), ERR_CONFLICT);
	{
		OUTCOME polled = ask("tx-no", true, t.key);
		OUTCOME repeated = ask("tx-no", false, t.key);

		assert_int_equal(polled.status, ENROL_REJECTED);
		assert_int_equal(polled.why, ERR_DENIED);
		assert_string_equal(polled.reason, repeated.reason);
		assert_string_equal(polled.reason,
				    "an operator has rejected this request: unknown device");
	}
	must_not_approve("tx-no", "uid 1000", ERR_CONFLICT, "it is rejected");
	assert_int_equal(ca_fixture_events(t.f, "tx-no").n, 2);
}

static void overdue_ends_once(void **state)
{
	(void)state;
	{
		OUTCOME out = ask("tx-late", false, t.key);

		assert_int_equal(out.status, ENROL_PENDING);
	}
	clock_fix(&t.f->clock, NOW + DAY - 1);
	must_be("tx-late", ENROL_PENDING);
	clock_fix(&t.f->clock, NOW + DAY);
	must_not_approve("tx-late", "uid 0", ERR_CONFLICT, "it is overdue");
	must_be("tx-late", ENROL_REJECTED);
	must_be("tx-late", ENROL_REJECTED);
	assert_int_equal(ca_fixture_events(t.f, "tx-late").n, 2);
	assert_string_equal(ca_fixture_events(t.f, "tx-late").kind, "enrol.expired");
	must_not_approve("tx-late", "uid 0", ERR_CONFLICT, "it is expired");
	/* the device may ask again, and gets it then */
	{
		OUTCOME out = ask("tx-late", false, t.key);

		assert_int_equal(out.status, ENROL_PENDING);
	}
	must_approve("tx-late", "uid 0", true);
	must_be("tx-late", ENROL_ISSUED);
}

static void polls_of_others(void **state)
{
	OUTCOME out = ask("tx-mine", false, t.key);
	OUTCOME stranger = ask("tx-mine", true, t.other);
	OUTCOME nobody = ask("tx-nobody", true, t.key);

	(void)state;
	assert_int_equal(out.status, ENROL_PENDING);
	assert_int_equal(stranger.status, ENROL_REJECTED);
	assert_int_equal(stranger.why, ERR_BAD_CERT_ID);
	assert_string_equal(stranger.reason, nobody.reason);
	assert_string_equal(ca_fixture_events(t.f, "tx-mine").kind, "poll.rejected");
}

static void what_was_granted_at_once_can_be_polled(void **state)
{
	(void)state;
	t.policy.manual = false;
	{
		OUTCOME out = ask("tx-auto", false, t.key);

		assert_int_equal(out.status, ENROL_ISSUED);
	}
	must_be("tx-auto", ENROL_ISSUED);
}

static void one_challenge_waits_once(void **state)
{
	struct challenge_new n = { .lifetime = 3600 };
	SECRET challenge = SECRET_INIT;
	char id[STORE_NAME_MAX];
	struct enrol_trace trace = { 0 };
	struct enrol_request req = { .policy = &t.policy,
				     .ca = t.f->demo,
				     .transaction_id = SPAN_LIT("tx-first"),
				     .subject = buf_span(&t.name),
				     .spki = key_spki(t.key),
				     .trace = &trace };
	OUTCOME first = { 0 };
	OUTCOME second = { 0 };

	(void)state;
	t.policy.accept_anyone = false;
	t.policy.one_time = true;
	assert_int_equal(
	    challenge_create(t.f->store, t.f->c, &t.f->clock, &n, &challenge, id, NULL), OK);
	req.challenge = secret_span(&challenge);
	assert_int_equal(ca_enrol(&t.ctx, t.f->c, &req, &first, NULL), OK);
	assert_int_equal(first.status, ENROL_PENDING);
	req.transaction_id = SPAN_LIT("tx-second");
	assert_int_equal(ca_enrol(&t.ctx, t.f->c, &req, &second, NULL), OK);
	assert_int_equal(second.status, ENROL_REJECTED);
	assert_non_null(strstr(second.reason, "used already"));
}

/* ---- many at once ---- */

#define THREADS 8

static void *approve_in_thread(void *arg)
{
	const struct store_request *r = arg;
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	char actor[32];
	const struct approval a = {
		.request = r, .policy = &t.policy, .ca = t.f->demo, .actor = actor
	};
	bool issued = false;

	(void)snprintf(actor, sizeof(actor), "thread %lx", (unsigned long)pthread_self());
	if (crypto_new(&c, false, NULL) != OK || approval_grant(&t.ctx, c, &a, &issued, NULL) != OK)
		return NULL;
	return issued ? arg : NULL;
}

static void one_certificate_for_many_approvals(void **state)
{
	OUTCOME out = ask("tx-many", false, t.key);
	REQUEST r = find("tx-many");
	pthread_t threads[THREADS];
	unsigned issued = 0;
	void *done;
	size_t i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, approve_in_thread, &r), 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &done), 0);
		issued += done != NULL;
	}
	assert_int_equal(issued, 1);
	assert_int_equal(ca_fixture_events(t.f, "tx-many").n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(waits_and_is_granted, usual),
		cmocka_unit_test_setup(two_are_two_people, usual),
		cmocka_unit_test_setup(the_last_approval_comes_once, usual),
		cmocka_unit_test_setup(configuration_of_then, usual),
		cmocka_unit_test_setup(rejected_is_for_good, usual),
		cmocka_unit_test_setup(overdue_ends_once, usual),
		cmocka_unit_test_setup(polls_of_others, usual),
		cmocka_unit_test_setup(what_was_granted_at_once_can_be_polled, usual),
		cmocka_unit_test_setup(one_challenge_waits_once, usual),
		cmocka_unit_test_setup(one_certificate_for_many_approvals, usual),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
