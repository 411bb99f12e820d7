/* SPDX-License-Identifier: Apache-2.0 */
#include "store/request.h"

#include "store/challenge.h"
#include "store/device.h"
#include "store/event.h"
#include "store/issuance.h"
#include "store/key_block.h"
#include "store/row.h"
#include "store/state.h"

#define EXPIRE_AT_ONCE 100

void store_request_clear(struct store_request *r)
{
	buf_clear(&r->transaction);
	buf_clear(&r->subject_text);
	buf_clear(&r->subject);
	buf_clear(&r->spki);
	buf_clear(&r->exts);
	buf_clear(&r->reason);
	buf_clear(&r->approvers);
	*r = (struct store_request){ 0 };
}

/* ---- reading ---- */

static enum result read_bytes(const struct query *q, struct store_request *r, struct err *err)
{
	struct {
		int column;
		struct buf *to;
	} all[] = {
		{ 2, &r->transaction }, { 6, &r->subject_text }, { 7, &r->subject },
		{ 8, &r->spki },        { 9, &r->exts },         { 16, &r->reason },
		{ 18, &r->approvers },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		row_buf(q, all[i].column, all[i].to);
		TRY(buf_check(all[i].to, err));
	}
	return OK;
}

static enum result read_request(const struct query *q, struct store_request *out, struct err *err)
{
	CLEANUP(store_request_clear)
	struct store_request r = {
		.id = query_int(q, 0),
		.created = query_int(q, 11),
		.expires = query_int(q, 12),
		.needed = (unsigned)query_int(q, 13),
		.state = (enum store_request_state)query_int(q, 14),
		.decided = query_int(q, 15),
		.approvals = (unsigned)query_int(q, 17),
		.generation = (unsigned)query_int(q, 19),
	};

	TRY(row_name(q, 1, r.endpoint, err));
	TRY(row_hash(q, 3, r.key_hash, err));
	TRY(row_name(q, 4, r.ca, err));
	TRY(row_name(q, 5, r.profile, err));
	TRY(row_name(q, 10, r.peer, err));
	TRY(read_bytes(q, &r, err));
	*out = r;
	r = (struct store_request){ 0 };
	return OK;
}

static enum result read_only_row(struct query *q, const char *missing, struct store_request *out,
				 struct err *err)
{
	bool row;

	TRY(query_step(q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "%s", missing);
	return read_request(q, out, err);
}

static enum result find(struct db *db, int64_t id, struct store_request *out, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_FIND_REQUEST, err));
	query_bind_int(&q, 1, id);
	return read_only_row(&q, "there is no such request", out, err);
}

enum result store_find_request(struct store *s, int64_t id, struct store_request *out,
			       struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return find(reader.db, id, out, err);
}

static enum result find_of(struct db *db, const struct store_transaction_key *key,
			   struct store_request *out, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_FIND_REQUEST_OF, err));
	query_bind_int(&q, 1, row_transaction_tag(key->id));
	query_bind_int(&q, 2, row_hash_tag(key->key_hash));
	query_bind_blob(&q, 3, key->id);
	query_bind_str(&q, 4, key->endpoint);
	query_bind_blob(&q, 5, SPAN_ARRAY(key->key_hash));
	query_bind_int(&q, 6, key->generation);
	query_bind_int(&q, 7, key->oldest);
	return read_only_row(&q, "this transaction never waited for an operator", out, err);
}

enum result store_find_request_of(struct store *s, const struct store_transaction_key *key,
				  struct store_request *out, struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return find_of(reader.db, key, out, err);
}

static enum result give(const struct query *q, store_request_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };

	TRY(read_request(q, &r, err));
	return fn(ctx, &r, err);
}

enum result store_each_request(struct store *s, const struct store_request_filter *filter,
			       store_request_fn *fn, void *ctx, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_REQUESTS, err));
	query_bind_int(&q, 1, filter->after_id);
	query_bind_int(&q, 2, store_limit(filter->limit));
	query_bind_int(&q, 3, filter->pending_only);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give(&q, fn, ctx, err));
	}
}

enum result store_count_requests(struct store *s, int64_t now, uint64_t *out, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_COUNT_REQUESTS, err));
	query_bind_int(&q, 1, now);
	TRY(query_step(&q, &row, err));
	*out = (uint64_t)query_int(&q, 0);
	return OK;
}

/* ---- the end ---- */

struct ending {
	int64_t id;
	enum store_request_state state;
	int64_t now;
	const char *reason;
};

static enum result why_not(struct db *db, int64_t id, struct err *err)
{
	static const char *const words[] = { "overdue", "approved", "rejected", "expired" };
	CLEANUP(store_request_clear) struct store_request r = { 0 };

