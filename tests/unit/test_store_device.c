/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of devices: imported whole or not at all, used once by one transaction. */
#include "store_fixture.h"

#include <pthread.h>

#include "store/device.h"

#define BINDING(n)                                                                                 \
	(const uint8_t[STORE_HASH])                                                                \
	{                                                                                          \
		n                                                                                  \
	}

static struct store_device_entry entry(const char *type, const char *value, bool once)
{
	return (struct store_device_entry){ .type = type,
					    .key = span_str(value),
					    .value = span_str(value),
					    .once = once,
					    .line = 1 };
}

static enum result import(struct fixture *f, const char *list,
			  const struct store_device_entry *entries, size_t n, bool keep,
			  uint64_t *added, struct err *err)
{
	const struct store_device_import i = {
		.list = list,
		.entries = entries,
		.n = n,
		.keep_existing = keep,
		.now = NOW,
		.actor = "uid 0",
		.event = { .time = NOW, .kind = "devices.imported" },
	};

	return store_add_devices(f->store, &i, added, err);
}

static enum result match(struct fixture *f, const char *list, const char *type, const char *key,
			 const uint8_t *binding, struct store_device *out)
{
	struct store_device_key k = { .key = span_str(key) };

	(void)snprintf(k.type, sizeof(k.type), "%s", type);
	store_device_clear(out);
	return store_match_device(f->store, list, &k, 1, binding, out, NULL);
}

static enum result count(void *ctx, const struct store_event *event, struct err *err)
{
	unsigned *n = ctx;

	(void)err;
	*n += strncmp(event->kind, "device", 6) == 0;
	return OK;
}

static unsigned events(struct fixture *f)
{
	const struct store_event_filter all = { .limit = 1000 };
	unsigned n = 0;

	assert_int_equal(store_each_event(f->store, &all, count, &n, NULL), OK);
	return n;
}

static void whole_or_nothing(void **state)
{
	const struct store_device_entry first[] = { entry("CN", "a", false),
						    entry("MAC", "b", true) };
	struct store_device_entry second[] = { entry("CN", "c", false), entry("CN", "b", false),
					       entry("CN", "a", true), entry("CN", "d", true) };
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct fixture *f = *state;
	struct err err = { 0 };
	uint64_t added = 9;

	second[2].line = 4711;
	assert_int_equal(import(f, "routers", first, 2, false, &added, NULL), OK);
	assert_int_equal(added, 2);
	assert_int_equal(import(f, "routers", second, 4, false, &added, &err), ERR_CONFLICT);
	assert_string_equal(err_text(&err), "line 4711: list \"routers\" has CN \"a\" already");
	assert_int_equal(added, 2);
	assert_int_equal(match(f, "routers", "CN", "c", BINDING(1), &d), ERR_NOT_FOUND);
	assert_int_equal(events(f), 1);
	assert_int_equal(import(f, "phones", second, 4, false, &added, NULL), OK);
	assert_int_equal(import(f, "routers", second, 4, true, &added, NULL), OK);
	assert_int_equal(added, 3);
	assert_int_equal(match(f, "routers", "CN", "a", BINDING(1), &d), OK);
	assert_false(d.once); /* as it was */
	assert_int_equal(match(f, "routers", "CN", "d", BINDING(1), &d), OK);
	assert_true(d.once);
	assert_int_equal(match(f, "routers", "MAC", "b", BINDING(1), &d), OK);
	assert_int_equal(match(f, "phones", "MAC", "b", BINDING(1), &d), ERR_NOT_FOUND);
	assert_int_equal(match(f, "none", "CN", "a", BINDING(1), &d), ERR_NOT_FOUND);
	assert_int_equal(import(f, "", first, 2, false, &added, NULL), ERR_LIMIT);
}

/* The same transaction may come again; another may not, however it races. */
static void used_up_with_the_issuance(void **state)
{
	const struct store_device_entry entries[] = { entry("CN", "a", true) };
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct fixture *f = *state;
	struct item mine, other, gone;
	uint64_t added;

	assert_int_equal(import(f, "l", entries, 1, false, &added, NULL), OK);
	assert_int_equal(match(f, "l", "CN", "a", BINDING(1), &d), OK);
	assert_false(d.bound);
	item_init(&mine, 0);
	item_init(&other, 1);
	item_init(&gone, 2);
	mine.issuance.device = other.issuance.device = d.id;
	gone.issuance.device = d.id + 1;
	memcpy(mine.issuance.challenge_binding, BINDING(1), STORE_HASH);
	memcpy(other.issuance.challenge_binding, BINDING(2), STORE_HASH);
	assert_int_equal(item_commit(f->store, &mine, NULL), OK);
	assert_int_equal(item_commit(f->store, &other, NULL), ERR_DENIED);
	assert_int_equal(item_commit(f->store, &gone, NULL), ERR_DENIED);
	assert_int_equal(match(f, "l", "CN", "a", BINDING(2), &d), OK);
	assert_true(d.bound);
	assert_int_equal(d.used, mine.issuance.now);
	assert_memory_equal(d.bound_to, BINDING(1), STORE_HASH);
}

