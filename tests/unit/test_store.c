/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

/* ---- events ---- */

/* Lists are compared as words, each with a blank behind it. */
static void put_word(struct buf *words, struct span word)
{
	buf_put(words, word);
	buf_put_byte(words, ' ');
}

static void expect_words(struct buf *words, const char *want)
{
	assert_string_equal(buf_cstr(words), want);
	buf_reset(words);
}

static enum result see_kind(void *ctx, const struct store_event *e, struct err *err UNUSED)
{
	put_word(ctx, span_str(e->kind));
	return OK;
}

static enum result compare_event(void *ctx, const struct store_event *e, struct err *err UNUSED)
{
	const struct store_event *want = ctx;

	assert_int_equal(e->time, want->time);
	assert_string_equal(e->kind, want->kind);
	assert_string_equal(e->endpoint, want->endpoint);
	assert_true(span_eq(e->transaction, want->transaction));
	assert_null(e->ca);
	assert_true(span_eq(e->serial, want->serial));
	assert_string_equal(e->actor, want->actor);
	assert_string_equal(e->reason, want->reason);
	assert_null(e->detail);
	return OK;
}

static void event_comes_back_whole(void **state)
{
	struct fixture *f = *state;
	struct store_event event = {
		.time = -5,
		.kind = "enrol.rejected",
		.endpoint = "scep",
		.transaction = SPAN_LIT("a\0b\xff"),
		.serial = SPAN_LIT("\0\1"),
		.actor = "2001:db8::1",
		.reason = "it's \"quoted\"; DROP TABLE event",
	};
	struct store_event_filter filter = { .transaction = event.transaction };

	assert_int_equal(store_add_event(f->store, &event, NULL), OK);
	assert_int_equal(store_each_event(f->store, &filter, compare_event, &event, NULL), OK);
	assert_int_equal(item_events(f->store, event.transaction), 1);
	assert_int_equal(item_events(f->store, SPAN_LIT("a")), 0);
}

static void add_events(struct fixture *f)
{
	static const char *const kinds[] = { "1", "2", "3", "4" };
	struct store_event event = { .time = NOW, .transaction = SPAN_LIT("tx-7") };
	struct item item;
	size_t i;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		event.kind = kinds[i];
		assert_int_equal(store_add_event(f->store, &event, NULL), OK);
	}
	item_init(&item, 7);
	assert_int_equal(item_commit(f->store, &item, NULL), OK);
	event.kind = "5";
	assert_int_equal(store_add_event(f->store, &event, NULL), OK);
}

static void events_of_a_transaction_in_order(void **state)
{
	static const struct {
		struct store_event_filter filter;
		const char *kinds;
	} rows[] = {
		{ { .transaction = SPAN_LIT("tx-7") }, "1 2 3 4 enrol.issued 5 " },
		{ { .transaction = SPAN_LIT("tx-7"), .newest_first = true },
		  "5 enrol.issued 4 3 2 1 " },
		{ { .transaction = SPAN_LIT("tx-7"), .limit = 2 }, "1 2 " },
		{ { .transaction = SPAN_LIT("tx-7"), .limit = 2, .newest_first = true },
		  "5 enrol.issued " },
		{ { .transaction = SPAN_LIT("tx-7"), .after_id = 5 }, "enrol.issued 5 " },
		{ { .transaction = SPAN_LIT("tx-8") }, "" },
		{ { .limit = 2 }, "ca.created 1 " },
		{ { .newest_first = true, .limit = 3 }, "5 enrol.issued challenge.created " },
		{ { .after_id = 7 }, "5 " },
		{ { .after_id = INT64_MAX }, "" },
	};
	struct fixture *f = *state;
	BUF kinds = BUF_INIT;
	size_t i;

	add_events(f);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
		    store_each_event(f->store, &rows[i].filter, see_kind, &kinds, NULL), OK);
		expect_words(&kinds, rows[i].kinds);
	}
}

