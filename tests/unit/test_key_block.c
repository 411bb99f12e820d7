/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that somebody else may have get no certificate, by whatever way they come. */
#include "enrol_fixture.h"

#include <pthread.h>
#include <sqlite3.h>

#include "base/hex.h"
#include "ca/approval.h"
#include "ca/revoke.h"
#include "ca/standing.h"
#include "store/key_block.h"
#include "store/request.h"

#define SAYS "was reported as compromised at 2026-11-21T20:44:00Z: make a new one"
#define OUTCOME CLEANUP(enrol_outcome_clear) struct enrol_outcome

/* ---- devices ---- */

struct ask {
	const char *transaction;
	struct key *key;
	const struct cert *current; /* NULL: a first enrolment */
	const char *challenge;      /* NULL: anyone may enrol */
	bool anew;
	bool poll;
};

static struct enrol_outcome ask(const struct ask *a)
{
	const struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct enrol_trace trace = { 0 };
	const struct enrol_request req = { .policy = &t.policy,
					   .ca = t.f->demo,
					   .transaction_id = span_str(a->transaction),
					   .subject = buf_span(&t.name),
					   .spki = key_spki(a->key),
					   .challenge = span_str(a->challenge),
					   .current = a->current,
					   .renewal_only = true,
					   .anew = a->anew,
					   .peer = "192.0.2.9",
					   .trace = &trace };
	struct enrol_outcome out = { 0 };
	struct err err = { 0 };

	t.policy.accept_anyone = !a->challenge;
	t.policy.renewal = t.profile.renewal.allowed = true;
	t.profile.renewal.window = PROFILE_ANY_TIME;
	if ((a->poll ? ca_enrol_poll : ca_enrol)(&ctx, t.f->c, &req, &out, &err) != OK)
		fail_msg("%s: %s", a->transaction, err.text);
	return out;
}

static void must_reject(const struct ask *a, enum result why, const char *says)
{
	struct ca_fixture_events seen;
	OUTCOME out = ask(a);

	assert_int_equal(out.status, ENROL_REJECTED);
	assert_int_equal(out.why, why);
	if (!strstr(out.reason, says))
		fail_msg("%s", out.reason);
	seen = ca_fixture_events(t.f, a->transaction);
	assert_string_equal(seen.kind, "enrol.rejected");
	assert_string_equal(seen.reason, out.reason);
}

static struct buf must_issue(const struct ask *a)
{
	OUTCOME out = ask(a);

	if (out.status != ENROL_ISSUED)
		fail_msg("%s: %s", a->transaction, out.reason);
	return buf_take(&out.cert);
}

/* ---- operators ---- */

static void hash_of(struct key *key, uint8_t hash[STORE_HASH])
{
	assert_int_equal(pubkey_hash(t.f->c, key_spki(key), hash, NULL), OK);
}

static uint64_t block(struct key *key)
{
	uint8_t hash[1][STORE_HASH];
	const struct store_key_block b = {
		.hashes = (const uint8_t(*)[STORE_HASH])hash,
		.n = 1,
		.reason = "found in a firmware image",
		.event = { .time = NOW, .kind = "key.blocked", .actor = "uid 0" },
	};
	uint64_t added = 9;

	hash_of(key, hash[0]);
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), OK);
	return added;
}

static bool is_blocked(struct key *key)
{
	uint8_t hash[STORE_HASH];
	enum result r;

	hash_of(key, hash);
	r = store_check_key(t.f->store, hash, "it", NULL);
	assert_true(r == OK || r == ERR_KEY_BLOCKED);
	return r == ERR_KEY_BLOCKED;
}

static enum result revoke_as(const struct buf *der, enum crl_reason reason)
{
	const struct revoke_context ctx = { t.f->store, &t.f->clock, NULL };
	struct revoke_request req = { .ca = "demo", .reason = reason, .actor = "uid 0" };
	struct cert cert;

