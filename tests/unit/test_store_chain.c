/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of events: that it holds whatever is refused or rolled back, and finds what changed. */
#include "store_fixture.h"

#include <pthread.h>

#include "base/hex.h"
#include "pki/crypto.h"

struct walk {
	struct crypto *c;
	int64_t last;
	int64_t broken; /* first event whose hash does not fit; 0: none */
	uint8_t hash[STORE_HASH];
};

static enum result follow(void *ctx, const struct store_event *e, struct err *err)
{
	struct walk *w = ctx;

	TRY(store_event_hash(w->c, w->hash, e, w->hash, err));
	if (!w->broken && (e->id != w->last + 1 || !span_eq(e->hash, SPAN_ARRAY(w->hash))))
		w->broken = e->id;
	w->last = e->id;
	return OK;
}

static struct walk walk(struct store *s)
{
	struct store_event_filter filter = { .limit = 1000000 };
	struct walk w = { 0 };

	assert_int_equal(crypto_new(&w.c, false, NULL), OK);
	assert_int_equal(store_each_event(s, &filter, follow, &w, NULL), OK);
	crypto_free(w.c);
	return w;
}

static void expect_chain(struct store *s, int64_t n)
{
	struct walk w = walk(s);

	assert_int_equal(w.broken, 0);
	assert_int_equal(w.last, n);
}

/* From docs/audit.md by Python's hashlib: the encoding is a promise. */
static void the_encoding_stays(void **state)
{
	static const struct {
		struct store_event event;
		const char *want;
	} rows[] = {
		{ { .id = 1, .time = NOW, .kind = "ca.created" },
		  "82de2b7b5c2f803d89676c5e8ea0c95a7a3dee153eaa0736e0581393dd586446" },
		{ { .id = 2,
		    .time = NOW + 1,
		    .kind = "enrol.issued",
		    .endpoint = "scep",
		    .transaction = SPAN_LIT("tx\x00\xff"),
		    .ca = "demo",
		    .serial = SPAN_LIT("\x01\x02"),
		    .actor = "192.0.2.1",
		    .reason = "",
		    .detail = "[]" },
		  "b98b71fc6ccb208ed31d95a0740645190f6572722e64113fe06dcdac4150143b" },
	};
	uint8_t hash[STORE_HASH] = { 0 };
	struct crypto *c = NULL;
	size_t i;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF hex = BUF_INIT;

		assert_int_equal(store_event_hash(c, hash, &rows[i].event, hash, NULL), OK);
		hex_put(&hex, SPAN_ARRAY(hash));
		assert_string_equal(buf_cstr(&hex), rows[i].want);
	}
	crypto_free(c);
}

static void refusals_leave_no_gap(void **state)
{
	struct fixture *f = *state;
	struct store_event late = { .time = NOW, .kind = "challenge.revoked" };
	struct item item;
	int i;

	for (i = 0; i < 20; i++) {
		item_init(&item, i / 2);
		(void)item_commit(f->store, &item, NULL); /* every other one is a conflict */
		assert_int_equal(store_revoke_challenge(f->store, "no such", &late, NULL),
				 ERR_NOT_FOUND);
		/* refused after its event was written */
		item.issuance.ca = "no such CA";
		item.issuance.challenge_hash = NULL;
		item_fill(item.issuance.transaction.key_hash, STORE_HASH, 5000 + i);
		assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL),
				 ERR_INTERNAL);
	}
	expect_chain(f->store, 1 + 20);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_add_event(f->store, &late, NULL), OK);
	expect_chain(f->store, 1 + 20 + 1);
}

#define THREADS 8
#define EACH 60

static void *crowd(void *arg)
{
	struct fixture *f = arg;
	struct store_event event = { .time = NOW, .kind = "test", .reason = "one of many" };
	struct item item;
	int i;

	item_init(&item, 1);
	item.issuance.ca = "no such CA";
	item.issuance.challenge_hash = NULL;
	for (i = 0; i < EACH; i++) {
		assert_int_equal(store_add_event(f->store, &event, NULL), OK);
		assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL),
				 ERR_INTERNAL);
	}
	return NULL;
}

