/* SPDX-License-Identifier: Apache-2.0 */
#include "store/ca.h"

#include "store/event.h"
#include "store/key_block.h"
#include "store/row.h"
#include "store/state.h"

/* As the schema has them. */
static const char *const role_names[] = {
	[STORE_KEY_CA] = "ca",           [STORE_KEY_RA] = "ra",
	[STORE_KEY_RA_SIGN] = "ra-sign", [STORE_KEY_RA_ENCRYPT] = "ra-encrypt",
	[STORE_KEY_OCSP] = "ocsp",
};

static const char *const kind_names[] = {
	[STORE_CERT_CHAIN] = "chain",
	[STORE_CERT_OLD_WITH_NEW] = "old-with-new",
	[STORE_CERT_NEW_WITH_OLD] = "new-with-old",
};

void store_ca_clear(struct store_ca *ca)
{
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		buf_clear(&ca->keys[i].cert);
	for (i = 0; i < ca->n_generations; i++)
		buf_clear(&ca->generations[i].request);
	for (i = 0; i < ca->n_certs; i++)
		buf_clear(&ca->certs[i].cert);
	*ca = (struct store_ca){ 0 };
}

const struct store_generation *store_ca_generation(const struct store_ca *ca, unsigned number)
{
	size_t i;

	for (i = 0; i < ca->n_generations; i++)
		if (ca->generations[i].number == number)
			return &ca->generations[i];
	return NULL;
}

/* ---- what a CA has, into the file ---- */

struct new_ca {
	const struct store_ca *ca;
	const struct store_event *event;
};

static enum result insert_ca(struct db *db, const struct store_ca *ca, struct err *err)
{
	QUERY q = QUERY_NONE;
	enum result r;

	TRY(query_init(&q, db, SQL_ADD_CA, err));
	query_bind_str(&q, 1, ca->name);
	query_bind_int(&q, 2, ca->created);
	r = query_run(&q, err);
	if (r == ERR_CONFLICT)
		return err_set(err, r, "a CA named \"%s\" exists already", ca->name);
	return r;
}

/* sql: SQL_ADD_CA_KEY or SQL_PUT_CA_KEY */
static enum result put_key(struct db *db, enum sql sql, const char *ca,
			   const struct store_ca_key *key, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(err_prefix(err, key_block_check_cert(db, buf_span(&key->cert), err),
		       "certificate of key %s", key->key_id));
	TRY(query_init(&q, db, sql, err));
	query_bind_str(&q, 1, ca);
	query_bind_int(&q, 2, key->generation);
	query_bind_str(&q, 3, role_names[key->role]);
	query_bind_str(&q, 4, key->key_id);
	query_bind_blob(&q, 5, buf_span(&key->cert));
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no CA named \"%s\"", ca);
	return OK;
}

/* Numbers rise, whatever becomes of a generation. */
static enum result count_generation(struct db *db, const char *ca, unsigned number, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_NUMBER_GENERATION, err));
	query_bind_str(&q, 1, ca);
	query_bind_int(&q, 2, number);
	return query_run(&q, err);
}

/* The first may have no row. */
static enum result check_room(struct db *db, const char *ca, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_COUNT_GENERATIONS, err));
	query_bind_str(&q, 1, ca);
	TRY(query_step(&q, &row, err));
	if (query_int(&q, 0) < STORE_CA_GENERATIONS_MAX - 1)
		return OK;
	return err_set(err, ERR_LIMIT, "CA \"%s\" has had %d generations: make a new CA", ca,
		       STORE_CA_GENERATIONS_MAX);
}

static enum result insert_generation(struct db *db, const char *ca,
				     const struct store_generation *g, struct err *err)
{
	QUERY q = QUERY_NONE;
	enum result r;

	TRY(check_room(db, ca, err));
	TRY(query_init(&q, db, SQL_ADD_GENERATION, err));
	query_bind_str(&q, 1, ca);
	query_bind_int(&q, 2, g->number);
	query_bind_int(&q, 3, g->begins);
	query_bind_blob(&q, 4, buf_span(&g->request));
	r = query_run(&q, err);
	if (r == ERR_CONFLICT)
		return err_set(err, r, "CA \"%s\" has a generation %u already", ca, g->number);
	if (r == OK && sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no CA named \"%s\"", ca);
	TRY(r);
	return count_generation(db, ca, g->number, err);
}