	assert_int_equal(cert_parse(buf_span(der), &cert, NULL), OK);
	req.serial = cert.serial;
	return revoke_cert(&ctx, &req, NULL);
}

/* ---- revocations ---- */

static void a_compromised_key_is_not_certified_again(void **state)
{
	const struct ask first = { "tx-1", t.a };
	BUF der = must_issue(&first);
	BUF other = BUF_INIT;

	(void)state;
	assert_false(is_blocked(t.a));
	assert_int_equal(revoke_as(&der, CRL_KEY_COMPROMISE), OK);
	assert_string_equal(ca_fixture_events(t.f, NULL).kind, "key.blocked");
	assert_true(is_blocked(t.a));
	must_reject(&(struct ask){ "tx-2", t.a }, ERR_KEY_BLOCKED, "this key " SAYS);
	/* what it was given before is not given again, by whatever protocol */
	must_reject(&first, ERR_KEY_BLOCKED, "this key " SAYS);
	must_reject(&(struct ask){ "tx-1", t.a, .anew = true }, ERR_KEY_BLOCKED, SAYS);
	/* nobody else suffers */
	other = must_issue(&(struct ask){ "tx-3", t.b });
	assert_false(is_blocked(t.b));
}

static void only_reasons_that_are_about_keys(void **state)
{
	static const enum crl_reason others[] = { CRL_UNSPECIFIED,      CRL_AFFILIATION_CHANGED,
						  CRL_SUPERSEDED,       CRL_CESSATION_OF_OPERATION,
						  CRL_CERTIFICATE_HOLD, CRL_PRIVILEGE_WITHDRAWN };
	char transaction[16];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(others); i++) {
		const struct ask a = { transaction, t.a };
		BUF der = BUF_INIT;

		(void)snprintf(transaction, sizeof(transaction), "tx-%zu", i);
		der = must_issue(&a);
		assert_int_equal(revoke_as(&der, others[i]), OK);
		assert_false(is_blocked(t.a));
		if (others[i] == CRL_CERTIFICATE_HOLD) { /* and then it becomes one */
			assert_int_equal(revoke_as(&der, CRL_KEY_COMPROMISE), OK);
			break;
		}
	}
	must_reject(&(struct ask){ "tx-last", t.a }, ERR_KEY_BLOCKED, SAYS);
}

/* What was revoked for another reason, and then its key turns out to be lost. */
static void it_may_come_out_later(void **state)
{
	BUF der = must_issue(&(struct ask){ "tx-1", t.a });
	struct store_status status = { 0 };
	struct cert cert;

	(void)state;
	assert_int_equal(revoke_as(&der, CRL_SUPERSEDED), OK);
	assert_false(is_blocked(t.a));
	clock_fix(&t.f->clock, NOW + DAY);
	assert_int_equal(revoke_as(&der, CRL_PRIVILEGE_WITHDRAWN), ERR_CONFLICT);
	assert_int_equal(revoke_as(&der, CRL_KEY_COMPROMISE), OK);
	assert_true(is_blocked(t.a));
	assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
	assert_int_equal(store_find_status(t.f->store, "demo", cert.serial, &status, NULL), OK);
	assert_int_equal(status.reason, CRL_KEY_COMPROMISE);
	assert_int_equal(status.time, NOW); /* not good since then */
	assert_int_equal(revoke_as(&der, CRL_KEY_COMPROMISE), ERR_CONFLICT);
	assert_int_equal(revoke_as(&der, CRL_SUPERSEDED), ERR_CONFLICT);
}

/* ---- proofs ---- */

