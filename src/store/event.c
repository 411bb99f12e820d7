/* SPDX-License-Identifier: Apache-2.0 */
#include "store/event.h"

#include "store/chain.h"
#include "store/row.h"
#include "store/state.h"

/* ?1..?10 of SQL_ADD_EVENT */
static void bind_event(struct query *q, const struct store_event *e, bool tagged)
{
	query_bind_int(q, 1, e->time);
	query_bind_str(q, 2, e->kind);
	query_bind_str(q, 3, e->endpoint);
	if (tagged && e->transaction.len)
		query_bind_int(q, 4, row_transaction_tag(e->transaction));
	query_bind_blob(q, 5, e->transaction);
	query_bind_str(q, 6, e->ca);
	query_bind_blob(q, 7, e->serial);
	query_bind_str(q, 8, e->actor);
	query_bind_str(q, 9, e->reason);
	query_bind_str(q, 10, e->detail);
}

static enum result insert(struct db *db, const struct store_event *e, bool tagged, int64_t *id,
			  struct err *err)
{
	uint8_t hash[STORE_HASH];
	QUERY q = QUERY_NONE;

	TRY(chain_next(db, e, id, hash, err));
	TRY(query_init(&q, db, SQL_ADD_EVENT, err));
	bind_event(&q, e, tagged);
	query_bind_int(&q, 11, *id);
	query_bind_blob(&q, 12, SPAN_ARRAY(hash));
	TRY(query_run(&q, err));
	chain_append(db->chain, *id, hash);
	return OK;
}

enum result event_insert(struct db *db, const struct store_event *event, struct err *err)
{
	int64_t id;

	return insert(db, event, true, &id, err);
}

enum result event_insert_issuance(struct db *db, const struct store_event *event, int64_t *id,
				  struct err *err)
{
	return insert(db, event, false, id, err);
}

static enum result add_event(struct db *db, const void *arg, struct err *err)
{
	return event_insert(db, arg, err);
}

enum result store_add_event(struct store *s, const struct store_event *event, struct err *err)
{
	return writer_run(s->writer, add_event, event, err);
}

/* [by transaction][newest first] */
static const enum sql listings[2][2] = {
	{ SQL_EVENTS, SQL_EVENTS_NEWEST_FIRST },
	{ SQL_EVENTS_OF_TRANSACTION, SQL_EVENTS_OF_TRANSACTION_NEWEST_FIRST },
};

static void bind_filter(struct query *q, const struct store_event_filter *f)
{
	if (f->transaction.len == 0) {
		query_bind_int(q, 1, f->after_id);
		query_bind_int(q, 2, store_limit(f->limit));
		return;
	}
	query_bind_int(q, 1, row_transaction_tag(f->transaction));
	query_bind_blob(q, 2, f->transaction);
	query_bind_int(q, 3, f->after_id);
	query_bind_int(q, 4, store_limit(f->limit));
}

void event_read(const struct query *q, struct store_event *out)
{
	*out = (struct store_event){
		.id = query_int(q, 0),
		.time = query_int(q, 1),
		.kind = query_str(q, 2),
		.endpoint = query_str(q, 3),
		.transaction = query_span(q, 4),
		.ca = query_str(q, 5),
		.serial = query_span(q, 6),
		.actor = query_str(q, 7),
		.reason = query_str(q, 8),
		.detail = query_str(q, 9),
		.hash = query_span(q, 10),
	};
}

enum result store_each_event(struct store *s, const struct store_event_filter *filter,
			     store_event_fn *fn, void *ctx, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	struct store_event event;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, listings[filter->transaction.len != 0][filter->newest_first],
		       err));
	bind_filter(&q, filter);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		event_read(&q, &event);
		TRY(fn(ctx, &event, err));
	}
}
