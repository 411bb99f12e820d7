/* SPDX-License-Identifier: Apache-2.0 */
#include "store/device.h"

#include "store/event.h"
#include "store/row.h"
#include "store/state.h"

void store_device_clear(struct store_device *d)
{
	buf_clear(&d->value);
	buf_clear(&d->note);
	*d = (struct store_device){ 0 };
}

/* ---- changes ---- */

struct removal {
	int64_t id;
	const struct store_event *event;
};

static enum result remove_one(struct db *db, const void *arg, struct err *err)
{
	const struct removal *r = arg;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_REMOVE_DEVICE, err));
	query_bind_int(&q, 1, r->id);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no device %lld", (long long)r->id);
	return event_insert(db, r->event, err);
}

enum result store_remove_device(struct store *s, int64_t id, const struct store_event *event,
				struct err *err)
{
	const struct removal r = { id, event };

	return writer_run(s->writer, remove_one, &r, err);
}

enum result device_consume(struct db *db, int64_t id, const uint8_t binding[STORE_HASH],
			   int64_t now, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_CONSUME_DEVICE, err));
	query_bind_int(&q, 1, id);
	query_bind_blob(&q, 2, span_of(binding, STORE_HASH));
	query_bind_int(&q, 3, now);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 1)
		return OK;
	return err_set(err, ERR_DENIED,
		       "allow-list: entry %lld was used by another transaction meanwhile, or "
		       "removed",
		       (long long)id);
}

/* ---- reading ---- */

static enum result read_device(const struct query *q, struct store_device *out, struct err *err)
{
	CLEANUP(store_device_clear)
	struct store_device d = {
		.id = query_int(q, 0),
		.once = query_int(q, 4) != 0,
		.created = query_int(q, 6),
		.bound = !query_is_null(q, 8),
		.used = query_int(q, 9),
	};

	TRY(row_name(q, 1, d.list, err));
	TRY(row_name(q, 2, d.type, err));
	TRY(row_name(q, 7, d.created_by, err));
	row_buf(q, 3, &d.value);
	row_buf(q, 5, &d.note);
	TRY(buf_check(&d.value, err));
	TRY(buf_check(&d.note, err));
	if (d.bound)
		TRY(row_hash(q, 8, d.bound_to, err));
	*out = d;
	d = (struct store_device){ 0 };
	return OK;
}

static enum result find(struct db *db, int64_t id, struct store_device *out, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_FIND_DEVICE, err));
	query_bind_int(&q, 1, id);
	TRY(query_step(&q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "there is no device %lld", (long long)id);
	return read_device(&q, out, err);
}

enum result store_find_device(struct store *s, int64_t id, struct store_device *out,
			      struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return find(reader.db, id, out, err);
}

static bool is_usable(const struct store_device *d, const uint8_t binding[STORE_HASH])
{
	return !d->once || !d->bound || memcmp(d->bound_to, binding, STORE_HASH) == 0;
}

/* *found: out has an entry, whatever became of it. */
static enum result match_one(struct db *db, const char *list, const struct store_device_key *key,
			     bool *found, struct store_device *out, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_MATCH_DEVICE, err));
	query_bind_text(&q, 1, key->key);
	query_bind_str(&q, 2, list);
	query_bind_str(&q, 3, key->type);
	TRY(query_step(&q, found, err));
	return *found ? read_device(&q, out, err) : OK;
}

enum result store_match_device(struct store *s, const char *list,
			       const struct store_device_key *keys, size_t n,
			       const uint8_t binding[STORE_HASH], struct store_device *out,
			       struct err *err)
{
	CLEANUP(store_device_clear) struct store_device best = { 0 };
	READER reader = READER_NONE;
	bool found;
	size_t i;

	TRY(reader_init(&reader, s->pool, err));
	for (i = 0; i < n; i++) {
		struct store_device d = { 0 };

		TRY(match_one(reader.db, list, &keys[i], &found, &d, err));
		if (!found)
			continue;
		store_device_clear(&best);
		best = d;
		if (is_usable(&best, binding))
			break;
	}
	if (!best.id)
		return err_set(err, ERR_NOT_FOUND, "no entry of list \"%s\"", list);
	*out = best;
	best = (struct store_device){ 0 };
	return OK;
}

static enum result give(const struct query *q, store_device_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_device_clear) struct store_device d = { 0 };

	TRY(read_device(q, &d, err));
	return fn(ctx, &d, err);
}

/* The same columns, found by what is known of the entry. */
static enum sql listing(const struct store_device_filter *filter)
{
	if (filter->key.len)
		return SQL_DEVICES_BY_KEY;
	return filter->list ? SQL_DEVICES_BY_LIST : SQL_DEVICES;
}

enum result store_each_device(struct store *s, const struct store_device_filter *filter,
			      store_device_fn *fn, void *ctx, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, listing(filter), err));
	query_bind_int(&q, 1, filter->after_id);
	query_bind_int(&q, 2, store_limit(filter->limit));
	if (filter->list || filter->key.len)
		query_bind_str(&q, 3, filter->list);
	if (filter->key.len)
		query_bind_text(&q, 4, filter->key);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give(&q, fn, ctx, err));
	}
}

static enum result give_list(const struct query *q, store_device_list_fn *fn, void *ctx,
			     struct err *err)
{
	struct store_device_list l = { .entries = (uint64_t)query_int(q, 1),
				       .once = (uint64_t)query_int(q, 2),
				       .used = (uint64_t)query_int(q, 3) };

	TRY(row_name(q, 0, l.name, err));
	return fn(ctx, &l, err);
}

enum result store_each_device_list(struct store *s, store_device_list_fn *fn, void *ctx,
				   struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_DEVICE_LISTS, err));
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give_list(&q, fn, ctx, err));
	}
}
