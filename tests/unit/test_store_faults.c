/* SPDX-License-Identifier: Apache-2.0 */
/* A store on a disk that is full, in a file that is locked, damaged, or not its own. */
#include "store_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void files_are_private(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", "-lock" };
	struct fixture *f = *state;
	char path[128];
	struct stat st;
	size_t i;

	for (i = 0; i < ARRAY_LEN(suffixes); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	fixture_close(f);
	assert_int_equal(chmod(f->path, 0644), 0);
	fixture_open(f);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* Opens what is at path, to be refused with a text that names it. */
static void open_is_refused(const char *path, enum result want, const char *says)
{
	struct store_options options = { .path = path, .busy_ms = 20 };
	struct store *s = NULL;
	struct err err = { 0 };

	assert_int_equal(store_open(&s, &options, &err), want);
	assert_null(s);
	if (!strstr(err.text, path) || !strstr(err.text, says))
		fail_msg("\"%s\" names not both %s and %s", err.text, path, says);
}

static void second_server_is_refused(void **state)
{
	struct fixture *f = *state;

	open_is_refused(f->path, ERR_BUSY, "another server");
	fixture_close(f);
	fixture_open(f);
}

static void what_is_no_store_is_refused(void **state)
{
	static const struct {
		const char *name;
		const char *sql;
		enum result want;
		const char *says;
	} rows[] = {
		{ "newer.db", "PRAGMA user_version = 99", ERR_CONFIG, "upgrade the program" },
		{ "odd.db", "PRAGMA user_version = -1", ERR_CONFIG, "version -1" },
		{ "other.db", "CREATE TABLE t (x)", ERR_CONFIG, "not a store" },
		{ "no/such/folder.db", NULL, ERR_IO, "No such file" },
		{ "", NULL, ERR_IO, "" }, /* a folder */
	};
	struct fixture *f = *state;
	char path[128];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", f->dir, rows[i].name);
		if (rows[i].sql)
			fixture_outside(path, rows[i].sql);
		open_is_refused(path, rows[i].want, rows[i].says);
	}
}

/* ---- damage ---- */

static void overwrite(const char *path, long at, long n)
{
	FILE *file = fopen(path, "r+b");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	while (n-- > 0)
		assert_int_equal(fputc('#', file), '#');
	assert_int_equal(fclose(file), 0);
}

static void damaged_header(void **state)
{
	struct fixture *f = *state;

	fixture_close(f);
	overwrite(f->path, 0, 100);
	open_is_refused(f->path, ERR_IO, "backup");
}

/* The first page of every table and index: the schema itself stays, so that the file opens. */
static void overwrite_tables(const char *path)
{
	long roots[64];
	size_t n = 0, i;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema", -1, &stmt, NULL),
	    SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW && n < ARRAY_LEN(roots))
		roots[n++] = sqlite3_column_int(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	for (i = 0; i < n; i++)
		overwrite(path, (roots[i] - 1) * 4096, 4096);
}

static void damaged_pages(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_cert_clear) struct store_cert cert = { 0 };
	struct item item;
	struct err err;

	item_init(&item, 1);
	assert_int_equal(item_commit(f->store, &item, NULL), OK);
	fixture_close(f);
	overwrite_tables(f->path);
	fixture_open(f);
	assert_int_equal(store_find_issued(f->store, &item.issuance.transaction, &cert, &err),
			 ERR_IO);
	assert_non_null(strstr(err.text, f->path));
	assert_non_null(strstr(err.text, "damaged"));
	item_init(&item, 2);
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, &err), ERR_IO);
	assert_non_null(strstr(err.text, "damaged"));
}

/* ---- a lock held by another ---- */

static void locked_and_let_go(void **state)
{
	struct fixture *f = *state;
	struct item item;
	struct err err;
	sqlite3 *other;

	item_init(&item, 1);
	assert_int_equal(item_add_challenge(f->store, &item, NULL), OK);
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, &err), ERR_BUSY);
	assert_non_null(strstr(err.text, f->path));
	assert_non_null(strstr(err.text, "locked by another process"));
	assert_false(item_is_there(f->store, &item)); /* reading goes on */
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL), OK);
	assert_true(item_is_there(f->store, &item));
}

