/* SPDX-License-Identifier: Apache-2.0 */
#include "store/chain.h"

#include <stdlib.h>

#include "store/event.h"
#include "store/row.h"

#define FIELDS 8
#define FIELD_HEAD 5 /* there or not, and the length in four octets */

static const char domain[] = "scepter-audit-event-1"; /* its NUL is part of it */

struct chain {
	struct crypto *crypto;
	bool known; /* id and hash are those of the last event */
	int64_t id; /* 0: none yet */
	uint8_t hash[STORE_HASH];
};

enum result chain_new(struct chain **out, struct err *err)
{
	CLEANUP(chain_freep) struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return err_nomem(err);
	TRY(crypto_new(&c->crypto, false, err));
	*out = take(c);
	return OK;
}

void chain_free(struct chain *c)
{
	if (!c)
		return;
	crypto_free(c->crypto);
	free(c);
}

struct crypto *chain_crypto(const struct chain *c)
{
	return c->crypto;
}

void chain_forget(struct chain *c)
{
	if (c)
		c->known = false;
}

/* ---- the hash ---- */

static void put_number(uint8_t *p, size_t octets, uint64_t n)
{
	while (octets--) {
		p[octets] = (uint8_t)n;
		n >>= 8;
	}
}

/* Two parts: the head, and what is in the field. NULL: not there. */
static void put_field(struct span *parts, uint8_t head[FIELD_HEAD], struct span value)
{
	head[0] = value.p != NULL;
	put_number(head + 1, FIELD_HEAD - 1, value.len);
	parts[0] = span_of(head, value.p ? FIELD_HEAD : 1);
	parts[1] = value;
}

/* An empty blob is stored as none. */
static struct span blob(struct span s)
{
	return s.len ? s : SPAN_NONE;
}

enum result store_event_hash(struct crypto *c, const uint8_t prev[STORE_HASH],
			     const struct store_event *e, uint8_t out[STORE_HASH], struct err *err)
{
	const struct span fields[FIELDS] = { span_str(e->kind),    span_str(e->endpoint),
					     blob(e->transaction), span_str(e->ca),
					     blob(e->serial),      span_str(e->actor),
					     span_str(e->reason),  span_str(e->detail) };
	struct span parts[4 + 2 * FIELDS];
	uint8_t heads[FIELDS][FIELD_HEAD], id[8], at[8], digest[DIGEST_MAX];
	size_t i;

	put_number(id, sizeof(id), (uint64_t)e->id);
	put_number(at, sizeof(at), (uint64_t)e->time);
	parts[0] = SPAN_ARRAY(domain);
	parts[1] = span_of(prev, STORE_HASH);
	parts[2] = SPAN_ARRAY(id);
	parts[3] = SPAN_ARRAY(at);
	for (i = 0; i < FIELDS; i++)
		put_field(&parts[4 + 2 * i], heads[i], fields[i]);
	TRY(crypto_digest(c, DIGEST_SHA256, parts, ARRAY_LEN(parts), digest, err));
	memcpy(out, digest, STORE_HASH);
	return OK;
}

/* ---- its end ---- */

static enum result find_end(struct db *db, struct err *err)
{
	struct chain *c = db->chain;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_LAST_EVENT, err));
	TRY(query_step(&q, &row, err));
	c->id = row ? query_int(&q, 0) : 0;
	memset(c->hash, 0, sizeof(c->hash));
	if (row)
		TRY(row_hash(&q, 1, c->hash, err));
	c->known = true;
	return OK;
}

enum result chain_next(struct db *db, const struct store_event *event, int64_t *id,
		       uint8_t hash[STORE_HASH], struct err *err)
{
	struct chain *c = db->chain;
	struct store_event next = *event;

	if (!c->known)
		TRY(find_end(db, err));
	next.id = c->id + 1;
	TRY(store_event_hash(c->crypto, c->hash, &next, hash, err));
	*id = next.id;
	return OK;
}

void chain_append(struct chain *c, int64_t id, const uint8_t hash[STORE_HASH])
{
	c->id = id;
	memcpy(c->hash, hash, STORE_HASH);
}

/* ---- events from before there was a chain ---- */

static enum result adopt_one(struct db *db, const struct store_event *event, struct err *err)
{
	struct chain *c = db->chain;
	QUERY q = QUERY_NONE;

	TRY(store_event_hash(c->crypto, c->hash, event, c->hash, err));
	TRY(query_init(&q, db, SQL_SET_EVENT_HASH, err));
	query_bind_int(&q, 1, event->id);
	query_bind_blob(&q, 2, SPAN_ARRAY(c->hash));
	return query_run(&q, err);
}

enum result chain_adopt(struct db *db, struct err *err)
{
	struct store_event event;
	QUERY q = QUERY_NONE;
	bool row;

	memset(db->chain->hash, 0, STORE_HASH);
	chain_forget(db->chain);
	TRY(query_init(&q, db, SQL_EVENTS, err));
	query_bind_int(&q, 1, 0);
	query_bind_int(&q, 2, -1); /* no limit */
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		event_read(&q, &event);
		TRY(adopt_one(db, &event, err));
	}
}