/* Its place is behind those of its kind before it. */
static enum result insert_certs(struct db *db, const struct store_ca *ca, struct err *err)
{
	int64_t place = 0;
	size_t i;

	for (i = 0; i < ca->n_certs; i++) {
		QUERY q = QUERY_NONE;

		if (ca->certs[i].kind != STORE_CERT_CHAIN) /* those are others' */
			TRY(err_prefix(err,
				       key_block_check_cert(db, buf_span(&ca->certs[i].cert), err),
				       "cross certificate"));
		TRY(query_init(&q, db, SQL_ADD_CA_CERT, err));
		query_bind_str(&q, 1, ca->name);
		query_bind_int(&q, 2, ca->certs[i].generation);
		query_bind_str(&q, 3, kind_names[ca->certs[i].kind]);
		query_bind_int(&q, 4, place++);
		query_bind_blob(&q, 5, buf_span(&ca->certs[i].cert));
		TRY(query_run(&q, err));
	}
	return OK;
}

enum result ca_insert_parts(struct db *db, const struct store_ca *ca, enum sql put, struct err *err)
{
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		TRY(put_key(db, put, ca->name, &ca->keys[i], err));
	return insert_certs(db, ca, err);
}

static enum result add_generation(struct db *db, const void *arg, struct err *err)
{
	const struct new_ca *new = arg;
	size_t i;

	for (i = 0; i < new->ca->n_generations; i++)
		TRY(insert_generation(db, new->ca->name, &new->ca->generations[i], err));
	TRY(ca_insert_parts(db, new->ca, SQL_ADD_CA_KEY, err));
	return event_insert(db, new->event, err);
}

static enum result add_ca(struct db *db, const void *arg, struct err *err)
{
	const struct new_ca *new = arg;

	TRY(insert_ca(db, new->ca, err));
	return add_generation(db, arg, err);
}

enum result store_add_ca(struct store *s, const struct store_ca *ca,
			 const struct store_event *event, struct err *err)
{
	struct new_ca new = { ca, event };

	TRY(row_check_name(ca->name, "the CA's name", err));
	return writer_run(s->writer, add_ca, &new, err);
}

enum result store_add_generation(struct store *s, const struct store_ca *more,
				 const struct store_event *event, struct err *err)
{
	struct new_ca new = { more, event };

	return writer_run(s->writer, add_generation, &new, err);
}

static enum result complete_generation(struct db *db, const void *arg, struct err *err)
{
	const struct new_ca *new = arg;
	const struct store_generation *g = &new->ca->generations[0];
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_COMPLETE_GENERATION, err));
	query_bind_str(&q, 1, new->ca->name);
	query_bind_int(&q, 2, g->number);
	query_bind_int(&q, 3, g->begins);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_CONFLICT,
			       "generation %u of CA \"%s\" awaits no certificate", g->number,
			       new->ca->name);
	TRY(ca_insert_parts(db, new->ca, SQL_PUT_CA_KEY, err));
	return event_insert(db, new->event, err);
}

enum result store_complete_generation(struct store *s, const struct store_ca *more,
				      const struct store_event *event, struct err *err)
{
	struct new_ca new = { more, event };

	return writer_run(s->writer, complete_generation, &new, err);
}

struct beginning {
	const char *ca;
	unsigned generation;
	int64_t now;
	const struct store_event *event;
};

static enum result begin_generation(struct db *db, const void *arg, struct err *err)
{
	const struct beginning *b = arg;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_BEGIN_GENERATION, err));
	query_bind_str(&q, 1, b->ca);
	query_bind_int(&q, 2, b->generation);
	query_bind_int(&q, 3, b->now);
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_CONFLICT,
			       "CA \"%s\": that generation %u has taken over is on record", b->ca,
			       b->generation);
	return event_insert(db, b->event, err);
}

enum result store_begin_generation(struct store *s, const char *ca, unsigned generation,
				   int64_t now, const struct store_event *event, struct err *err)
{
	const struct beginning b = { ca, generation, now, event };

	return writer_run(s->writer, begin_generation, &b, err);
}

struct new_key {
	const char *ca;
	const struct store_ca_key *key;
	const struct store_event *event;
};

static enum result put_one_key(struct db *db, const void *arg, struct err *err)
{
	const struct new_key *new = arg;