static void locked_at_start(void **state)
{
	struct fixture *f = *state;
	sqlite3 *other;

	fixture_close(f);
	assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	open_is_refused(f->path, ERR_BUSY, "locked by another process");
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	fixture_open(f);
}

/* ---- a full disk ---- */

#define ITEMS 400
#define ENOUGH (600 * 1024) /* octets a file, in which not all of them have room */
#define FAILURES 5

static void limit_files(rlim_t octets)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets == RLIM_INFINITY ? limit.rlim_max : octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* Commits items first.. until that fails several times in a row. Returns how many were tried; *kept
 * tells which of them were acknowledged. */
static unsigned fill_disk(struct store *s, bool kept[ITEMS])
{
	struct item item;
	unsigned n, failures = 0;
	struct err err;

	for (n = 0; n < ITEMS && failures < FAILURES; n++) {
		enum result r;

		item_init(&item, n);
		item.issuance.challenge_hash = n % 2 ? item.challenge.hash : NULL;
		r = store_commit_issuance(s, &item.issuance, &err);
		kept[n] = r == OK;
		failures = r == OK ? 0 : failures + 1;
		if (r != OK) {
			assert_int_equal(r, ERR_IO);
			assert_non_null(strstr(err.text, "disk full"));
		}
	}
	return n;
}

static void expect_kept(struct store *s, const bool kept[ITEMS], unsigned n)
{
	struct item item;
	unsigned i;

	for (i = 0; i < n; i++) {
		item_init(&item, i);
		if (i % 2 == 0)
			item.issuance.challenge_hash = NULL;
		assert_int_equal(item_is_there(s, &item), kept[i]);
	}
}

/* A log that has no more room is brought into the file, which has some, and starts over. */
static bool goes_on_after_failure(const bool kept[ITEMS], unsigned n)
{
	unsigned i;

	for (i = 1; i < n; i++)
		if (kept[i] && !kept[i - 1])
			return true;
	return false;
}

static void disk_full_and_room_again(void **state)
{
	struct fixture *f = *state;
	bool kept[ITEMS] = { 0 };
	struct item item;
	unsigned n, i;

	for (i = 1; i < ITEMS; i += 2) {
		item_init(&item, i);
		assert_int_equal(item_add_challenge(f->store, &item, NULL), OK);
	}
	fixture_close(f); /* the challenges into the file: the log starts anew */
	fixture_open(f);
	limit_files(ENOUGH);
	n = fill_disk(f->store, kept);
	assert_in_range(n, FAILURES + 1, ITEMS - 1);
	assert_true(goes_on_after_failure(kept, n));
	expect_kept(f->store, kept, n); /* reading goes on */
	limit_files(RLIM_INFINITY);
	for (i = n - FAILURES; i < n; i++) {
		item_init(&item, i);
		item.issuance.challenge_hash = i % 2 ? item.challenge.hash : NULL;
		assert_int_equal(store_commit_issuance(f->store, &item.issuance, NULL), OK);
		kept[i] = true;
	}
	fixture_close(f);
	fixture_open(f);
	expect_kept(f->store, kept, n);
	fixture_expect_whole(f);
}

static void disk_full_at_start(void **state)
{
	struct fixture *f = *state;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/new.db", f->dir);
	limit_files(8192);
	open_is_refused(path, ERR_IO, "disk full");
	limit_files(RLIM_INFINITY);
	fixture_close(f);
	(void)snprintf(f->path, sizeof(f->path), "%s/new.db", f->dir);
	fixture_open(f);
	fixture_add_ca(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(files_are_private),
		FIXTURE_TEST(second_server_is_refused),
		FIXTURE_TEST(what_is_no_store_is_refused),
		FIXTURE_TEST(damaged_header),
		FIXTURE_TEST(damaged_pages),
		FIXTURE_TEST(locked_and_let_go),
		FIXTURE_TEST(locked_at_start),
		FIXTURE_TEST(disk_full_and_room_again),
		FIXTURE_TEST(disk_full_at_start),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
