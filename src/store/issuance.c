/* SPDX-License-Identifier: Apache-2.0 */
#include "store/issuance.h"

#include <stdlib.h>

#include "base/hex.h"
#include "store/challenge.h"
#include "store/device.h"
#include "store/event.h"
#include "store/key_block.h"
#include "store/quota.h"
#include "store/row.h"
#include "store/state.h"

enum result issuance_check(const struct store_issuance *i, struct err *err)
{
	TRY(row_check_name(i->ca, "the CA's name", err));
	TRY(row_check_name(i->profile, "the profile's name", err));
	TRY(row_check_name(i->transaction.endpoint, "the endpoint's name", err));
	if (i->transaction.id.len == 0 || i->transaction.id.len > STORE_TRANSACTION_MAX)
		return err_set(err, ERR_LIMIT, "store: the transactionID has %zu octets, not 1..%d",
			       i->transaction.id.len, STORE_TRANSACTION_MAX);
	if (i->serial.len == 0 || i->cert.len == 0)
		return err_set(err, ERR_LIMIT, "store: a certificate without bytes or serial");
	if (!i->key)
		return err_set(err, ERR_INTERNAL, "store: a certificate without its key's hash");
	return OK;
}

/* The writer is alone: nobody else can issue between this look and the insertion. */
enum result issuance_check_first(struct db *db, const struct store_transaction_key *t,
				 struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_HAS_CERT, err));
	query_bind_int(&q, 1, row_transaction_tag(t->id));
	query_bind_int(&q, 2, row_hash_tag(t->key_hash));
	query_bind_blob(&q, 3, t->id);
	query_bind_str(&q, 4, t->endpoint);
	query_bind_blob(&q, 5, SPAN_ARRAY(t->key_hash));
	query_bind_int(&q, 6, t->generation);
	TRY(query_step(&q, &row, err));
	if (row)
		return err_set(err, ERR_CONFLICT, "this transaction has certificate %lld already",
			       (long long)query_int(&q, 0));
	return OK;
}

static void bind_cert(struct query *q, int64_t id, const struct store_issuance *i)
{
	query_bind_int(q, 1, id);
	query_bind_str(q, 2, i->ca);
	query_bind_int(q, 3, i->generation);
	query_bind_blob(q, 4, i->serial);
	query_bind_str(q, 5, i->profile);
	query_bind_str(q, 6, i->transaction.endpoint);
	query_bind_int(q, 7, row_transaction_tag(i->transaction.id));
	query_bind_int(q, 8, row_hash_tag(i->transaction.key_hash));
	query_bind_blob(q, 9, i->transaction.id);
	query_bind_blob(q, 10, SPAN_ARRAY(i->transaction.key_hash));
	query_bind_text(q, 11, i->subject_text);
	query_bind_int(q, 12, i->not_before);
	query_bind_int(q, 13, i->not_after);
	query_bind_int(q, 14, i->now);
	query_bind_blob(q, 15, i->cert);
}

/* What the schema forbids is the caller's defect here: the transaction itself was checked. */
static enum result explain(struct db *db, const struct store_issuance *i, enum result r,
			   struct err *err)
{
	BUF serial = BUF_INIT;
	int rc = sqlite3_extended_errcode(db->handle);
	const char *hex;

	if (rc == SQLITE_CONSTRAINT_NOTNULL)
		return err_set(err, ERR_INTERNAL, "store: there is no CA named \"%s\"", i->ca);
	if (rc != SQLITE_CONSTRAINT_UNIQUE)
		return r;
	hex_put(&serial, i->serial);
	hex = buf_cstr(&serial);
	return err_set(err, ERR_INTERNAL, "CA \"%s\" has issued the serial number %s before", i->ca,
		       hex ? hex : "");
}

static enum result insert_cert(struct db *db, int64_t id, const struct store_issuance *i,
			       struct err *err)
{
	QUERY q = QUERY_NONE;
	enum result r;