/* Two certificates of one key; one is revoked, the other no proof of identity any more. */
static void another_certificate_of_the_key_proves_nothing(void **state)
{
	BUF first = must_issue(&(struct ask){ "tx-1", t.a });
	BUF second = must_issue(&(struct ask){ "tx-2", t.a });
	BUF third = must_issue(&(struct ask){ "tx-3", t.b });
	const struct ca_standing now = { t.f->store, t.f->c, NOW };
	struct cert cert, unrelated;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(cert_parse(buf_span(&second), &cert, NULL), OK);
	assert_int_equal(cert_parse(buf_span(&third), &unrelated, NULL), OK);
	assert_int_equal(ca_standing_check(&now, t.f->demo, &cert, NULL), OK);
	assert_int_equal(revoke_as(&first, CRL_KEY_COMPROMISE), OK);
	assert_int_equal(ca_standing_check(&now, t.f->demo, &cert, &err), ERR_DENIED);
	assert_non_null(strstr(err.text, "the key of the certificate shown " SAYS));
	assert_int_equal(ca_standing_check(&now, t.f->demo, &unrelated, NULL), OK);
	must_reject(&(struct ask){ "tx-same", t.a, &cert }, ERR_DENIED,
		    "the key of the certificate that is renewed " SAYS);
	must_reject(&(struct ask){ "tx-new", t.b, &cert }, ERR_DENIED,
		    "the key of the certificate that is renewed " SAYS);
	must_reject(&(struct ask){ "tx-back", t.a, &unrelated }, ERR_KEY_BLOCKED, "this key " SAYS);
	buf_clear(&first);
	first = must_issue(&(struct ask){ "tx-other", t.b, &unrelated });
}

/* The commit itself looks, at both keys. */
static void the_commit_decides(void **state)
{
	static const uint8_t good[STORE_HASH] = { 1 };
	uint8_t bad[STORE_HASH];
	struct store_issuance i = { .transaction = { "demo", SPAN_LIT("tx-race"), { 7 } },
				    .ca = "demo",
				    .generation = 1,
				    .profile = "device",
				    .serial = SPAN_LIT("\x01\x02"),
				    .cert = SPAN_LIT("certificate"),
				    .now = NOW,
				    .event = { .time = NOW, .kind = "enrol.issued" } };
	struct err err = { 0 };

	(void)state;
	hash_of(t.a, bad);
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), ERR_INTERNAL);
	(void)block(t.a);
	i.key = bad;
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), ERR_KEY_BLOCKED);
	i.key = good;
	i.current_key = bad;
	assert_int_equal(store_commit_issuance(t.f->store, &i, &err), ERR_KEY_BLOCKED);
	assert_non_null(strstr(err.text, "the key of the certificate that is renewed"));
	i.current_key = good;
	assert_int_equal(store_commit_issuance(t.f->store, &i, NULL), OK);
}

/* ---- challenges ---- */

/* It stays bound to who showed it, and is not used up. */
static void a_challenge_is_not_lost_to_others(void **state)
{
	const struct challenge_new n = { .lifetime = 3600, .actor = "uid 0" };
	MADE made = new_challenge(&n);
	BUF der = BUF_INIT;

	(void)state;
	(void)block(t.a);
	must_reject(&(struct ask){ "tx-1", t.a, .challenge = text_of(&made) }, ERR_KEY_BLOCKED,
		    SAYS);
	must_reject(&(struct ask){ "tx-2", t.b, .challenge = text_of(&made) }, ERR_DENIED,
		    "was used already, with another transactionID or key");
	{
		uint8_t hash[STORE_HASH];
		const struct store_event event = { .time = NOW, .kind = "key.unblocked" };

		hash_of(t.a, hash);
		assert_int_equal(store_unblock_key(t.f->store, hash, &event, NULL), OK);
	}
	der = must_issue(&(struct ask){ "tx-1", t.a, .challenge = text_of(&made) });
}

/* ---- what waits ---- */

static void find(const char *transaction, struct key *key, struct store_request *out)
{
	struct store_transaction_key k = { "demo", span_str(transaction), { 0 } };

	hash_of(key, k.key_hash);
	assert_int_equal(store_find_request_of(t.f->store, &k, out, NULL), OK);
}