/* Groups with a job that is undone alone. */
static void a_crowd_with_refusals(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd, f), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	expect_chain(f->store, 1 + THREADS * EACH);
}

static void changes_in_the_file_are_seen(void **state)
{
	static const struct {
		const char *sql;
		int64_t broken;
	} rows[] = {
		{ "UPDATE event SET reason = 'challenge matcheD' WHERE id = 5", 5 },
		{ "UPDATE event SET detail = NULL WHERE id = 5", 5 },
		{ "UPDATE event SET endpoint = '' WHERE id = 4", 4 },
		{ "UPDATE event SET time = time + 1 WHERE id = 7", 7 },
		{ "UPDATE event SET hash = zeroblob(32) WHERE id = 3", 3 },
		{ "PRAGMA foreign_keys = OFF; DELETE FROM event WHERE id = 6", 7 },
	};
	struct fixture *f = *state;
	struct item item;
	size_t i;

	for (i = 0; i < 10; i++) {
		item_init(&item, i);
		assert_int_equal(item_commit(f->store, &item, NULL), OK);
	}
	expect_chain(f->store, 21);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		char copy[128], command[256];
		struct fixture changed = { 0 };

		fixture_close(f);
		(void)snprintf(copy, sizeof(copy), "%s.copy", f->path);
		(void)snprintf(command, sizeof(command), "cp '%s' '%s'", f->path, copy);
		assert_int_equal(system(command), 0);
		fixture_outside(copy, rows[i].sql);
		memcpy(changed.path, copy, strlen(copy) + 1);
		fixture_open(&changed);
		assert_int_equal(walk(changed.store).broken, rows[i].broken);
		fixture_close(&changed);
		fixture_open(f);
	}
}

/* A file of before the chain: its events get the hashes that they would have had. */
static void older_files_are_adopted(void **state)
{
	struct fixture *f = *state;
	struct walk before;
	struct item item;
	int i;

	for (i = 0; i < 10; i++) {
		item_init(&item, i);
		assert_int_equal(item_commit(f->store, &item, NULL), OK);
	}
	before = walk(f->store);
	fixture_close(f);
	fixture_outside(
	    f->path,
	    "ALTER TABLE event DROP COLUMN hash; DROP INDEX challenge_outstanding;"
	    " DROP INDEX challenge_by_end; DROP TABLE device; DROP TABLE device_import;"
	    " DROP TABLE quota_use; DROP TABLE alarm; ALTER TABLE ca DROP COLUMN last_generation;"
	    " DROP TABLE ca_generation; DROP TABLE ca_cert; DROP INDEX crl_by_scope;"
	    " ALTER TABLE crl DROP COLUMN generation;"
	    " ALTER TABLE revocation DROP COLUMN generation;"
	    " ALTER TABLE request DROP COLUMN generation;"
	    " DROP TABLE blocked_key; DROP INDEX request_pending_key;"
	    " CREATE INDEX crl_by_scope ON crl (ca, scope, base IS NULL, number);"
	    " ALTER TABLE challenge DROP COLUMN source; ALTER TABLE challenge DROP COLUMN reusable;"
	    " PRAGMA user_version = 3");
	fixture_open(f);
	expect_chain(f->store, 21);
	assert_memory_equal(walk(f->store).hash, before.hash, STORE_HASH);
	item_init(&item, 100);
	assert_int_equal(item_commit(f->store, &item, NULL), OK);
	expect_chain(f->store, 23);
}

/* Better no more events than some that nobody can check. */
static void a_lost_end_is_not_gone_on_from(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW, .kind = "test" };
	struct err err = { 0 };

	fixture_close(f);
	fixture_outside(f->path, "UPDATE event SET hash = NULL");
	fixture_open(f);
	assert_int_equal(store_add_event(f->store, &event, &err), ERR_IO);
	assert_non_null(strstr(err_text(&err), "hash"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_encoding_stays),  FIXTURE_TEST(refusals_leave_no_gap),
		FIXTURE_TEST(a_crowd_with_refusals),   FIXTURE_TEST(changes_in_the_file_are_seen),
		FIXTURE_TEST(older_files_are_adopted), FIXTURE_TEST(a_lost_end_is_not_gone_on_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