/* Of two entries that fit, the one that is still good. */
static void the_better_of_two(void **state)
{
	const struct store_device_entry entries[] = { entry("CN", "a", true),
						      entry("MAC", "b", false) };
	const struct store_device_key keys[] = { { .type = "CN", .key = SPAN_LIT("a") },
						 { .type = "MAC", .key = SPAN_LIT("b") } };
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct fixture *f = *state;
	struct item item;
	uint64_t added;

	assert_int_equal(import(f, "l", entries, 2, false, &added, NULL), OK);
	assert_int_equal(match(f, "l", "CN", "a", BINDING(1), &d), OK);
	item_init(&item, 0);
	item.issuance.device = d.id;
	assert_int_equal(item_commit(f->store, &item, NULL), OK);
	store_device_clear(&d);
	assert_int_equal(store_match_device(f->store, "l", keys, 2, BINDING(7), &d, NULL), OK);
	assert_string_equal(d.type, "MAC");
	store_device_clear(&d);
	assert_int_equal(store_match_device(f->store, "l", keys, 1, BINDING(7), &d, NULL), OK);
	assert_true(d.bound);
	store_device_clear(&d);
	assert_int_equal(store_match_device(f->store, "l", keys, 0, BINDING(7), &d, NULL),
			 ERR_NOT_FOUND);
}

static enum result see(void *ctx, const struct store_device *d, struct err *err)
{
	buf_printf(ctx, "%s/%.*s ", d->list, (int)d->value.len, (const char *)d->value.data);
	return buf_check(ctx, err);
}

static enum result see_list(void *ctx, const struct store_device_list *l, struct err *err)
{
	buf_printf(ctx, "%s %u %u %u, ", l->name, (unsigned)l->entries, (unsigned)l->once,
		   (unsigned)l->used);
	return buf_check(ctx, err);
}

static void listed_and_removed(void **state)
{
	static const struct {
		struct store_device_filter filter;
		const char *want;
	} rows[] = {
		{ { 0 }, "l/a l/b m/a m/c " },
		{ { .limit = 1 }, "l/a " },
		{ { .after_id = 2 }, "m/a m/c " },
		{ { .list = "m" }, "m/a m/c " },
		{ { .list = "m", .after_id = 3 }, "m/c " },
		{ { .key = SPAN_LIT("a") }, "l/a m/a " },
		{ { .key = SPAN_LIT("a"), .list = "m" }, "m/a " },
		{ { .list = "x" }, "" },
	};
	const struct store_device_entry l[] = { entry("CN", "a", true), entry("CN", "b", false) };
	const struct store_device_entry m[] = { entry("CN", "a", true), entry("CN", "c", true) };
	const struct store_event event = { .time = NOW, .kind = "device.removed" };
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct fixture *f = *state;
	uint64_t added;
	BUF got = BUF_INIT;
	size_t i;

	assert_int_equal(import(f, "l", l, 2, false, &added, NULL), OK);
	assert_int_equal(import(f, "m", m, 2, false, &added, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&got);
		assert_int_equal(store_each_device(f->store, &rows[i].filter, see, &got, NULL), OK);
		if (strcmp(buf_cstr(&got), rows[i].want) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&got));
	}
	buf_reset(&got);
	assert_int_equal(store_each_device_list(f->store, see_list, &got, NULL), OK);
	assert_string_equal(buf_cstr(&got), "l 2 1 0, m 2 2 0, ");
	assert_int_equal(store_remove_device(f->store, 4, &event, NULL), OK);
	assert_int_equal(store_remove_device(f->store, 4, &event, NULL), ERR_NOT_FOUND);
	assert_int_equal(store_find_device(f->store, 4, &d, NULL), ERR_NOT_FOUND);
	assert_int_equal(events(f), 3);
	assert_int_equal(import(f, "m", m, 2, true, &added, NULL), OK);
	assert_int_equal(store_find_device(f->store, 4, &d, NULL), ERR_NOT_FOUND); /* never again */
}

/* ---- long lists ---- */

#define MANY 1703

struct many {
	struct store_device_entry entries[MANY];
	char values[MANY][16];
};

/* The last bears the name of number `twin`. */
static struct many *many_new(const char *prefix, int twin)
{
	struct many *m = calloc(1, sizeof(*m));
	int i;

	assert_non_null(m);
	for (i = 0; i < MANY; i++) {
		(void)snprintf(m->values[i], sizeof(m->values[i]), "%s%d", prefix,
			       i == MANY - 1 && twin >= 0 ? twin : i);
		m->entries[i] = entry("CN", m->values[i], false);
		m->entries[i].line = (size_t)i + 2;
	}
	return m;
}