static enum result approve(const struct store_request *r, struct err *err)
{
	const struct enrol_context ctx = { t.f->store, &t.f->clock };
	const struct approval a = {
		.request = r, .policy = &t.policy, .ca = t.f->demo, .actor = "uid 0"
	};
	bool issued = false;

	return approval_grant(&ctx, t.f->c, &a, &issued, err);
}

static void must_wait(const char *transaction, struct key *key)
{
	OUTCOME out = ask(&(struct ask){ transaction, key });

	assert_int_equal(out.status, ENROL_PENDING);
}

/* Between request and approval: rejected there and then, whoever approves later. */
static void blocked_while_it_waits(void **state)
{
	CLEANUP(store_request_clear) struct store_request seen = { 0 }, late = { 0 }, other = { 0 };
	struct err err = { 0 };

	(void)state;
	t.policy.manual = true;
	t.policy.approvers = 1;
	t.policy.pending_lifetime = DAY;
	must_wait("tx-1", t.a);
	must_wait("tx-2", t.b);
	find("tx-1", t.a, &seen);
	assert_int_equal(block(t.a), 1);
	assert_string_equal(ca_fixture_events(t.f, "tx-1").kind, "enrol.rejected");
	assert_int_equal(approve(&seen, &err), ERR_CONFLICT); /* who had looked before */
	assert_non_null(strstr(err.text, "it is rejected"));
	find("tx-1", t.a, &late);
	assert_int_equal(late.state, STORE_REQUEST_REJECTED);
	{
		OUTCOME polled = ask(&(struct ask){ "tx-1", t.a, .poll = true });

		assert_int_equal(polled.status, ENROL_REJECTED);
		assert_non_null(strstr(polled.reason, "its key was reported as compromised"));
	}
	must_reject(&(struct ask){ "tx-3", t.a }, ERR_KEY_BLOCKED, SAYS); /* waits no more */
	find("tx-2", t.b, &other);
	assert_int_equal(approve(&other, NULL), OK);
}

/* One that is overdue does not keep its key from being blocked. */
static void overdue_requests_are_in_nobodys_way(void **state)
{
	(void)state;
	t.policy.manual = true;
	t.policy.approvers = 1;
	t.policy.pending_lifetime = 10;
	clock_fix(&t.f->clock, NOW - 10);
	must_wait("tx-1", t.a);
	clock_fix(&t.f->clock, NOW);
	assert_int_equal(block(t.a), 1);
}

/* ---- by hand ---- */

static enum result count(void *ctx, const struct store_blocked_key *k, struct err *err UNUSED)
{
	struct store_blocked_key *last = ctx;

	assert_true(memcmp(last->hash, k->hash, STORE_HASH) < 0);
	memcpy(last->hash, k->hash, STORE_HASH);
	last->time++;
	return OK;
}

static void many_at_once(void **state)
{
	static uint8_t hashes[STORE_BLOCKED_KEYS_MAX + 1][STORE_HASH];
	struct store_blocked_key seen = { .time = 0 };
	struct store_key_block b = {
		.hashes = (const uint8_t(*)[STORE_HASH])hashes,
		.reason = "weak",
		.event = { .time = NOW, .kind = "keys.blocked", .actor = "uid 0" },
	};
	uint64_t added = 0;
	unsigned events;
	size_t i;

	(void)state;
	for (i = 0; i <= STORE_BLOCKED_KEYS_MAX; i++) {
		hashes[i][0] = (uint8_t)(i >> 8);
		hashes[i][1] = (uint8_t)i;
		hashes[i][2] = 1;
	}
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), ERR_LIMIT);
	b.n = STORE_BLOCKED_KEYS_MAX + 1;
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), ERR_LIMIT);
	b.n = 2;
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), OK);
	assert_int_equal(added, 2);
	b.n = STORE_BLOCKED_KEYS_MAX;
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), OK);
	assert_int_equal(added, STORE_BLOCKED_KEYS_MAX - 2);
	events = ca_fixture_events(t.f, NULL).n;
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), OK);
	assert_int_equal(added, 0); /* and no event */
	assert_int_equal(ca_fixture_events(t.f, NULL).n, events);
	do {
		i = (size_t)seen.time;
		assert_int_equal(store_each_blocked_key(t.f->store, i ? seen.hash : NULL, 300,
							count, &seen, NULL),
				 OK);
	} while (seen.time > (int64_t)i);
	assert_int_equal(seen.time, STORE_BLOCKED_KEYS_MAX);
}