	TRY(put_key(db, SQL_PUT_CA_KEY, new->ca, new->key, err));
	return event_insert(db, new->event, err);
}

enum result store_put_ca_key(struct store *s, const char *ca, const struct store_ca_key *key,
			     const struct store_event *event, struct err *err)
{
	const struct new_key new = { ca, key, event };

	return writer_run(s->writer, put_one_key, &new, err);
}

/* ---- and out of it ---- */

/* Which of the names stands in the first column? */
static enum result read_word(const struct query *q, const char *const *names, size_t n, size_t *out,
			     struct err *err)
{
	const char *name = query_str(q, 0);

	for (*out = 0; name && *out < n; ++*out)
		if (strcmp(name, names[*out]) == 0)
			return OK;
	return err_set(err, ERR_IO, "%s: \"%s\" is no word of the schema: damaged", q->db->path,
		       name ? name : "");
}

static enum result too_many(const struct store_ca *ca, const char *what, int most, struct err *err)
{
	return err_set(err, ERR_LIMIT, "CA \"%s\" has more than %d %s", ca->name, most, what);
}

static enum result read_key(const struct query *q, struct store_ca *ca, struct err *err)
{
	struct store_ca_key *key = &ca->keys[ca->n_keys];
	size_t role = 0;

	if (ca->n_keys == STORE_CA_KEYS_MAX)
		return too_many(ca, "keys", STORE_CA_KEYS_MAX, err);
	TRY(read_word(q, role_names, ARRAY_LEN(role_names), &role, err));
	key->role = (enum store_key_role)role;
	key->generation = (unsigned)query_int(q, 1);
	TRY(row_name(q, 2, key->key_id, err));
	ca->n_keys++;
	row_buf(q, 3, &key->cert);
	return buf_check(&key->cert, err);
}

static enum result read_generation(const struct query *q, struct store_ca *ca, struct err *err)
{
	struct store_generation *g = &ca->generations[ca->n_generations];

	if (ca->n_generations == STORE_CA_GENERATIONS_MAX)
		return too_many(ca, "generations", STORE_CA_GENERATIONS_MAX, err);
	g->number = (unsigned)query_int(q, 0);
	g->begins = query_int(q, 1);
	g->began = query_int(q, 2);
	ca->n_generations++;
	row_buf(q, 3, &g->request);
	return buf_check(&g->request, err);
}

static enum result read_cert(const struct query *q, struct store_ca *ca, struct err *err)
{
	struct store_ca_cert *cert = &ca->certs[ca->n_certs];
	size_t kind = 0;

	if (ca->n_certs == STORE_CA_CERTS_MAX)
		return too_many(ca, "certificates", STORE_CA_CERTS_MAX, err);
	TRY(read_word(q, kind_names, ARRAY_LEN(kind_names), &kind, err));
	cert->kind = (enum store_ca_cert_kind)kind;
	cert->generation = (unsigned)query_int(q, 1);
	ca->n_certs++;
	row_buf(q, 2, &cert->cert);
	return buf_check(&cert->cert, err);
}

typedef enum result read_fn(const struct query *q, struct store_ca *ca, struct err *err);

static enum result read_all(struct db *db, enum sql sql, int64_t id, read_fn *read,
			    struct store_ca *ca, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, sql, err));
	query_bind_int(&q, 1, id);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(read(&q, ca, err));
	}
}

static enum result give_ca(const struct query *q, store_ca_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_ca_clear)
	struct store_ca ca = { .created = query_int(q, 2),
			       .last_generation = (unsigned)query_int(q, 3) };

	TRY(row_name(q, 1, ca.name, err));
	TRY(read_all(q->db, SQL_CA_KEYS, query_int(q, 0), read_key, &ca, err));
	TRY(read_all(q->db, SQL_CA_GENERATIONS, query_int(q, 0), read_generation, &ca, err));
	TRY(read_all(q->db, SQL_CA_CERTS, query_int(q, 0), read_cert, &ca, err));
	return fn(ctx, &ca, err);
}

enum result store_each_ca(struct store *s, store_ca_fn *fn, void *ctx, struct err *err)
{
	READER reader = READER_NONE;
	QUERY q = QUERY_NONE;
	bool row;

	TRY(reader_init(&reader, s->pool, err));
	TRY(query_init(&q, reader.db, SQL_CAS, err));
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(give_ca(&q, fn, ctx, err));
	}
}
