/* SPDX-License-Identifier: Apache-2.0 */
#include "store/revocation.h"

#include "store/event.h"
#include "store/row.h"
#include "store/state.h"

struct new_number {
	const char *ca;
	int64_t *number;
};

static enum result next_number(struct db *db, const void *arg, struct err *err)
{
	const struct new_number *n = arg;
	QUERY q = QUERY_NONE;
	bool row = false;

	TRY(query_init(&q, db, SQL_NEXT_CRL_NUMBER, err));
	query_bind_str(&q, 1, n->ca);
	TRY(query_step(&q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "there is no CA named \"%s\"", n->ca);
	*n->number = query_int(&q, 0);
	return query_run(&q, err);
}

enum result store_next_crl_number(struct store *s, const char *ca, uint64_t *number,
				  struct err *err)
{
	int64_t got = 0;
	const struct new_number n = { ca, &got };

	TRY(writer_run(s->writer, next_number, &n, err));
	*number = (uint64_t)got;
	return OK;
}

static enum result read_crl(const struct query *q, struct store_crl *out, struct err *err)
{
	struct store_crl got = {
		.id = query_int(q, 0),
		.is_delta = !query_is_null(q, 3),
		.base = (uint64_t)query_int(q, 3),
		.number = (uint64_t)query_int(q, 4),
		.this_update = query_int(q, 5),
		.next_update = query_int(q, 6),
		.change = query_int(q, 7),
		.entries = (uint64_t)query_int(q, 8),
		.size = (uint64_t)query_int(q, 9),
		.generation = (unsigned)query_int(q, 11),
	};
	struct span scope = query_span(q, 2);

	TRY(row_name(q, 1, got.ca, err));
	if (scope.len >= sizeof(got.scope))
		return err_set(err, ERR_IO, "%s: a revocation list's scope of %zu octets: damaged",
			       q->db->path, scope.len);
	if (scope.len)
		memcpy(got.scope, scope.p, scope.len);
	TRY(row_hash(q, 10, got.sha256, err));
	*out = got;
	return OK;
}

/* number 0: the newest. */
static enum result find(struct db *db, const struct store_crl_kind *kind, uint64_t number,
			struct store_crl *out, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, number ? SQL_FIND_CRL_NUMBER : SQL_FIND_CRL, err));
	query_bind_str(&q, 1, kind->ca);
	query_bind_str(&q, 2, kind->scope);
	query_bind_int(&q, 3, !kind->is_delta);
	query_bind_int(&q, 4, kind->generation);
	if (number)
		query_bind_int(&q, 5, (int64_t)number);
	TRY(query_step(&q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "CA \"%s\" has made no such revocation list yet",
			       kind->ca);
	return read_crl(&q, out, err);
}

static enum result insert(struct db *db, const struct store_crl *crl, struct err *err)
{
	int64_t id = sqlite3_last_insert_rowid(db->handle); /* of its event */
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_ADD_CRL, err));
	query_bind_int(&q, 1, id);
	query_bind_str(&q, 2, crl->ca);
	query_bind_str(&q, 3, crl->scope);
	if (crl->is_delta)
		query_bind_int(&q, 4, (int64_t)crl->base);
	query_bind_int(&q, 5, (int64_t)crl->number);
	query_bind_int(&q, 6, crl->this_update);
	query_bind_int(&q, 7, crl->next_update);
	query_bind_int(&q, 8, crl->change);
	query_bind_int(&q, 9, (int64_t)crl->entries);
	query_bind_int(&q, 10, (int64_t)crl->size);
	query_bind_blob(&q, 11, SPAN_ARRAY(crl->sha256));
	query_bind_int(&q, 12, crl->generation);
	return query_run(&q, err);
}

struct new_crl {
	const struct store_crl *crl;
	const struct store_event *event;
};

static enum result add(struct db *db, const void *arg, struct err *err)
{
	const struct new_crl *new = arg;
	const struct store_crl_kind kind = { new->crl->ca, new->crl->generation, new->crl->scope,
					     new->crl->is_delta };
	struct store_crl before = { 0 };
	enum result r = find(db, &kind, 0, &before, err);

	if (r != ERR_NOT_FOUND)
		TRY(r);
	if (r == OK && before.number >= new->crl->number)
		return err_set(err, ERR_CONFLICT,
			       "RFC 5280 5.2.3: cRLNumber %llu is not higher than %llu, which is "
			       "published",
			       (unsigned long long)new->crl->number,
			       (unsigned long long)before.number);
	TRY(event_insert(db, new->event, err));
	return insert(db, new->crl, err);
}

enum result store_add_crl(struct store *s, const struct store_crl *crl,
			  const struct store_event *event, struct err *err)
{
	const struct new_crl new = { crl, event };

	return writer_run(s->writer, add, &new, err);
}

enum result store_find_crl(struct store *s, const struct store_crl_kind *kind,
			   struct store_crl *out, struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return find(reader.db, kind, 0, out, err);
}

enum result store_find_crl_number(struct store *s, const struct store_crl_kind *kind,
				  uint64_t number, struct store_crl *out, struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return find(reader.db, kind, number, out, err);
}

enum result store_each_crl(struct store *s, const char *ca, store_crl_fn *fn, void *ctx,
			   struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	struct store_crl crl;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_CRLS, err));
	query_bind_str(&q, 1, ca);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(read_crl(&q, &crl, err));
		TRY(fn(ctx, &crl, err));
	}
}
