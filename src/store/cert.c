/* SPDX-License-Identifier: Apache-2.0 */
#include "store/row.h"
#include "store/state.h"

void store_cert_clear(struct store_cert *c)
{
	buf_clear(&c->der);
	buf_clear(&c->serial);
	buf_clear(&c->transaction);
	buf_clear(&c->subject);
	*c = (struct store_cert){ 0 };
}

static enum result read_bytes(const struct query *q, struct store_cert *c, struct err *err)
{
	row_buf(q, 3, &c->serial);
	row_buf(q, 6, &c->transaction);
	row_buf(q, 7, &c->subject);
	row_buf(q, 11, &c->der);
	TRY(buf_check(&c->serial, err));
	TRY(buf_check(&c->transaction, err));
	TRY(buf_check(&c->subject, err));
	return buf_check(&c->der, err);
}

static enum result read_cert(const struct query *q, struct store_cert *out, struct err *err)
{
	CLEANUP(store_cert_clear)
	struct store_cert c = {
		.id = query_int(q, 0),
		.generation = (unsigned)query_int(q, 2),
		.not_before = query_int(q, 8),
		.not_after = query_int(q, 9),
		.issued = query_int(q, 10),
	};

	TRY(row_name(q, 1, c.ca, err));
	TRY(row_name(q, 4, c.profile, err));
	TRY(row_name(q, 5, c.endpoint, err));
	TRY(read_bytes(q, &c, err));
	*out = c;
	c = (struct store_cert){ 0 };
	return OK;
}

static void bind_transaction(struct query *q, const struct store_transaction_key *key)
{
	query_bind_int(q, 1, row_transaction_tag(key->id));
	query_bind_int(q, 2, row_hash_tag(key->key_hash));
	query_bind_blob(q, 3, key->id);
	query_bind_str(q, 4, key->endpoint);
	query_bind_blob(q, 5, SPAN_ARRAY(key->key_hash));
	query_bind_int(q, 6, key->generation);
}

static enum result read_only_row(struct query *q, struct store_cert *out, struct err *err)
{
	bool row;

	TRY(query_step(q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no certificate for this transaction yet");
	return read_cert(q, out, err);
}

enum result store_find_issued(struct store *s, const struct store_transaction_key *key,
			      struct store_cert *out, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_FIND_ISSUED, err));
	bind_transaction(&q, key);
	return read_only_row(&q, out, err);
}

enum result store_find_latest(struct store *s, const struct store_transaction_key *key,
			      struct store_cert *out, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	BUF successors = BUF_INIT;

	buf_put(&successors, key->id);
	buf_put_byte(&successors, STORE_SUCCEEDS);
	TRY(buf_check(&successors, err));
	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_FIND_LATEST, err));
	bind_transaction(&q, key);
	query_bind_blob(&q, 7, buf_span(&successors));
	return read_only_row(&q, out, err);
}

enum result store_find_cert(struct store *s, const char *ca, struct span serial,
			    struct store_cert *out, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_FIND_CERT, err));
	query_bind_str(&q, 1, ca);
	query_bind_blob(&q, 2, serial);
	TRY(query_step(&q, &row, err));
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "CA \"%s\" has issued no such certificate", ca);
	return read_cert(&q, out, err);
}

/* LIKE's pattern for a substring: its wildcards escaped. */
static enum result like_pattern(const char *substring, struct buf *out, struct err *err)
{
	const char *p;

	buf_put_byte(out, '%');
	for (p = substring; *p; p++) {
		if (strchr("%_\\", *p))
			buf_put_byte(out, '\\');
		buf_put_byte(out, (uint8_t)*p);
	}
	buf_put_byte(out, '%');
	return buf_check(out, err);
}

static enum sql listing(const struct store_cert_filter *f)
{
	if (f->serial.len)
		return SQL_CERTS_BY_SERIAL;
	return f->transaction.len ? SQL_CERTS_BY_TRANSACTION : SQL_CERTS;
}

static void bind_filter(struct query *q, const struct store_cert_filter *f, struct span pattern)
{
	enum sql id = listing(f);

	query_bind_int(q, 1, f->before_id ? f->before_id : INT64_MAX);
	query_bind_int(q, 2, store_limit(f->limit));
	query_bind_str(q, 3, f->ca);
	if (pattern.len)
		query_bind_text(q, 4, pattern);
	if (id == SQL_CERTS_BY_TRANSACTION)
		query_bind_int(q, 5, row_transaction_tag(f->transaction));
	query_bind_blob(q, 6, f->transaction);
	if (id == SQL_CERTS_BY_SERIAL)
		query_bind_blob(q, 7, f->serial);
}

static enum result give(const struct query *q, store_cert_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_cert_clear) struct store_cert c = { 0 };

	TRY(read_cert(q, &c, err));
	return fn(ctx, &c, err);
}

enum result store_each_cert(struct store *s, const struct store_cert_filter *filter,
			    store_cert_fn *fn, void *ctx, struct err *err)
{
	BUF pattern = BUF_INIT;
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	if (filter->subject)
		TRY(like_pattern(filter->subject, &pattern, err));
	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, listing(filter), err));
	bind_filter(&q, filter, buf_span(&pattern));
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give(&q, fn, ctx, err));
	}
}