static void a_key_is_found_and_let_go(void **state)
{
	CLEANUP(store_blocked_key_clear) struct store_blocked_key k = { .time = 0 };
	const struct store_event event = { .time = NOW, .kind = "key.unblocked" };
	BUF der = BUF_INIT;
	uint8_t hash[STORE_HASH];

	(void)state;
	hash_of(t.a, hash);
	assert_int_equal(store_find_blocked_key(t.f->store, hash, &k, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_unblock_key(t.f->store, hash, &event, NULL), ERR_NOT_FOUND);
	assert_int_equal(block(t.a), 1);
	assert_int_equal(block(t.a), 0);
	assert_int_equal(store_find_blocked_key(t.f->store, hash, &k, NULL), OK);
	assert_int_equal(k.time, NOW);
	assert_string_equal(buf_cstr(&k.reason), "found in a firmware image");
	assert_string_equal(buf_cstr(&k.actor), "uid 0");
	assert_string_equal(k.ca, "");
	assert_int_equal(k.serial.len, 0);
	assert_int_equal(store_unblock_key(t.f->store, hash, &event, NULL), OK);
	der = must_issue(&(struct ask){ "tx-again", t.a });
}

/* ---- authorities ---- */

static void an_authoritys_own_key_is_asked_for_too(void **state)
{
	const struct store_event event = { .time = NOW, .kind = "ra.renewed" };
	struct store_ca_key ra = { .role = STORE_KEY_RA, .generation = 1, .key_id = "demo-ra-1" };
	struct err err = { 0 };
	uint8_t hash[1][STORE_HASH];
	const struct store_key_block b = { .hashes = (const uint8_t(*)[STORE_HASH])hash,
					   .n = 1,
					   .reason = "stolen",
					   .event = { .time = NOW, .kind = "key.blocked" } };
	uint64_t added;

	(void)state;
	buf_put(&ra.cert, t.f->demo->ra_sign.cert.der);
	assert_int_equal(store_put_ca_key(t.f->store, "demo", &ra, &event, NULL), OK);
	assert_int_equal(pubkey_hash(t.f->c, t.f->demo->ra_sign.cert.spki, hash[0], NULL), OK);
	assert_int_equal(store_block_keys(t.f->store, &b, &added, NULL), OK);
	assert_int_equal(store_put_ca_key(t.f->store, "demo", &ra, &event, &err), ERR_KEY_BLOCKED);
	assert_non_null(strstr(err.text, "certificate of key demo-ra-1: its key " SAYS));
	buf_clear(&ra.cert);
}

/* ---- an older file ---- */

static void outside(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(t.f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* As by the version before there was a table: a was revoked for its key's sake, b was not. */
static void an_older_store_is_brought_along(void **state)
{
	CLEANUP(store_blocked_key_clear) struct store_blocked_key k = { .time = 0 };
	BUF a = must_issue(&(struct ask){ "tx-1", t.a });
	BUF again = must_issue(&(struct ask){ "tx-2", t.a });
	BUF b = must_issue(&(struct ask){ "tx-3", t.b });
	uint8_t hash[STORE_HASH];
	struct cert cert;

	(void)state;
	assert_int_equal(revoke_as(&a, CRL_KEY_COMPROMISE), OK);
	assert_int_equal(revoke_as(&again, CRL_KEY_COMPROMISE), OK);
	assert_int_equal(revoke_as(&b, CRL_SUPERSEDED), OK);
	store_close(t.f->store);
	outside("DROP TABLE blocked_key; DROP INDEX request_pending_key;"
		" PRAGMA user_version = 13");
	ca_fixture_open_store(t.f);
	assert_true(is_blocked(t.a));
	assert_false(is_blocked(t.b));
	hash_of(t.a, hash);
	assert_int_equal(store_find_blocked_key(t.f->store, hash, &k, NULL), OK);
	assert_int_equal(cert_parse(buf_span(&a), &cert, NULL), OK);
	assert_string_equal(k.ca, "demo");
	assert_string_equal(buf_cstr(&k.reason), "keyCompromise");
	assert_string_equal(buf_cstr(&k.actor), "uid 0");
	assert_int_equal(k.time, NOW);
	must_reject(&(struct ask){ "tx-4", t.a }, ERR_KEY_BLOCKED, SAYS);
}

/* ---- at once ---- */

#define ROUNDS 20

struct racer {
	struct store *store;
	const uint8_t *key; /* its hash */
	char transaction[16];
	enum result got;
};

static void *race_to_issue(void *arg)
{
	struct racer *r = arg;
	struct store_issuance i = { .transaction = { "demo", span_str(r->transaction), { 9 } },
				    .ca = "demo",
				    .generation = 1,
				    .profile = "device",
				    .serial = span_str(r->transaction),
				    .cert = SPAN_LIT("certificate"),
				    .key = r->key,
				    .now = NOW,
				    .event = { .time = NOW, .kind = "enrol.issued" } };

	r->got = store_commit_issuance(r->store, &i, NULL);
	return NULL;
}

static int64_t event_of(const char *sql)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t id;

	assert_int_equal(sqlite3_open(t.f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	id = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return id;
}

/* Whichever comes first: no certificate of the key is younger than its block. */
static void no_certificate_after_the_block(void **state)
{
	struct racer racers[ROUNDS];
	pthread_t threads[ROUNDS];
	unsigned issued = 0, i;
	uint8_t hash[STORE_HASH];

	(void)state;
	hash_of(t.a, hash);
	for (i = 0; i < ROUNDS; i++) {
		racers[i] = (struct racer){ .store = t.f->store, .key = hash };
		(void)snprintf(racers[i].transaction, sizeof(racers[i].transaction), "race-%02u",
			       i);
		assert_int_equal(pthread_create(&threads[i], NULL, race_to_issue, &racers[i]), 0);
		if (i == ROUNDS / 2)
			(void)block(t.a);
	}
	for (i = 0; i < ROUNDS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_true(racers[i].got == OK || racers[i].got == ERR_KEY_BLOCKED);
		issued += racers[i].got == OK;
	}
	assert_int_equal(racers[ROUNDS - 1].got, ERR_KEY_BLOCKED);
	assert_int_equal(event_of("SELECT count(*) FROM cert"), issued);
	assert_int_equal(event_of("SELECT count(*) FROM cert WHERE id >"
				  " (SELECT id FROM event WHERE kind = 'key.blocked')"),
			 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, enrol_fixture_set_up, enrol_fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_compromised_key_is_not_certified_again),
		TEST(only_reasons_that_are_about_keys),
		TEST(it_may_come_out_later),
		TEST(another_certificate_of_the_key_proves_nothing),
		TEST(the_commit_decides),
		TEST(a_challenge_is_not_lost_to_others),
		TEST(blocked_while_it_waits),
		TEST(overdue_requests_are_in_nobodys_way),
		TEST(many_at_once),
		TEST(a_key_is_found_and_let_go),
		TEST(an_authoritys_own_key_is_asked_for_too),
		TEST(an_older_store_is_brought_along),
		TEST(no_certificate_after_the_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
