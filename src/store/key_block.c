/* SPDX-License-Identifier: Apache-2.0 */
#include "store/key_block.h"

#include "base/hex.h"
#include "pki/cert.h"
#include "pki/pubkey.h"
#include "store/chain.h"
#include "store/event.h"
#include "store/request.h"
#include "store/row.h"
#include "store/state.h"

/* RFC 5280 5.3.1: the two reasons that are about a key. */
#define CA_COMPROMISE 2

void store_blocked_key_clear(struct store_blocked_key *k)
{
	buf_clear(&k->actor);
	buf_clear(&k->reason);
	buf_clear(&k->serial);
	*k = (struct store_blocked_key){ 0 };
}

/* ---- asking ---- */

static enum result blocked(const struct query *q, const uint8_t hash[STORE_HASH], const char *whose,
			   struct err *err)
{
	char since[CLOCK_TEXT_MAX];
	BUF hex = BUF_INIT;

	clock_format(query_int(q, 1), since);
	hex_put(&hex, span_of(hash, STORE_HASH));
	if (!buf_cstr(&hex))
		return err_nomem(err);
	return err_set(err, ERR_KEY_BLOCKED,
		       "%s was reported as compromised at %s: make a new one (SHA-256 of the "
		       "SubjectPublicKeyInfo: %s)",
		       whose, since, buf_cstr(&hex));
}

enum result key_block_check(struct db *db, const uint8_t hash[STORE_HASH], const char *whose,
			    struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_FIND_BLOCKED_KEY, err));
	query_bind_blob(&q, 1, span_of(hash, STORE_HASH));
	TRY(query_step(&q, &row, err));
	return row ? blocked(&q, hash, whose, err) : OK;
}

enum result store_check_key(struct store *s, const uint8_t hash[STORE_HASH], const char *whose,
			    struct err *err)
{
	READER reader = READER_NONE;

	TRY(reader_init(&reader, s->pool, err));
	return key_block_check(reader.db, hash, whose, err);
}

/* *known: what is no certificate has no key that anybody could have. */
static enum result hash_of(struct crypto *c, struct span der, uint8_t hash[STORE_HASH], bool *known,
			   struct err *err)
{
	struct cert cert;

	*known = cert_parse(der, &cert, NULL) == OK;
	return *known ? pubkey_hash(c, cert.spki, hash, err) : OK;
}

enum result key_block_check_cert(struct db *db, struct span cert, struct err *err)
{
	uint8_t hash[STORE_HASH];
	bool known = false;

	if (cert.len)
		TRY(hash_of(chain_crypto(db->chain), cert, hash, &known, err));
	return known ? key_block_check(db, hash, "its key", err) : OK;
}

static enum result read_key(const struct query *q, struct store_blocked_key *out, struct err *err)
{
	CLEANUP(store_blocked_key_clear)
	struct store_blocked_key k = { .time = query_int(q, 1) };

	TRY(row_hash(q, 0, k.hash, err));
	TRY(row_name(q, 4, k.ca, err));
	row_buf(q, 2, &k.actor);
	row_buf(q, 3, &k.reason);
	row_buf(q, 5, &k.serial);
	TRY(buf_check(&k.actor, err));
	TRY(buf_check(&k.reason, err));
	TRY(buf_check(&k.serial, err));
	*out = k;
	k = (struct store_blocked_key){ 0 };
	return OK;
}

static enum result not_blocked(struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "this key is not blocked");
}

enum result store_find_blocked_key(struct store *s, const uint8_t hash[STORE_HASH],
				   struct store_blocked_key *out, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_FIND_BLOCKED_KEY, err));
	query_bind_blob(&q, 1, span_of(hash, STORE_HASH));
	TRY(query_step(&q, &row, err));
	return row ? read_key(&q, out, err) : not_blocked(err);
}

static enum result give(const struct query *q, store_blocked_key_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_blocked_key_clear) struct store_blocked_key k = { .time = 0 };

	TRY(read_key(q, &k, err));
	return fn(ctx, &k, err);
}

enum result store_each_blocked_key(struct store *s, const uint8_t *after, unsigned limit,
				   store_blocked_key_fn *fn, void *ctx, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_BLOCKED_KEYS, err));
	query_bind_blob(&q, 1, span_of(after, after ? STORE_HASH : 0));
	query_bind_int(&q, 2, store_limit(limit));
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give(&q, fn, ctx, err));
	}
}

/* ---- blocking ---- */

/* A key's row, but for its hash. */
struct source {
	const struct store_event *event; /* time and actor */
	const char *reason;
	const char *ca; /* NULL: of no certificate */
	struct span serial;
};

/* *added: it is new. */
static enum result insert(struct db *db, const uint8_t hash[STORE_HASH], const struct source *from,
			  bool *added, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_BLOCK_KEY, err));
	query_bind_blob(&q, 1, span_of(hash, STORE_HASH));
	query_bind_int(&q, 2, from->event->time);
	query_bind_str(&q, 3, from->event->actor ? from->event->actor : "");
	query_bind_str(&q, 4, from->reason);
	query_bind_str(&q, 5, from->ca);
	query_bind_blob(&q, 6, from->serial);
	TRY(query_run(&q, err));
	*added = sqlite3_changes(db->handle) == 1;
	if (!*added)
		return OK;
	return request_reject_of_key(db, hash, from->event->time, err);
}

