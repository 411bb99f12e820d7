/* SPDX-License-Identifier: Apache-2.0 */
#include "store/challenge.h"

#include "store/event.h"
#include "store/purge.h"
#include "store/row.h"
#include "store/state.h"

void store_challenge_clear(struct store_challenge *c)
{
	buf_clear(&c->subject);
	buf_clear(&c->san);
	*c = (struct store_challenge){ 0 };
}

/* ---- changes ---- */

struct new_challenge {
	const struct store_challenge *challenge;
	const struct store_event *event;
	unsigned most; /* of its source; 0: no bound */
};

static enum result insert(struct db *db, const struct store_challenge *c, struct err *err)
{
	QUERY q = QUERY_NONE;
	enum result r;

	TRY(query_init(&q, db, SQL_ADD_CHALLENGE, err));
	query_bind_str(&q, 1, c->id);
	query_bind_blob(&q, 2, SPAN_ARRAY(c->hash));
	query_bind_str(&q, 3, c->endpoint);
	query_bind_int(&q, 4, c->created);
	query_bind_int(&q, 5, c->expires);
	query_bind_str(&q, 6, c->created_by);
	query_bind_blob(&q, 7, buf_span(&c->subject));
	query_bind_blob(&q, 8, buf_span(&c->san));
	query_bind_str(&q, 9, c->source);
	query_bind_int(&q, 10, c->reusable);
	r = query_run(&q, err);
	if (r == ERR_CONFLICT)
		return err_set(err, r, "challenge %s, or one with the same text, exists already",
			       c->id);
	return r;
}

/* The writer is alone: nobody else can add one between this look and the insertion. */
static enum result check_room(struct db *db, const struct new_challenge *new, struct err *err)
{
	const struct store_challenge *c = new->challenge;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_COUNT_CHALLENGES, err));
	query_bind_str(&q, 1, c->source);
	query_bind_int(&q, 2, c->created);
	TRY(query_step(&q, &row, err));
	if (row && query_int(&q, 0) >= new->most)
		return err_set(err, ERR_LIMIT,
			       "%lld challenges of %s are unused, at most %u may be",
			       (long long)query_int(&q, 0), c->source, new->most);
	return OK;
}

static enum result add(struct db *db, const void *arg, struct err *err)
{
	const struct new_challenge *new = arg;

	if (new->most)
		TRY(check_room(db, new, err));
	TRY(insert(db, new->challenge, err));
	return event_insert(db, new->event, err);
}

enum result store_add_challenge(struct store *s, const struct store_challenge *c,
				const struct store_event *event, struct err *err)
{
	return store_add_challenge_within(s, c, 0, event, err);
}

enum result store_add_challenge_within(struct store *s, const struct store_challenge *c,
				       unsigned most, const struct store_event *event,
				       struct err *err)
{
	struct new_challenge new = { c, event, most };

	TRY(row_check_name(c->id, "the challenge's handle", err));
	TRY(writer_run(s->writer, add, &new, err));
	fresh_put(s->fresh, c);
	return OK;
}

struct revocation {
	const char *id;
	const struct store_event *event;
};

static enum result revoke(struct db *db, const void *arg, struct err *err)
{
	const struct revocation *revocation = arg;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_REVOKE_CHALLENGE, err));
	query_bind_str(&q, 1, revocation->id);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no challenge %s", revocation->id);
	return event_insert(db, revocation->event, err);
}

enum result store_revoke_challenge(struct store *s, const char *id, const struct store_event *event,
				   struct err *err)
{
	struct revocation revocation = { id, event };

	TRY(writer_run(s->writer, revoke, &revocation, err));
	fresh_forget(s->fresh);
	return OK;
}

enum result store_purge_challenges(struct store *s, int64_t before, unsigned most, uint64_t *n,
				   struct err *err)
{
	return purge_run(s, SQL_PURGE_CHALLENGES, before, most, n, err);
}