/* ---- challenges ---- */

/* What was done to the challenge before, and what an issuance with it then gives. */
enum before {
	NOTHING,
	REVOKED,
	EXPIRED,
	BOUND_TO_US,
	BOUND_TO_OTHER,
	USED_BY_OTHER,
	USED_BY_US_ELSEWHERE,
	NEVER_MADE
};

static enum result refusal_binds(struct store *s, const struct item *item,
				 const uint8_t binding[STORE_HASH])
{
	struct store_refusal refusal = {
		.event = { .time = NOW, .kind = "enrol.rejected" },
		.challenge_hash = item->challenge.hash,
	};

	memcpy(refusal.challenge_binding, binding, STORE_HASH);
	return store_commit_refusal(s, &refusal, NULL);
}

static void prepare(struct store *s, struct item *item, enum before before)
{
	struct store_event event = { .time = NOW, .kind = "challenge.revoked" };
	struct item other;

	item_init(&other, 77 + before);
	other.issuance.challenge_hash = item->challenge.hash;
	if (before == USED_BY_US_ELSEWHERE)
		memcpy(other.issuance.challenge_binding, item->issuance.challenge_binding,
		       STORE_HASH);
	if (before == EXPIRED)
		item->challenge.expires = NOW;
	if (before != NEVER_MADE)
		assert_int_equal(item_add_challenge(s, item, NULL), OK);
	if (before == REVOKED) {
		assert_int_equal(store_revoke_challenge(s, item->challenge.id, &event, NULL), OK);
		assert_int_equal(store_revoke_challenge(s, item->challenge.id, &event, NULL), OK);
	} else if (before == BOUND_TO_US) {
		assert_int_equal(refusal_binds(s, item, item->issuance.challenge_binding), OK);
		/* Bound once and for all. */
		assert_int_equal(refusal_binds(s, item, other.issuance.challenge_binding), OK);
	} else if (before == BOUND_TO_OTHER) {
		assert_int_equal(refusal_binds(s, item, other.issuance.challenge_binding), OK);
	} else if (before == USED_BY_OTHER || before == USED_BY_US_ELSEWHERE) {
		assert_int_equal(store_commit_issuance(s, &other.issuance, NULL), OK);
	}
}

static void issuance_needs_a_usable_challenge(void **state)
{
	static const struct {
		enum before before;
		enum result want;
		const char *says;
	} rows[] = {
		{ NOTHING, OK, "" },
		{ BOUND_TO_US, OK, "" },
		{ REVOKED, ERR_DENIED, "revoked" },
		{ EXPIRED, ERR_DENIED, "expired at 2025-06-15T15:06:40Z" },
		{ BOUND_TO_OTHER, ERR_DENIED, "another transaction" },
		{ USED_BY_OTHER, ERR_DENIED, "used already" },
		{ USED_BY_US_ELSEWHERE, ERR_DENIED, "used already" },
		{ NEVER_MADE, ERR_DENIED, "no such challenge" },
	};
	struct fixture *f = *state;
	struct item item;
	struct err err;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		err_clear(&err);
		item_init(&item, i);
		prepare(f->store, &item, rows[i].before);
		assert_int_equal(store_commit_issuance(f->store, &item.issuance, &err),
				 rows[i].want);
		assert_non_null(strstr(err.text, rows[i].says));
		assert_int_equal(item_events(f->store, item.issuance.transaction.id),
				 rows[i].want == OK);
	}
}

