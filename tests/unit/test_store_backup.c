/* SPDX-License-Identifier: Apache-2.0 */
/* A copy is one moment of the store, whatever is written meanwhile; and what is not whole is found.
 */
#include "store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "pki/crypto.h"
#include "store/backup.h"
#include "store/revocation.h"

#define EVENTS 100

struct writing {
	struct store *store;
	atomic_bool ended;
	atomic_uint n;
};

static void add_event(struct store *s)
{
	char room[40000]; /* in the file, so that there are pages to copy */
	const struct store_event event = { .time = NOW, .kind = "test", .detail = room };

	memset(room, 'x', sizeof(room));
	room[sizeof(room) - 1] = '\0';

	assert_int_equal(store_add_event(s, &event, NULL), OK);
}

static void *write_on(void *arg)
{
	struct writing *w = arg;

	while (!atomic_load(&w->ended)) {
		add_event(w->store);
		atomic_fetch_add(&w->n, 1);
	}
	return NULL;
}

/* Between two steps something is written, each time. */
static bool on_pages(void *ctx, uint64_t done, uint64_t total)
{
	struct writing *w = ctx;
	unsigned before = atomic_load(&w->n);

	assert_true(done <= total);
	while (atomic_load(&w->n) == before)
		(void)usleep(100);
	return true;
}

static bool give_up(void *ctx, uint64_t done, uint64_t total)
{
	(void)ctx;
	(void)done;
	(void)total;
	return false;
}

static void path_of_copy(const struct fixture *f, char out[128])
{
	(void)snprintf(out, 128, "%s/copy.db", f->dir);
}

static struct store *open_copy(const char *path)
{
	struct store_options options = { .path = path };
	struct store *s = NULL;

	assert_int_equal(store_open(&s, &options, NULL), OK);
	return s;
}

static void check(struct store *s, enum result want, struct store_snapshot *at, const char *says)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct err err = { 0 };

	assert_int_equal(crypto_new(&c, false, NULL), OK);
	if (store_check_whole(s, c, at, &err) != want || !strstr(err.text, says))
		fail_msg("%s", err.text);
}

static void one_moment_while_others_write(void **state)
{
	struct fixture *f = *state;
	struct writing w = { .store = f->store };
	struct store_snapshot made, found;
	struct store *copy;
	pthread_t thread;
	struct stat st;
	char path[128];
	int i;

	for (i = 0; i < EVENTS; i++)
		add_event(f->store);
	path_of_copy(f, path);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
	assert_int_equal(store_backup(f->store, path, on_pages, &w, &made, NULL), OK);
	atomic_store(&w.ended, true);
	(void)pthread_join(thread, NULL);
	assert_true(made.last_event >= EVENTS);
	check(f->store, OK, &found, "");
	assert_true(found.last_event > made.last_event);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	copy = open_copy(path);
	check(copy, OK, &found, "");
	assert_int_equal(found.last_event, made.last_event);
	assert_memory_equal(found.hash, made.hash, STORE_HASH);
	store_close(copy);
}

static void what_fails_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_snapshot made = { .last_event = 7 };
	struct err err = { 0 };
	char path[128];
	int i;

	for (i = 0; i < EVENTS; i++)
		add_event(f->store);
	path_of_copy(f, path);
	assert_int_equal(store_backup(f->store, path, give_up, NULL, &made, &err), ERR_BUSY);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(made.last_event, 7);
	assert_int_equal(store_backup(f->store, "/nowhere/at/all", give_up, NULL, &made, &err),
			 ERR_IO);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
	add_event(f->store);
}

/* By somebody who has the file, which SQLite itself finds nothing wrong with. */
static void spoil(const struct fixture *f, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static void what_is_not_whole_is_found(void **state)
{
	static const struct {
		const char *sql;
		const char *says;
	} rows[] = {
		{ "UPDATE event SET reason = 'another' WHERE id = 5",
		  "event 5 is not as it was recorded" },
		{ "DELETE FROM event WHERE id = 4", "no event 4" },
		{ "UPDATE event SET time = time - 1 WHERE id = 3", "event 3 is not" },
	};
	struct fixture *f = *state;
	struct store_snapshot at;
	int i, round;

	for (i = 0; i < 6; i++)
		add_event(f->store);
	for (round = 0; round < (int)ARRAY_LEN(rows); round++) {
		fixture_close(f);
		spoil(f, rows[round].sql);
		fixture_open(f);
		check(f->store, ERR_BAD_CHECK, &at, rows[round].says);
	}
}

static void add_challenge(struct store *s, const char *id, bool bound, bool reusable)
{
	CLEANUP(store_challenge_clear)
	struct store_challenge c = { .created = NOW, .expires = NOW + 100, .reusable = reusable };
	const struct store_event event = { .time = NOW, .kind = "challenge.created" };
	struct store_refusal refusal = { .event = { .time = NOW, .kind = "enrol.rejected" },
					 .challenge_hash = c.hash };

	(void)snprintf(c.id, sizeof(c.id), "%s", id);
	c.hash[0] = (uint8_t)id[0];
	assert_int_equal(store_add_challenge(s, &c, &event, NULL), OK);
	if (bound)
		assert_int_equal(store_commit_refusal(s, &refusal, NULL), OK);
}

static void expect_revoked(struct store *s, const char *id, bool revoked)
{
	CLEANUP(store_challenge_clear) struct store_challenge c = { 0 };
	const uint8_t hash[STORE_HASH] = { (uint8_t)id[0] };

	assert_int_equal(store_find_challenge(s, hash, &c, NULL), OK);
	assert_int_equal(c.revoked, revoked);
}

static void what_came_after_is_provided_for(void **state)
{
	struct fixture *f = *state;
	const struct store_restoration r = { .crl_numbers = 1000,
					     .revoke_challenges = true,
					     .event = { .time = NOW, .kind = "store.restored" } };
	uint64_t number = 0;

	add_challenge(f->store, "open", false, false);
	add_challenge(f->store, "bound", true, false);
	add_challenge(f->store, "reusable", false, true);
	assert_int_equal(store_next_crl_number(f->store, "demo", &number, NULL), OK);
	assert_int_equal(number, 1);
	assert_int_equal(store_restored(f->store, &r, NULL), OK);
	assert_int_equal(store_next_crl_number(f->store, "demo", &number, NULL), OK);
	assert_int_equal(number, 1002);
	expect_revoked(f->store, "open", true);
	expect_revoked(f->store, "bound", false);
	expect_revoked(f->store, "reusable", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_moment_while_others_write, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_fails_leaves_nothing, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_whole_is_found, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(what_came_after_is_provided_for, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