static enum result update(struct db *db, enum sql id, const struct challenge_use *use,
			  bool *changed, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, id, err));
	query_bind_blob(&q, 1, span_of(use->hash, STORE_HASH));
	query_bind_blob(&q, 2, span_of(use->binding, STORE_HASH));
	query_bind_int(&q, 3, use->now);
	TRY(query_run(&q, err));
	*changed = sqlite3_changes(db->handle) == 1;
	return OK;
}

enum result challenge_bind(struct db *db, const struct challenge_use *use, struct err *err)
{
	bool bound;

	return update(db, SQL_BIND_CHALLENGE, use, &bound, err);
}

/* ---- reading ---- */

static enum result read_challenge(const struct query *q, struct store_challenge *out,
				  struct err *err)
{
	CLEANUP(store_challenge_clear)
	struct store_challenge c = {
		.created = query_int(q, 3),
		.expires = query_int(q, 4),
		.revoked = query_int(q, 8) != 0,
		.bound = !query_is_null(q, 9),
		.used = query_int(q, 10),
		.reusable = query_int(q, 12) != 0,
	};

	TRY(row_name(q, 0, c.id, err));
	TRY(row_hash(q, 1, c.hash, err));
	TRY(row_name(q, 2, c.endpoint, err));
	TRY(row_name(q, 5, c.created_by, err));
	TRY(row_name(q, 11, c.source, err));
	row_buf(q, 6, &c.subject);
	row_buf(q, 7, &c.san);
	TRY(buf_check(&c.subject, err));
	TRY(buf_check(&c.san, err));
	if (c.bound)
		TRY(row_hash(q, 9, c.bound_to, err));
	*out = c;
	c = (struct store_challenge){ 0 };
	return OK;
}

static enum result find(struct db *db, const uint8_t hash[STORE_HASH], struct store_challenge *out,
			struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_FIND_CHALLENGE, err));
	query_bind_blob(&q, 1, span_of(hash, STORE_HASH));
	TRY(query_step(&q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no such challenge");
	return read_challenge(&q, out, err);
}

enum result store_find_challenge(struct store *s, const uint8_t hash[STORE_HASH],
				 struct store_challenge *out, struct err *err)
{
	READER reader = READER_NONE;

	if (fresh_take(s->fresh, hash, out))
		return OK;
	TRY(reader_init(&reader, s->pool, err));
	return find(reader.db, hash, out, err);
}

static enum result why_not(const struct store_challenge *c, const struct challenge_use *use,
			   struct err *err)
{
	char expired[CLOCK_TEXT_MAX];

	if (c->revoked)
		return err_set(err, ERR_DENIED, "challenge %s is revoked", c->id);
	if (c->used)
		return err_set(err, ERR_DENIED, "challenge %s was used already", c->id);
	if (c->expires <= use->now) {
		clock_format(c->expires, expired);
		return err_set(err, ERR_DENIED, "challenge %s expired at %s", c->id, expired);
	}
	return err_set(err, ERR_DENIED, "challenge %s belongs to another transaction", c->id);
}

enum result challenge_consume(struct db *db, const struct challenge_use *use, struct err *err)
{
	CLEANUP(store_challenge_clear) struct store_challenge c = { 0 };
	bool consumed;
	enum result r;

	TRY(update(db, SQL_CONSUME_CHALLENGE, use, &consumed, err));
	if (consumed)
		return OK;
	r = find(db, use->hash, &c, err);
	if (r == ERR_NOT_FOUND)
		return err_set(err, ERR_DENIED, "there is no such challenge any more");
	return r == OK ? why_not(&c, use, err) : r;
}

static enum result give(const struct query *q, store_challenge_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_challenge_clear) struct store_challenge c = { 0 };

	TRY(read_challenge(q, &c, err));
	return fn(ctx, &c, err);
}

enum result store_each_challenge(struct store *s, const struct store_challenge_filter *filter,
				 store_challenge_fn *fn, void *ctx, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_CHALLENGES, err));
	query_bind_str(&q, 1, filter->after_id ? filter->after_id : "");
	query_bind_int(&q, 2, store_limit(filter->limit));
	if (filter->usable_at_set)
		query_bind_int(&q, 3, filter->usable_at);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give(&q, fn, ctx, err));
	}
}
