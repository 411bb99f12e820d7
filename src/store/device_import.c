/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices into a list: few in one commit, many in commits of IMPORT_AT_ONCE, between which others
 * get their turn. What belongs to an import that is under way does not count (COUNTS in sql.c), so
 * that the last commit, which ends it, lets all of them in at once.
 */
#include <stdio.h>

#include "store/device.h"
#include "store/event.h"
#include "store/row.h"
#include "store/state.h"

#define IMPORT_AT_ONCE 500 /* some milliseconds of the writer's time */

/* Some entries of an import, as a job. */
struct batch {
	const struct store_device_import *import;
	size_t from;
	size_t to;
	int64_t id;      /* of the import; 0: they count at once */
	uint64_t *added; /* the caller waits for the job */
};

static enum result insert(struct db *db, const struct batch *b, const struct store_device_entry *e,
			  bool *added, struct err *err)
{
	const struct store_device_import *import = b->import;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_ADD_DEVICE, err));
	query_bind_str(&q, 1, import->list);
	query_bind_str(&q, 2, e->type);
	query_bind_text(&q, 3, e->key);
	query_bind_text(&q, 4, e->value);
	query_bind_int(&q, 5, e->once);
	if (e->note.len)
		query_bind_text(&q, 6, e->note);
	query_bind_int(&q, 7, import->now);
	query_bind_str(&q, 8, import->actor);
	query_bind_int(&q, 9, b->id);
	TRY(query_run(&q, err));
	*added = sqlite3_changes(db->handle) == 1;
	return OK;
}

static enum result refuse_twin(const struct store_device_import *import,
			       const struct store_device_entry *e, struct err *err)
{
	char line[32] = "";

	if (e->line)
		(void)snprintf(line, sizeof(line), "line %zu: ", e->line);
	return err_set(err, ERR_CONFLICT, "%slist \"%s\" has %s \"%.*s\" already", line,
		       import->list, e->type, (int)span_sub(e->value, 0, 128).len,
		       (const char *)e->value.p);
}

static enum result add_some(struct db *db, const void *arg, struct err *err)
{
	const struct batch *b = arg;
	size_t i;

	*b->added = 0;
	for (i = b->from; i < b->to; i++) {
		const struct store_device_entry *e = &b->import->entries[i];
		bool added = false;

		TRY(insert(db, b, e, &added, err));
		if (!added && !b->import->keep_existing)
			return refuse_twin(b->import, e, err);
		*b->added += added;
	}
	return OK;
}

/* ---- few ---- */

static enum result add_all(struct db *db, const void *arg, struct err *err)
{
	const struct batch *b = arg;

	TRY(add_some(db, b, err));
	return event_insert(db, &b->import->event, err);
}

/* ---- many ---- */

static enum result begin(struct db *db, const void *arg, struct err *err)
{
	int64_t *id = *(int64_t *const *)arg;

	TRY(query_simple(db, SQL_BEGIN_IMPORT, err));
	*id = sqlite3_last_insert_rowid(db->handle);
	return OK;
}

static enum result forget(struct db *db, int64_t id, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_END_IMPORT, err));
	query_bind_int(&q, 1, id);
	return query_run(&q, err);
}

static enum result end(struct db *db, const void *arg, struct err *err)
{
	const struct batch *b = arg;

	TRY(forget(db, b->id, err));
	return event_insert(db, &b->import->event, err);
}

static RESULT add_in_batches(struct store *s, const struct store_device_import *import,
			     uint64_t *added, struct err *err)
{
	uint64_t n = 0, all = 0;
	int64_t id = 0, *out = &id;
	struct batch b = { .import = import, .added = &n };

	TRY(writer_run(s->writer, begin, &out, err));
	b.id = id;
	for (b.from = 0; b.from < import->n; b.from = b.to) {
		b.to = b.from + IMPORT_AT_ONCE;
		if (b.to > import->n)
			b.to = import->n;
		TRY(writer_run(s->writer, add_some, &b, err));
		all += n;
	}
	TRY(writer_run(s->writer, end, &b, err));
	*added = all;
	return OK;
}

/* ---- what broke off ---- */

struct broken {
	int64_t id; /* 0: there is none */
	int64_t after;
};

static enum result find_broken(struct db *db, struct broken *out, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_BROKEN_IMPORT, err));
	TRY(query_step(&q, &row, err));
	if (row)
		*out = (struct broken){ query_int(&q, 0), query_int(&q, 1) };
	return OK;
}

/* *more: there was something. */
static enum result purge(struct db *db, const void *arg, struct err *err)
{
	bool *more = *(bool *const *)arg;
	struct broken broken = { 0 };
	QUERY rows = QUERY_NONE;

	TRY(find_broken(db, &broken, err));
	*more = broken.id != 0;
	if (!*more)
		return OK;
	TRY(query_init(&rows, db, SQL_PURGE_IMPORT, err));
	query_bind_int(&rows, 1, broken.id);
	query_bind_int(&rows, 2, broken.after);
	query_bind_int(&rows, 3, IMPORT_AT_ONCE);
	TRY(query_run(&rows, err));
	return sqlite3_changes(db->handle) < IMPORT_AT_ONCE ? forget(db, broken.id, err) : OK;
}

static RESULT purge_all(struct store *s, struct err *err)
{
	bool more = true, *out = &more;

	while (more)
		TRY(writer_run(s->writer, purge, &out, err));
	return OK;
}

enum result store_purge_imports(struct store *s, struct err *err)
{
	enum result r = OK;

	(void)pthread_mutex_lock(&s->purging);
	if (!s->importing) /* else it is no broken one, or put away by the next */
		r = purge_all(s, err);
	(void)pthread_mutex_unlock(&s->purging);
	return r;
}

/* Whoever is putting away the broken ones is awaited: what it does not know yet must not come. */
static RESULT import_after_purge(struct store *s, const struct store_device_import *import,
				 uint64_t *added, struct err *err)
{
	enum result r;

	(void)pthread_mutex_lock(&s->purging);
	r = purge_all(s, err);
	(void)pthread_mutex_unlock(&s->purging);
	if (r == OK)
		r = add_in_batches(s, import, added, err);
	if (r != OK)
		(void)!purge_all(s, NULL); /* else the next import does, or the housekeeping */
	return r;
}

/* One at a time, so that none takes what another has not finished for an entry of the list. */
static RESULT import_alone(struct store *s, const struct store_device_import *import,
			   uint64_t *added, struct err *err)
{
	enum result r;

	if (atomic_exchange(&s->importing, true))
		return err_set(err, ERR_BUSY,
			       "another list is being imported: try again when it is");
	r = import_after_purge(s, import, added, err);
	s->importing = false;
	return r;
}

enum result store_add_devices(struct store *s, const struct store_device_import *import,
			      uint64_t *added, struct err *err)
{
	uint64_t n = 0;
	const struct batch all = { .import = import, .to = import->n, .added = &n };

	TRY(row_check_name(import->list, "the list's name", err));
	if (import->n > IMPORT_AT_ONCE)
		return import_alone(s, import, added, err);
	TRY(writer_run(s->writer, add_all, &all, err));
	*added = n;
	return OK;
}