	TRY(query_init(&q, db, SQL_ADD_CERT, err));
	bind_cert(&q, id, i);
	r = query_run(&q, err);
	return r == OK ? OK : explain(db, i, r, err);
}

/* What devices hold of it keeps a generation from being cancelled. */
static enum result note_ahead(struct db *db, const struct store_issuance *i, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_ASK_GENERATION, err));
	query_bind_str(&q, 1, i->ca);
	query_bind_int(&q, 2, i->generation);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_BUSY, "generation %u of CA \"%s\" was cancelled meanwhile",
			       i->generation, i->ca);
	return OK;
}

/* As the certificate has it, whatever the caller filled in. */
static struct store_event event_of(const struct store_issuance *i)
{
	struct store_event event = i->event;

	event.endpoint = i->transaction.endpoint;
	event.transaction = i->transaction.id;
	event.ca = i->ca;
	event.serial = i->serial;
	return event;
}

/* In the commit: a key that is blocked by then gets nothing. */
static enum result check_keys(struct db *db, const struct store_issuance *i, struct err *err)
{
	TRY(key_block_check(db, i->key, "this key", err));
	if (!i->current_key || memcmp(i->current_key, i->key, STORE_HASH) == 0)
		return OK;
	return key_block_check(db, i->current_key, "the key of the certificate that is renewed",
			       err);
}

enum result issuance_insert(struct db *db, const struct store_issuance *i, struct err *err)
{
	struct challenge_use use = { i->challenge_hash, i->challenge_binding, i->now };
	struct store_event event = event_of(i);
	int64_t id;
	size_t n;

	TRY(issuance_check_first(db, &i->transaction, err));
	TRY(check_keys(db, i, err));
	if (i->ahead)
		TRY(note_ahead(db, i, err));
	for (n = 0; n < i->n_quotas; n++)
		TRY(quota_check(db, &i->quotas[n], err));
	if (i->challenge_hash)
		TRY(challenge_consume(db, &use, err));
	if (i->device)
		TRY(device_consume(db, i->device, i->challenge_binding, i->now, err));
	TRY(event_insert_issuance(db, &event, &id, err));
	TRY(insert_cert(db, id, i, err));
	for (n = 0; n < i->n_quotas; n++)
		TRY(quota_count(db, &i->quotas[n], id, i->now, err));
	return OK;
}

static enum result issue(struct db *db, const void *arg, struct err *err)
{
	return issuance_insert(db, arg, err);
}

enum result store_commit_issuance(struct store *s, const struct store_issuance *issuance,
				  struct err *err)
{
	TRY(issuance_check(issuance, err));
	return writer_run(s->writer, issue, issuance, err);
}

struct store_pending {
	struct job job;
};

enum result store_begin_issuance(struct store *s, const struct store_issuance *issuance,
				 struct store_pending **out, struct err *err)
{
	struct store_pending *p;

	TRY(issuance_check(issuance, err));
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_nomem(err);
	p->job.fn = issue;
	p->job.arg = issuance;
	writer_begin(s->writer, &p->job);
	*out = p;
	return OK;
}

enum result store_end_issuance(struct store_pending *p, struct err *err)
{
	enum result r = writer_end(&p->job, err);

	free(p);
	return r;
}

void store_pending_free(struct store_pending *p)
{
	struct err err;

	if (p && store_end_issuance(p, &err) != OK)
		err_clear(&err); /* nobody asked */
}

static enum result refuse(struct db *db, const void *arg, struct err *err)
{
	const struct store_refusal *r = arg;
	struct challenge_use use = { r->challenge_hash, r->challenge_binding, r->event.time };

	if (r->challenge_hash)
		TRY(challenge_bind(db, &use, err));
	return event_insert(db, &r->event, err);
}

enum result store_commit_refusal(struct store *s, const struct store_refusal *refusal,
				 struct err *err)
{
	return writer_run(s->writer, refuse, refusal, err);
}
