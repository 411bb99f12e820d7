/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a folder of its own with the CA "demo", and numbered issuances to put into it. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/store.h"

#define NOW 1750000000

struct fixture {
	char dir[64];
	char path[96];
	struct store *store;
};

static inline void fixture_open(struct fixture *f)
{
	struct store_options options = { .path = f->path, .busy_ms = 100 };
	struct err err = { 0 };

	if (store_open(&f->store, &options, &err) != OK)
		fail_msg("%s", err_text(&err));
}

static inline void fixture_close(struct fixture *f)
{
	store_close(f->store);
	f->store = NULL;
}

static inline void fixture_add_ca(struct fixture *f)
{
	struct store_event event = { .time = NOW, .kind = "ca.created", .ca = "demo" };
	CLEANUP(store_ca_clear) struct store_ca ca = { .name = "demo", .created = NOW };

	ca.n_keys = 1;
	ca.keys[0].role = STORE_KEY_CA;
	ca.keys[0].generation = 1;
	memcpy(ca.keys[0].key_id, "demo-ca-1", sizeof("demo-ca-1"));
	buf_put_str(&ca.keys[0].cert, "the CA's certificate");
	assert_int_equal(store_add_ca(f->store, &ca, &event, NULL), OK);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/store.db", f->dir);
	fixture_open(f);
	fixture_add_ca(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	DIR *dir;
	struct dirent *entry;

	store_close(f->store);
	dir = opendir(f->dir);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	(void)closedir(dir);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

#define FIXTURE_TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)

/* Runs SQL on the file from outside, as an administrator's shell would. */
static inline void fixture_outside(const char *path, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Each certificate has its event and each event of an issuance its certificate, in the file. */
static inline void fixture_expect_whole(const struct fixture *f)
{
	static const char sql[] = "SELECT count(*) FROM event FULL JOIN cert USING (id)"
				  " WHERE (kind IS 'enrol.issued') <> (der IS NOT NULL)";
	sqlite3_stmt *stmt;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(stmt, 0), 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- an enrolment; all that is in it follows from its number ---- */

struct item {
	char transaction[32];
	uint8_t serial[16];
	uint8_t cert[1000];
	char subject[32];
	struct store_challenge challenge;
	struct store_issuance issuance;
};

static inline void item_fill(uint8_t *p, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(seed >> 56);
	}
}

static inline void item_init(struct item *item, uint64_t n)
{
	struct store_issuance *i = &item->issuance;

	*item = (struct item){ 0 };
	(void)snprintf(item->transaction, sizeof(item->transaction), "tx-%llu",
		       (unsigned long long)n);
	(void)snprintf(item->subject, sizeof(item->subject), "CN=Device-%llu",
		       (unsigned long long)n);
	item_fill(item->serial, sizeof(item->serial), n);
	item_fill(item->cert, sizeof(item->cert), n);
	(void)snprintf(item->challenge.id, sizeof(item->challenge.id), "c%08llu",
		       (unsigned long long)n);
	item_fill(item->challenge.hash, STORE_HASH, n + 1000000);
	item->challenge.created = NOW;
	item->challenge.expires = NOW + 3600;
	i->transaction.endpoint = "scep";
	i->transaction.id = span_str(item->transaction);
	item_fill(i->transaction.key_hash, STORE_HASH, n);
	i->key = i->transaction.key_hash;
	i->ca = "demo";
	i->generation = 1;
	i->profile = "device";
	i->serial = SPAN_ARRAY(item->serial);
	i->cert = SPAN_ARRAY(item->cert);
	i->subject_text = span_str(item->subject);
	i->not_before = NOW - 600;
	i->not_after = NOW + 86400;
	i->now = NOW;
	i->challenge_hash = item->challenge.hash;
	item_fill(i->challenge_binding, STORE_HASH, n + 2000000);
	i->event = (struct store_event){
		.time = NOW,
		.kind = "enrol.issued",
		.actor = "127.0.0.1",
		.reason = "challenge matched",
		.detail = "[{\"step\":\"challenge\",\"ok\":true}]",
	};
}

static inline enum result item_add_challenge(struct store *s, const struct item *item,
					     struct err *err)
{
	struct store_event event = { .time = NOW, .kind = "challenge.created" };

	return store_add_challenge(s, &item->challenge, &event, err);
}

/* The challenge is made, then used. */
static inline enum result item_commit(struct store *s, const struct item *item, struct err *err)
{
	TRY(item_add_challenge(s, item, err));
	return store_commit_issuance(s, &item->issuance, err);
}

static inline enum result item_count_event(void *ctx, const struct store_event *event UNUSED,
					   struct err *err UNUSED)
{
	++*(int *)ctx;
	return OK;
}

static inline int item_events(struct store *s, struct span transaction)
{
	struct store_event_filter filter = { .transaction = transaction };
	int n = 0;

	assert_int_equal(store_each_event(s, &filter, item_count_event, &n, NULL), OK);
	return n;
}

/* The certificate, its event and the used challenge are there, or none of them is. */
static inline bool item_is_there(struct store *s, const struct item *item)
{
	CLEANUP(store_cert_clear) struct store_cert cert = { 0 };
	CLEANUP(store_challenge_clear) struct store_challenge c = { 0 };
	enum result r = store_find_issued(s, &item->issuance.transaction, &cert, NULL);
	bool there = r == OK;

	assert_true(there || r == ERR_NOT_FOUND);
	assert_int_equal(item_events(s, item->issuance.transaction.id), there);
	if (there)
		assert_true(span_eq(buf_span(&cert.der), item->issuance.cert));
	if (item->issuance.challenge_hash &&
	    store_find_challenge(s, item->challenge.hash, &c, NULL) == OK)
		assert_int_equal(c.used, there ? item->issuance.now : 0);
	else
		assert_true(!there || !item->issuance.challenge_hash);
	return there;
}

#endif
