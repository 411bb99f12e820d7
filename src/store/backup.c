/* SPDX-License-Identifier: Apache-2.0 */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "store/event.h"
#include "store/state.h"

#define STEP_PAGES 256
#define PAUSE_NS 1000000 /* after each step, for the disk to do other work, too */
#define CHECK_PAGE 500   /* events at once */

/* ---- making one ---- */

static RESULT make_file(const char *path, struct err *err)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	(void)close(fd);
	return OK;
}

/* From here on the connection sees one moment, whatever others write: so nothing is begun anew. */
static RESULT hold_snapshot(struct db *db, struct store_snapshot *out, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row = false;

	TRY(db_exec(db, "BEGIN", err));
	TRY(query_init(&q, db, SQL_LAST_EVENT, err));
	TRY(query_step(&q, &row, err));
	*out = (struct store_snapshot){ .last_event = row ? query_int(&q, 0) : 0 };
	if (row && query_span(&q, 1).len == STORE_HASH)
		memcpy(out->hash, query_span(&q, 1).p, STORE_HASH);
	return OK;
}

static RESULT run_steps(struct db *to, sqlite3_backup *b, store_backup_fn *fn, void *ctx,
			struct err *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int rc;

	for (;;) {
		rc = sqlite3_backup_step(b, STEP_PAGES);
		if (rc == SQLITE_DONE)
			return OK;
		if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
			return db_error(to, rc, "backup", err);
		if (!fn(ctx,
			(uint64_t)sqlite3_backup_pagecount(b) -
			    (uint64_t)sqlite3_backup_remaining(b),
			(uint64_t)sqlite3_backup_pagecount(b)))
			return err_set(err, ERR_BUSY, "the backup was given up");
		(void)nanosleep(&pause, NULL);
	}
}

static RESULT copy_pages(struct db *to, struct db *from, store_backup_fn *fn, void *ctx,
			 struct err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to->handle, "main", from->handle, "main");
	enum result r;
	int rc;

	if (!b)
		return db_error(to, sqlite3_errcode(to->handle), "backup", err);
	r = run_steps(to, b, fn, ctx, err);
	rc = sqlite3_backup_finish(b);
	return r == OK && rc != SQLITE_OK ? db_error(to, rc, "backup", err) : r;
}

static RESULT copy(struct store *s, const char *path, store_backup_fn *fn, void *ctx,
		   struct store_snapshot *out, struct err *err)
{
	CLEANUP(db_close) struct db from = { 0 };
	CLEANUP(db_close) struct db to = { .path = path };
	int rc =
	    sqlite3_open_v2(path, &to.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return db_error(&to, rc, "open", err);
	TRY(db_open(&from, s->path, DB_READER, 2000, err));
	TRY(hold_snapshot(&from, out, err));
	return copy_pages(&to, &from, fn, ctx, err);
}

enum result store_backup(struct store *s, const char *path, store_backup_fn *fn, void *ctx,
			 struct store_snapshot *out, struct err *err)
{
	struct store_snapshot snapshot;
	enum result r;

	TRY(make_file(path, err));
	r = copy(s, path, fn, ctx, &snapshot, err);
	if (r != OK) {
		(void)unlink(path);
		return r;
	}
	*out = snapshot;
	return OK;
}

/* ---- what is restored ---- */

static RESULT check_structure(struct db *db, struct err *err)
{
	QUERY q = QUERY_NONE;
	const char *word;
	bool row = false;

	TRY(query_init(&q, db, SQL_CHECK, err));
	TRY(query_step(&q, &row, err));
	word = row ? query_str(&q, 0) : NULL;
	if (word && strcmp(word, "ok") == 0)
		return OK;
	return err_set(err, ERR_BAD_CHECK, "%s: damaged: %s", db->path, word ? word : "no verdict");
}

struct walk {
	struct crypto *c;
	struct store_snapshot *at;
};

static enum result check_event(void *ctx, const struct store_event *e, struct err *err)
{
	struct walk *w = ctx;
	uint8_t hash[STORE_HASH];

	if (e->id != w->at->last_event + 1)
		return err_set(err, ERR_BAD_CHECK, "the record has no event %lld",
			       (long long)w->at->last_event + 1);
	TRY(store_event_hash(w->c, w->at->hash, e, hash, err));
	if (!span_eq(SPAN_ARRAY(hash), e->hash))
		return err_set(err, ERR_BAD_CHECK, "event %lld is not as it was recorded",
			       (long long)e->id);
	w->at->last_event = e->id;
	memcpy(w->at->hash, hash, STORE_HASH);
	return OK;
}

enum result store_check_whole(struct store *s, struct crypto *c, struct store_snapshot *out,
			      struct err *err)
{
	struct store_event_filter filter = { .limit = CHECK_PAGE };
	struct store_snapshot at = { 0 };
	struct walk walk = { c, &at };
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	TRY(check_structure(reader.db, err));
	do {
		filter.after_id = at.last_event;
		TRY(store_each_event(s, &filter, check_event, &walk, err));
	} while (at.last_event != filter.after_id);
	*out = at;
	return OK;
}

static RESULT change(struct db *db, enum sql sql, int64_t value, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, sql, err));
	query_bind_int(&q, 1, value);
	return query_run(&q, err);
}

static enum result restored(struct db *db, const void *arg, struct err *err)
{
	const struct store_restoration *r = arg;

	TRY(change(db, SQL_SKIP_CRL_NUMBERS, (int64_t)r->crl_numbers, err));
	if (r->revoke_challenges)
		TRY(change(db, SQL_REVOKE_OPEN_CHALLENGES, r->event.time, err));
	return event_insert(db, &r->event, err);
}

enum result store_restored(struct store *s, const struct store_restoration *r, struct err *err)
{
	TRY(writer_run(s->writer, restored, r, err));
	fresh_forget(s->fresh);
	return OK;
}
