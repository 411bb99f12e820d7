/* SPDX-License-Identifier: Apache-2.0 */
#include "store/revocation.h"

#include "store/event.h"
#include "store/key_block.h"
#include "store/row.h"
#include "store/state.h"

/* ---- one certificate ---- */

static enum result read_status(struct db *db, const char *ca, struct span serial,
			       struct store_status *out, struct err *err)
{
	struct store_status got = { 0 };
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_FIND_STATUS, err));
	query_bind_str(&q, 1, ca);
	query_bind_blob(&q, 2, serial);
	TRY(query_step(&q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND,
			       "CA \"%s\" has issued no certificate of this serial number", ca);
	got.not_before = query_int(&q, 0);
	got.not_after = query_int(&q, 1);
	got.reason = (unsigned)query_int(&q, 2);
	got.revoked = !query_is_null(&q, 2) && got.reason != STORE_REASON_REMOVE;
	got.time = query_int(&q, 3);
	got.invalid_since = query_int(&q, 4);
	got.generation = (unsigned)query_int(&q, 5);
	*out = got;
	return OK;
}

enum result store_find_status(struct store *s, const char *ca, struct span serial,
			      struct store_status *out, struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return read_status(reader.db, ca, serial, out, err);
}

/* now: what the certificate is on record as. */
static enum result put(struct db *db, const struct store_revocation *r,
		       const struct store_status *now, struct err *err)
{
	struct store_event event = r->event;
	QUERY q = QUERY_NONE;

	event.ca = r->ca;
	event.serial = r->serial;
	TRY(event_insert(db, &event, err));
	TRY(query_init(&q, db, SQL_PUT_REVOCATION, err));
	query_bind_str(&q, 1, r->ca);
	query_bind_blob(&q, 2, r->serial);
	query_bind_int(&q, 3, r->time);
	query_bind_int(&q, 4, r->reason);
	if (r->invalid_since)
		query_bind_int(&q, 5, r->invalid_since);
	query_bind_int(&q, 6, now->not_after);
	query_bind_int(&q, 7, sqlite3_last_insert_rowid(db->handle));
	query_bind_int(&q, 8, now->generation);
	return query_run(&q, err);
}

/* What is on hold may end, and that a key is lost may come out later. */
static bool may_follow(unsigned reason, unsigned before)
{
	return before == STORE_REASON_HOLD ||
	       (reason == STORE_REASON_KEY && before != STORE_REASON_KEY);
}

static enum result revoke(struct db *db, const void *arg, struct err *err)
{
	struct store_revocation r = *(const struct store_revocation *)arg;
	struct store_status now = { 0 };

	TRY(read_status(db, r.ca, r.serial, &now, err));
	if (now.revoked && !may_follow(r.reason, now.reason))
		return err_set(err, ERR_CONFLICT, "the certificate is revoked already");
	if (now.revoked && r.reason == STORE_REASON_HOLD)
		return err_set(err, ERR_CONFLICT, "the certificate is on hold already");
	if (now.revoked)
		r.time = now.time;
	TRY(put(db, &r, &now, err));
	return key_block_revoked(db, &r, err);
}

uint64_t store_revocation_changes(const struct store *s)
{
	return atomic_load(&s->revocations);
}

/* Counted whatever came of it: of a commit that failed something may be there all the same. */
static enum result change(struct store *s, job_fn *fn, const struct store_revocation *r,
			  struct err *err)
{
	enum result result = writer_run(s->writer, fn, r, err);

	atomic_fetch_add(&s->revocations, 1);
	return result;
}

enum result store_revoke(struct store *s, const struct store_revocation *revocation,
			 struct err *err)
{
	if (revocation->reason == STORE_REASON_REMOVE)
		return err_set(err, ERR_INTERNAL, "removeFromCRL is no reason to revoke");
	return change(s, revoke, revocation, err);
}

static enum result release(struct db *db, const void *arg, struct err *err)
{
	struct store_revocation r = *(const struct store_revocation *)arg;
	struct store_status now = { 0 };

	TRY(read_status(db, r.ca, r.serial, &now, err));
	if (!now.revoked || now.reason != STORE_REASON_HOLD)
		return err_set(err, ERR_CONFLICT, "the certificate is %s, not on hold",
			       now.revoked ? "revoked for good" : "good");
	r.time = now.time;
	return put(db, &r, &now, err);
}

enum result store_release(struct store *s, const char *ca, struct span serial,
			  const struct store_event *event, struct err *err)
{
	const struct store_revocation r = {
		.ca = ca, .serial = serial, .reason = STORE_REASON_REMOVE, .event = *event
	};

	return change(s, release, &r, err);
}

/* ---- all of a CA ---- */

static enum result give(const struct query *q, store_revoked_fn *fn, void *ctx, struct err *err)
{
	const struct store_revoked r = {
		.serial = query_span(q, 0),
		.time = query_int(q, 1),
		.reason = (unsigned)query_int(q, 2),
		.invalid_since = query_int(q, 3),
		.not_after = query_int(q, 4),
		.changed = query_int(q, 5),
	};

	return fn(ctx, &r, err);
}

enum result store_each_revoked(struct store *s, const struct store_revoked_filter *filter,
			       store_revoked_fn *fn, void *ctx, struct err *err)
{
	enum sql id = filter->by_change ? SQL_REVOKED_BY_CHANGE : SQL_REVOKED;
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, id, err));
	query_bind_str(&q, 1, filter->ca);
	if (filter->by_change)
		query_bind_int(&q, 2, filter->after_change);
	else
		query_bind_blob(&q, 2, filter->after_serial);
	query_bind_int(&q, 3, store_limit(filter->limit));
	query_bind_int(&q, 4, filter->generation);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give(&q, fn, ctx, err));
	}
}

enum result store_last_change(struct store *s, const char *ca, int64_t *change, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_LAST_CHANGE, err));
	query_bind_str(&q, 1, ca);
	TRY(query_step(&q, &row, err));
	*change = row ? query_int(&q, 0) : 0;
	return OK;
}