static enum result add_count(void *ctx, const struct store_device_list *l, struct err *err)
{
	(void)err;
	*(uint64_t *)ctx += l->entries;
	return OK;
}

static uint64_t listed(struct fixture *f)
{
	uint64_t n = 0;

	assert_int_equal(store_each_device_list(f->store, add_count, &n, NULL), OK);
	return n;
}

static int64_t ask(struct fixture *f, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	int64_t n;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return n;
}

struct onlooker {
	struct fixture *f;
	_Atomic bool over;
	uint64_t between; /* how often it saw some of them */
	enum result second;
};

static void *look_on(void *arg)
{
	struct onlooker *o = arg;
	struct many *other = many_new("other-", -1);
	uint64_t n, added;

	o->second = OK;
	while (!o->over) {
		n = listed(o->f);
		o->between += n != 0 && n != MANY;
		if (import(o->f, "b", other->entries, MANY, true, &added, NULL) == ERR_BUSY)
			o->second = ERR_BUSY;
		else
			break;
	}
	free(other);
	return NULL;
}

/* Everybody sees none of them, or all; and two lists do not come at once. */
static void many_appear_at_once(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct onlooker o = { .f = f };
	struct many *m = many_new("d", -1);
	uint64_t added = 0;
	unsigned before;
	pthread_t thread;

	before = events(f);
	assert_int_equal(pthread_create(&thread, NULL, look_on, &o), 0);
	while (import(f, "a", m->entries, MANY, false, &added, NULL) == ERR_BUSY)
		;
	o.over = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(added, MANY);
	assert_true(listed(f) == MANY || listed(f) == 2 * (uint64_t)MANY);
	assert_int_equal(o.between, 0);
	assert_int_equal(match(f, "a", "CN", "d1702", BINDING(1), &d), OK);
	assert_int_equal(events(f) - before, listed(f) / MANY);
	/* the next leaves what is there, and counts over all of its parts */
	assert_int_equal(import(f, "a", m->entries, MANY, true, &added, NULL), OK);
	assert_int_equal(added, 0);
	free(m);
}

static void many_or_nothing(void **state)
{
	struct fixture *f = *state;
	struct many *m = many_new("d", 3);
	struct err err = { 0 };
	unsigned before = events(f);
	uint64_t added = 7;

	assert_int_equal(import(f, "a", m->entries, MANY, false, &added, &err), ERR_CONFLICT);
	assert_non_null(strstr(err_text(&err), "line 1704: list \"a\" has CN \"d3\" already"));
	assert_int_equal(added, 7);
	assert_int_equal(listed(f), 0);
	assert_int_equal(events(f), before);
	assert_int_equal(ask(f, "SELECT count(*) FROM device"), 0);
	assert_int_equal(ask(f, "SELECT count(*) FROM device_import"), 0);
	free(m);
}

/* The process ended while it was at it: nobody sees what is there of it, and it is put away. */
static void what_broke_off_counts_for_nothing(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_device_clear) struct store_device d = { 0 };
	struct many *m = many_new("d", -1);
	struct store_device_entry kept = entry("CN", "kept", false);
	uint64_t added = 0;

	assert_int_equal(import(f, "a", &kept, 1, false, &added, NULL), OK);
	assert_int_equal(import(f, "a", m->entries, MANY, false, &added, NULL), OK);
	fixture_close(f);
	(void)ask(f, "UPDATE device SET import = 1000 WHERE key <> 'kept' RETURNING id");
	(void)ask(f, "INSERT INTO device_import (id, after) VALUES (1000, 1) RETURNING id");
	fixture_open(f);
	assert_int_equal(listed(f), 1);
	assert_int_equal(match(f, "a", "CN", "d5", BINDING(1), &d), ERR_NOT_FOUND);
	assert_int_equal(match(f, "a", "CN", "kept", BINDING(1), &d), OK);
	assert_int_equal(store_purge_imports(f->store, NULL), OK);
	assert_int_equal(ask(f, "SELECT count(*) FROM device"), 1);
	assert_int_equal(ask(f, "SELECT count(*) FROM device_import"), 0);
	assert_int_equal(import(f, "a", m->entries, MANY, false, &added, NULL), OK);
	assert_int_equal(added, MANY);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(whole_or_nothing),
		FIXTURE_TEST(used_up_with_the_issuance),
		FIXTURE_TEST(the_better_of_two),
		FIXTURE_TEST(listed_and_removed),
		FIXTURE_TEST(many_appear_at_once),
		FIXTURE_TEST(many_or_nothing),
		FIXTURE_TEST(what_broke_off_counts_for_nothing),
	};

	return cmocka_run_group_tests_name("store_device", tests, NULL, NULL);
}