/* Those that a device has shown, and those of another source, do not count. */
static void source_has_its_bound(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW, .kind = "challenge.created" };
	static const struct {
		const char *source;
		int64_t expires;
		enum result want;
	} rows[] = {
		{ "page", NOW + 3600, OK },        { "page", NOW, OK }, /* has expired */
		{ "page", NOW + 3600, OK },        { "page", NOW + 3600, ERR_LIMIT },
		{ "other", NOW + 3600, OK },       { "", NOW + 3600, OK },
		{ "page", NOW + 3600, ERR_LIMIT },
	};
	struct item items[ARRAY_LEN(rows) + 1];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_challenge *c = &items[i].challenge;

		item_init(&items[i], i + 1);
		(void)snprintf(c->source, sizeof(c->source), "%s", rows[i].source);
		c->expires = rows[i].expires;
		assert_int_equal(store_add_challenge_within(f->store, c, 2, &event, NULL),
				 rows[i].want);
	}
	assert_int_equal(store_commit_issuance(f->store, &items[0].issuance, NULL), OK);
	assert_int_equal(store_add_challenge_within(f->store, &items[3].challenge, 2, &event, NULL),
			 OK);
	assert_int_equal(store_add_challenge_within(f->store, &items[6].challenge, 2, &event, NULL),
			 ERR_LIMIT);
}

static void reusable_is_never_used_up(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_challenge_clear) struct store_challenge got = { 0 };
	struct store_event event = { .time = NOW, .kind = "challenge.revoked" };
	struct item first, second, third;

	item_init(&first, 1);
	item_init(&second, 2);
	item_init(&third, 3);
	first.challenge.reusable = true;
	second.issuance.challenge_hash = third.issuance.challenge_hash = first.challenge.hash;
	assert_int_equal(item_commit(f->store, &first, NULL), OK);
	assert_int_equal(store_commit_issuance(f->store, &second.issuance, NULL), OK);
	assert_int_equal(refusal_binds(f->store, &first, third.issuance.challenge_binding), OK);
	assert_int_equal(store_find_challenge(f->store, first.challenge.hash, &got, NULL), OK);
	assert_true(got.reusable && !got.bound && !got.used);
	assert_int_equal(store_revoke_challenge(f->store, first.challenge.id, &event, NULL), OK);
	assert_int_equal(store_commit_issuance(f->store, &third.issuance, NULL), ERR_DENIED);
}

static enum result see_handle(void *ctx, const struct store_challenge *c, struct err *err UNUSED)
{
	put_word(ctx, span_str(c->id + 7));
	return OK;
}

static void challenges_listed(void **state)
{
	static const struct {
		struct store_challenge_filter filter;
		const char *handles;
	} rows[] = {
		{ { 0 }, "00 01 02 03 04 05 " },
		{ { .limit = 2 }, "00 01 " },
		{ { .after_id = "c00000001", .limit = 2 }, "02 03 " },
		{ { .usable_at_set = true, .usable_at = NOW }, "00 03 04 " },
		{ { .usable_at_set = true, .usable_at = NOW + 3600 }, "" },
	};
	static const enum before states[] = { NOTHING,     REVOKED,        EXPIRED,
					      BOUND_TO_US, BOUND_TO_OTHER, USED_BY_OTHER };
	struct fixture *f = *state;
	struct item item;
	BUF handles = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(states); i++) {
		item_init(&item, i);
		prepare(f->store, &item, states[i]);
	}
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
		    store_each_challenge(f->store, &rows[i].filter, see_handle, &handles, NULL),
		    OK);
		expect_words(&handles, rows[i].handles);
	}
}

/* Whatever became of them: what counts is when they ended. */
static void challenges_purged_in_batches(void **state)
{
	static const enum before states[] = { NOTHING, REVOKED, BOUND_TO_US, USED_BY_OTHER };
	const struct store_challenge_filter all = { 0 };
	struct fixture *f = *state;
	uint64_t n = 9;
	struct item item;
	BUF handles = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(states); i++) {
		item_init(&item, i);
		prepare(f->store, &item, states[i]);
	}
	assert_int_equal(store_purge_challenges(f->store, NOW, 10, &n, NULL), OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_purge_challenges(f->store, NOW + 86401, 3, &n, NULL), OK);
	assert_int_equal(n, 3);
	assert_int_equal(store_purge_challenges(f->store, NOW + 86401, 3, &n, NULL), OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_each_challenge(f->store, &all, see_handle, &handles, NULL), OK);
	expect_words(&handles, "");
}