	TRY(find(db, id, &r, err));
	return err_set(err, ERR_CONFLICT, "request %lld waits no more: it is %s", (long long)id,
		       (size_t)r.state < ARRAY_LEN(words) ? words[r.state] : "decided");
}

static enum result end(struct db *db, const struct ending *e, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_END_REQUEST, err));
	query_bind_int(&q, 1, e->id);
	query_bind_int(&q, 2, e->state);
	query_bind_int(&q, 3, e->now);
	query_bind_str(&q, 4, e->reason);
	TRY(query_run(&q, err));
	return sqlite3_changes(db->handle) == 1 ? OK : why_not(db, e->id, err);
}

/* Nobody's word ends it. */
static enum result over(struct db *db, const struct store_request *r,
			enum store_request_state state, int64_t now, const char *reason,
			struct err *err)
{
	const struct ending e = { r->id, state, now, reason };
	const struct store_event event = { .time = now,
					   .kind = state == STORE_REQUEST_EXPIRED
						       ? "enrol.expired"
						       : "enrol.rejected",
					   .endpoint = r->endpoint,
					   .transaction = buf_span(&r->transaction),
					   .ca = r->ca,
					   .reason = reason };

	TRY(end(db, &e, err));
	return event_insert(db, &event, err);
}

/* *more: there was one. */
static enum result expire_next(struct db *db, int64_t now, bool *more, struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_OVERDUE_REQUEST, err));
	query_bind_int(&q, 1, now);
	TRY(query_step(&q, more, err));
	if (!*more)
		return OK;
	TRY(read_request(&q, &r, err));
	return over(db, &r, STORE_REQUEST_EXPIRED, now, "no operator approved it in time", err);
}

static enum result expire(struct db *db, const void *arg, struct err *err)
{
	const int64_t *now = arg;
	bool more = true;
	unsigned n;

	for (n = 0; more && n < EXPIRE_AT_ONCE; n++)
		TRY(expire_next(db, *now, &more, err));
	return OK;
}

enum result store_expire_requests(struct store *s, int64_t now, struct err *err)
{
	return writer_run(s->writer, expire, &now, err);
}

/* ---- the beginning ---- */

static enum result check_new(struct db *db, const struct store_queueing *n, struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };
	enum result found = find_of(db, &n->transaction, &r, err);

	if (found == ERR_NOT_FOUND)
		return issuance_check_first(db, &n->transaction, err);
	TRY(found);
	if (r.state == STORE_REQUEST_PENDING)
		return err_set(err, ERR_CONFLICT, "this transaction waits already, as request %lld",
			       (long long)r.id);
	return issuance_check_first(db, &n->transaction, err);
}

static enum result insert(struct db *db, const struct store_queueing *n, struct err *err)
{
	const struct store_transaction_key *t = &n->transaction;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_ADD_REQUEST, err));
	query_bind_str(&q, 1, t->endpoint);
	query_bind_int(&q, 2, row_transaction_tag(t->id));
	query_bind_int(&q, 3, row_hash_tag(t->key_hash));
	query_bind_blob(&q, 4, t->id);
	query_bind_blob(&q, 5, SPAN_ARRAY(t->key_hash));
	query_bind_str(&q, 6, n->ca);
	query_bind_str(&q, 7, n->profile);
	query_bind_text(&q, 8, n->subject_text);
	query_bind_blob(&q, 9, n->subject);
	query_bind_blob(&q, 10, n->spki);
	query_bind_blob(&q, 11, n->exts);
	query_bind_str(&q, 12, n->peer);
	query_bind_int(&q, 13, n->now);
	query_bind_int(&q, 14, n->expires);
	query_bind_int(&q, 15, n->needed);
	query_bind_int(&q, 16, t->generation);
	return query_run(&q, err);
}

static enum result add(struct db *db, const void *arg, struct err *err)
{
	const struct store_queueing *n = arg;
	struct challenge_use use = { n->challenge_hash, n->challenge_binding, n->now };

	TRY(expire(db, &n->now, err));
	TRY(check_new(db, n, err));
	TRY(key_block_check(db, n->key, "this key", err));
	if (n->challenge_hash)
		TRY(challenge_consume(db, &use, err));
	if (n->device)
		TRY(device_consume(db, n->device, n->challenge_binding, n->now, err));
	TRY(insert(db, n, err));
	return event_insert(db, &n->event, err);
}