struct blocking {
	const struct store_key_block *block;
	uint64_t *added;
};

static enum result block(struct db *db, const void *arg, struct err *err)
{
	const struct blocking *b = arg;
	const struct source from = { &b->block->event, b->block->reason, NULL, SPAN_NONE };
	bool added;
	size_t i;

	*b->added = 0;
	for (i = 0; i < b->block->n; i++) {
		TRY(insert(db, b->block->hashes[i], &from, &added, err));
		*b->added += added;
	}
	return *b->added ? event_insert(db, &b->block->event, err) : OK;
}

enum result store_block_keys(struct store *s, const struct store_key_block *k, uint64_t *added,
			     struct err *err)
{
	uint64_t n = 0;
	const struct blocking b = { k, &n };

	if (k->n == 0 || k->n > STORE_BLOCKED_KEYS_MAX)
		return err_set(err, ERR_LIMIT, "%zu keys, not 1 to %d in one call", k->n,
			       STORE_BLOCKED_KEYS_MAX);
	TRY(writer_run(s->writer, block, &b, err));
	*added = n;
	return OK;
}

struct unblocking {
	const uint8_t *hash;
	const struct store_event *event;
};

static enum result unblock(struct db *db, const void *arg, struct err *err)
{
	const struct unblocking *u = arg;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_UNBLOCK_KEY, err));
	query_bind_blob(&q, 1, span_of(u->hash, STORE_HASH));
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return not_blocked(err);
	return event_insert(db, u->event, err);
}

enum result store_unblock_key(struct store *s, const uint8_t hash[STORE_HASH],
			      const struct store_event *event, struct err *err)
{
	const struct unblocking u = { hash, event };

	return writer_run(s->writer, unblock, &u, err);
}

/* ---- by a revocation ---- */

/* Copied, for the row's own octets end with the query. */
static enum result read_der(struct db *db, const struct store_revocation *r, struct buf *der,
			    struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_FIND_CERT, err));
	query_bind_str(&q, 1, r->ca);
	query_bind_blob(&q, 2, r->serial);
	TRY(query_step(&q, &row, err));
	if (row)
		row_buf(&q, 11, der);
	return buf_check(der, err);
}

static enum result tell(struct db *db, const struct store_revocation *r,
			const uint8_t hash[STORE_HASH], struct err *err)
{
	struct store_event event = r->event;
	BUF reason = BUF_INIT;

	buf_put_str(&reason, "key with SHA-256 ");
	hex_put(&reason, span_of(hash, STORE_HASH));
	buf_put_str(&reason, ": certificate revoked");
	event.kind = "key.blocked";
	event.ca = r->ca;
	event.serial = r->serial;
	event.reason = buf_cstr(&reason);
	return event.reason ? event_insert(db, &event, err) : err_nomem(err);
}

enum result key_block_revoked(struct db *db, const struct store_revocation *r, struct err *err)
{
	const struct source from = { &r->event,
				     r->reason == CA_COMPROMISE ? "cACompromise" : "keyCompromise",
				     r->ca, r->serial };
	uint8_t hash[STORE_HASH];
	bool known, added = false;
	BUF der = BUF_INIT;

	if (r->reason != STORE_REASON_KEY && r->reason != CA_COMPROMISE)
		return OK;
	TRY(read_der(db, r, &der, err));
	TRY(hash_of(chain_crypto(db->chain), buf_span(&der), hash, &known, err));
	if (known)
		TRY(insert(db, hash, &from, &added, err));
	return added ? tell(db, r, hash, err) : OK;
}

/* ---- by those from before there was a table ---- */

/* SQL's key_hash(certificate): NULL for what is none. */
static void sql_key_hash(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	struct crypto *c = sqlite3_user_data(ctx);
	const void *der = sqlite3_value_blob(args[0]);
	uint8_t hash[STORE_HASH];
	bool known = false;
	enum result r =
	    hash_of(c, span_of(der, (size_t)sqlite3_value_bytes(args[0])), hash, &known, NULL);

	(void)n;
	if (r != OK)
		sqlite3_result_error(ctx, "no hash", -1);
	else if (known)
		sqlite3_result_blob(ctx, hash, sizeof(hash), SQLITE_TRANSIENT);
}

/* One statement, in the order of hashes, so that a million of them are written one behind another
 * and not each to a page of its own. */
enum result key_block_adopt(struct db *db, struct err *err)
{
	static const char name[] = "key_hash";
	enum result r;
	int rc = sqlite3_create_function(db->handle, name, 1, SQLITE_UTF8, chain_crypto(db->chain),
					 sql_key_hash, NULL, NULL);

	if (rc != SQLITE_OK)
		return db_error(db, rc, "set-up", err);
	r = db_exec(db, sql_text(SQL_ADOPT_BLOCKED_KEYS), err);
	(void)sqlite3_create_function(db->handle, name, 1, SQLITE_UTF8, NULL, NULL, NULL, NULL);
	return r;
}