static void revoking_what_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW,
				     .kind = "challenge.revoked",
				     .transaction = SPAN_LIT("t") };

	assert_int_equal(store_revoke_challenge(f->store, "c1", &event, NULL), ERR_NOT_FOUND);
	assert_int_equal(item_events(f->store, event.transaction), 0);
}

/* ---- certificates ---- */

static void certificate_comes_back_whole(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_cert_clear) struct store_cert c = { 0 };
	struct item item;

	item_init(&item, 5);
	assert_int_equal(item_commit(f->store, &item, NULL), OK);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_find_issued(f->store, &item.issuance.transaction, &c, NULL), OK);
	assert_true(span_eq(buf_span(&c.der), item.issuance.cert));
	assert_true(span_eq(buf_span(&c.serial), item.issuance.serial));
	assert_true(span_eq(buf_span(&c.transaction), item.issuance.transaction.id));
	assert_true(span_eq(buf_span(&c.subject), item.issuance.subject_text));
	assert_string_equal(c.ca, "demo");
	assert_string_equal(c.profile, "device");
	assert_string_equal(c.endpoint, "scep");
	assert_int_equal(c.generation, 1);
	assert_int_equal(c.not_before, item.issuance.not_before);
	assert_int_equal(c.not_after, item.issuance.not_after);
	assert_int_equal(c.issued, NOW);
	assert_true(c.id > 0);
}

/* A transaction is its endpoint, its transactionID and its key, and all three of them. */
static void transaction_gets_one_certificate(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_cert_clear) struct store_cert c = { 0 };
	struct item item;
	struct store_transaction_key key;
	struct err err;

	item_init(&item, 5);
	item.issuance.challenge_hash = NULL;
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL), OK);
	item.serial[0] ^= 1;
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, &err), ERR_CONFLICT);
	assert_true(item_is_there(f->store, &item));

	key = item.issuance.transaction;
	key.endpoint = "other";
	assert_int_equal(store_find_issued(f->store, &key, &c, NULL), ERR_NOT_FOUND);
	key = item.issuance.transaction;
	key.id = SPAN_LIT("tx-50");
	assert_int_equal(store_find_issued(f->store, &key, &c, NULL), ERR_NOT_FOUND);
	key = item.issuance.transaction;
	key.key_hash[31] ^= 1; /* the same key_tag */
	assert_int_equal(store_find_issued(f->store, &key, &c, NULL), ERR_NOT_FOUND);
	item.issuance.transaction = key;
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL), OK);
	assert_int_equal(store_find_issued(f->store, &key, &c, NULL), OK);
	assert_true(span_eq(buf_span(&c.serial), item.issuance.serial));
}

static void issuance_refused(void **state)
{
	char long_name[STORE_NAME_MAX + 1];
	uint8_t long_id[STORE_TRANSACTION_MAX + 1];
	struct fixture *f = *state;
	struct item item;
	struct store_issuance *i = &item.issuance;
	size_t row;

	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	memset(long_id, 'i', sizeof(long_id));
	for (row = 0; row < 8; row++) {
		item_init(&item, 5);
		item.issuance.challenge_hash = NULL;
		switch (row) {
		case 0:
			i->ca = long_name;
			break;
		case 1:
			i->profile = long_name;
			break;
		case 2:
			i->transaction.endpoint = long_name;
			break;
		case 3:
			i->transaction.id = SPAN_ARRAY(long_id);
			break;
		case 4:
			i->transaction.id = SPAN_NONE;
			break;
		case 5:
			i->serial = SPAN_NONE;
			break;
		case 6:
			i->cert = SPAN_NONE;
			break;
		case 7:
			i->ca = NULL;
			break;
		}
		assert_int_equal(store_commit_issuance(f->store, i, NULL), ERR_LIMIT);
	}
}