enum result store_add_request(struct store *s, const struct store_queueing *n, struct err *err)
{
	TRY(row_check_name(n->ca, "the CA's name", err));
	TRY(row_check_name(n->profile, "the profile's name", err));
	TRY(row_check_name(n->transaction.endpoint, "the endpoint's name", err));
	if (n->transaction.id.len == 0 || n->transaction.id.len > STORE_TRANSACTION_MAX)
		return err_set(err, ERR_LIMIT, "store: the transactionID has %zu octets, not 1..%d",
			       n->transaction.id.len, STORE_TRANSACTION_MAX);
	if (!n->key)
		return err_set(err, ERR_INTERNAL, "store: a request without its key's hash");
	return writer_run(s->writer, add, n, err);
}

/* ---- the operator's word ---- */

static enum result add_approval(struct db *db, const struct store_verdict *v, struct err *err)
{
	QUERY q = QUERY_NONE;
	enum result r;

	TRY(query_init(&q, db, SQL_ADD_APPROVAL, err));
	query_bind_int(&q, 1, v->id);
	query_bind_str(&q, 2, v->actor);
	query_bind_int(&q, 3, v->now);
	r = query_run(&q, err);
	if (r == ERR_CONFLICT)
		return err_set(err, r, "%s has approved request %lld already: it takes another",
			       v->actor, (long long)v->id);
	TRY(r);
	return sqlite3_changes(db->handle) == 1 ? OK : why_not(db, v->id, err);
}

static enum result check_approvals(struct db *db, const struct store_verdict *v, struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };

	TRY(find(db, v->id, &r, err));
	if ((r.approvals >= r.needed) == (v->issuance != NULL))
		return OK;
	return err_set(err, ERR_BUSY, "request %lld was approved by another meanwhile: try again",
		       (long long)v->id);
}

static enum result approve(struct db *db, const void *arg, struct err *err)
{
	const struct store_verdict *v = arg;
	const struct ending e = { v->id, STORE_REQUEST_ISSUED, v->now, v->reason };

	TRY(add_approval(db, v, err));
	TRY(check_approvals(db, v, err));
	TRY(event_insert(db, &v->event, err));
	if (!v->issuance)
		return OK;
	TRY(end(db, &e, err));
	return issuance_insert(db, v->issuance, err);
}

enum result store_approve_request(struct store *s, const struct store_verdict *v, struct err *err)
{
	TRY(row_check_name(v->actor, "the operator's name", err));
	if (v->issuance)
		TRY(issuance_check(v->issuance, err));
	return writer_run(s->writer, approve, v, err);
}

/* The one that a statement has found; *more: there was one. */
static enum result reject_found(struct query *q, int64_t now, const char *reason, bool *more,
				struct err *err)
{
	CLEANUP(store_request_clear) struct store_request r = { 0 };

	TRY(query_step(q, more, err));
	if (!*more)
		return OK;
	TRY(read_request(q, &r, err));
	return over(q->db, &r, STORE_REQUEST_REJECTED, now, reason, err);
}

static enum result reject_next(struct db *db, const char *ca, unsigned generation, int64_t now,
			       bool *more, struct err *err)
{
	static const char reason[] =
	    "the CA's next generation, which was asked, has been cancelled";
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_REQUEST_OF_GENERATION, err));
	query_bind_str(&q, 1, ca);
	query_bind_int(&q, 2, generation);
	return reject_found(&q, now, reason, more, err);
}

static enum result reject_next_of_key(struct db *db, const uint8_t hash[STORE_HASH], int64_t now,
				      bool *more, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_REQUEST_OF_KEY, err));
	query_bind_blob(&q, 1, span_of(hash, STORE_HASH));
	query_bind_int(&q, 2, now);
	return reject_found(&q, now, "its key was reported as compromised: make a new one", more,
			    err);
}

enum result request_reject_of_key(struct db *db, const uint8_t hash[STORE_HASH], int64_t now,
				  struct err *err)
{
	bool more = true;

	while (more)
		TRY(reject_next_of_key(db, hash, now, &more, err));
	return OK;
}

enum result request_reject_of(struct db *db, const char *ca, unsigned generation, int64_t now,
			      struct err *err)
{
	bool more = true;

	TRY(expire(db, &now, err));
	while (more)
		TRY(reject_next(db, ca, generation, now, &more, err));
	return OK;
}

static enum result reject(struct db *db, const void *arg, struct err *err)
{
	const struct store_verdict *v = arg;
	const struct ending e = { v->id, STORE_REQUEST_REJECTED, v->now, v->reason };

	TRY(end(db, &e, err));
	return event_insert(db, &v->event, err);
}

enum result store_reject_request(struct store *s, const struct store_verdict *v, struct err *err)
{
	TRY(row_check_name(v->actor, "the operator's name", err));
	return writer_run(s->writer, reject, v, err);
}