static void defects_of_the_caller_leave_nothing(void **state)
{
	struct fixture *f = *state;
	struct item item, twin;
	struct err err;

	item_init(&item, 5);
	item.issuance.ca = "nobody";
	assert_int_equal(item_commit(f->store, &item, &err), ERR_INTERNAL);
	assert_non_null(strstr(err.text, "\"nobody\""));
	assert_false(item_is_there(f->store, &item));

	item.issuance.ca = "demo";
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL), OK);
	item_init(&twin, 6);
	memcpy(twin.serial, item.serial, sizeof(twin.serial));
	assert_int_equal(item_commit(f->store, &twin, &err), ERR_INTERNAL);
	assert_non_null(strstr(err.text, "serial number"));
	assert_false(item_is_there(f->store, &twin));
	fixture_expect_whole(f);
}

static enum result see_subject(void *ctx, const struct store_cert *c, struct err *err UNUSED)
{
	put_word(ctx, buf_span(&c->subject));
	return OK;
}

static void certificates_listed(void **state)
{
	uint8_t serial[16];
	const struct {
		struct store_cert_filter filter;
		const char *subjects;
	} rows[] = {
		{ { .limit = 2 }, "CN=Device-3 CN=Device-2 " },
		{ { .before_id = 3 }, "" },
		{ { .subject = "dEVICE-1" }, "CN=Device-1 " },
		{ { .subject = "=100%_" }, "CN=100%_\\ " },
		{ { .subject = "_\\" }, "CN=100%_\\ " },
		{ { .subject = "%" }, "CN=100%_\\ " },
		{ { .subject = "" }, "CN=Device-3 CN=Device-2 CN=Device-1 CN=100%_\\ " },
		{ { .ca = "nobody" }, "" },
		{ { .ca = "demo", .limit = 1 }, "CN=Device-3 " },
		{ { .transaction = SPAN_LIT("tx-2") }, "CN=Device-2 " },
		{ { .transaction = SPAN_LIT("tx-2"), .ca = "nobody" }, "" },
		{ { .serial = SPAN_ARRAY(serial) }, "CN=Device-2 " },
		{ { .serial = SPAN_ARRAY(serial), .ca = "demo" }, "CN=Device-2 " },
		{ { .serial = SPAN_ARRAY(serial), .transaction = SPAN_LIT("tx-3") }, "" },
		{ { .serial = SPAN_LIT("\1") }, "" },
	};
	struct fixture *f = *state;
	struct item item;
	BUF subjects = BUF_INIT;
	size_t i;

	for (i = 0; i < 4; i++) {
		item_init(&item, i);
		if (i == 0)
			item.issuance.subject_text = SPAN_LIT("CN=100%_\\");
		if (i == 2)
			memcpy(serial, item.serial, sizeof(serial));
		assert_int_equal(item_commit(f->store, &item, NULL), OK);
	}
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(
		    store_each_cert(f->store, &rows[i].filter, see_subject, &subjects, NULL), OK);
		expect_words(&subjects, rows[i].subjects);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(event_comes_back_whole),
		FIXTURE_TEST(events_of_a_transaction_in_order),
		FIXTURE_TEST(issuance_needs_a_usable_challenge),
		FIXTURE_TEST(source_has_its_bound),
		FIXTURE_TEST(reusable_is_never_used_up),
		FIXTURE_TEST(challenges_listed),
		FIXTURE_TEST(challenges_purged_in_batches),
		FIXTURE_TEST(revoking_what_is_not_there),
		FIXTURE_TEST(certificate_comes_back_whole),
		FIXTURE_TEST(transaction_gets_one_certificate),
		FIXTURE_TEST(issuance_refused),
		FIXTURE_TEST(defects_of_the_caller_leave_nothing),
		FIXTURE_TEST(certificates_listed),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
