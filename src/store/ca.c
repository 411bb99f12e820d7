/* SPDX-License-Identifier: Apache-2.0 */
#include "store/event.h"
#include "store/row.h"
#include "store/state.h"

/* As the schema has them. */
static const char *const role_names[] = {
	[STORE_KEY_CA] = "ca",           [STORE_KEY_RA] = "ra",
	[STORE_KEY_RA_SIGN] = "ra-sign", [STORE_KEY_RA_ENCRYPT] = "ra-encrypt",
	[STORE_KEY_OCSP] = "ocsp",
};

void store_ca_clear(struct store_ca *ca)
{
	size_t i;

	for (i = 0; i < ca->n_keys; i++)
		buf_clear(&ca->keys[i].cert);
	*ca = (struct store_ca){ 0 };
}

struct new_ca {
	const struct store_ca *ca;
	const struct store_event *event;
};

static enum result insert_ca(struct db *db, const struct store_ca *ca, int64_t *id, struct err *err)
{
	QUERY q = QUERY_NONE;
	enum result r;

	TRY(query_init(&q, db, SQL_ADD_CA, err));
	query_bind_str(&q, 1, ca->name);
	query_bind_int(&q, 2, ca->created);
	r = query_run(&q, err);
	if (r == ERR_CONFLICT)
		return err_set(err, r, "a CA named \"%s\" exists already", ca->name);
	if (r == OK)
		*id = sqlite3_last_insert_rowid(db->handle);
	return r;
}

static enum result insert_key(struct db *db, int64_t ca, const struct store_ca_key *key,
			      struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_ADD_CA_KEY, err));
	query_bind_int(&q, 1, ca);
	query_bind_int(&q, 2, key->generation);
	query_bind_str(&q, 3, role_names[key->role]);
	query_bind_str(&q, 4, key->key_id);
	query_bind_blob(&q, 5, buf_span(&key->cert));
	return query_run(&q, err);
}

static enum result add_ca(struct db *db, const void *arg, struct err *err)
{
	const struct new_ca *new = arg;
	int64_t id = 0;
	size_t i;

	TRY(insert_ca(db, new->ca, &id, err));
	for (i = 0; i < new->ca->n_keys; i++)
		TRY(insert_key(db, id, &new->ca->keys[i], err));
	return event_insert(db, new->event, err);
}

enum result store_add_ca(struct store *s, const struct store_ca *ca,
			 const struct store_event *event, struct err *err)
{
	struct new_ca new = { ca, event };

	TRY(row_check_name(ca->name, "the CA's name", err));
	return writer_run(s->writer, add_ca, &new, err);
}

struct new_key {
	const char *ca;
	const struct store_ca_key *key;
	const struct store_event *event;
};

static enum result put_key(struct db *db, const void *arg, struct err *err)
{
	const struct new_key *new = arg;
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, SQL_PUT_CA_KEY, err));
	query_bind_str(&q, 1, new->ca);
	query_bind_int(&q, 2, new->key->generation);
	query_bind_str(&q, 3, role_names[new->key->role]);
	query_bind_str(&q, 4, new->key->key_id);
	query_bind_blob(&q, 5, buf_span(&new->key->cert));
	TRY(query_run(&q, err));
	if (sqlite3_changes(db->handle) == 0)
		return err_set(err, ERR_NOT_FOUND, "there is no CA named \"%s\"", new->ca);
	return event_insert(db, new->event, err);
}

enum result store_put_ca_key(struct store *s, const char *ca, const struct store_ca_key *key,
			     const struct store_event *event, struct err *err)
{
	const struct new_key new = { ca, key, event };

	return writer_run(s->writer, put_key, &new, err);
}

static enum result read_role(const struct query *q, enum store_key_role *out, struct err *err)
{
	const char *name = query_str(q, 0);
	size_t i;

	for (i = 0; name && i < ARRAY_LEN(role_names); i++)
		if (strcmp(name, role_names[i]) == 0) {
			*out = (enum store_key_role)i;
			return OK;
		}
	return err_set(err, ERR_IO, "%s: \"%s\" is no role of a key: damaged", q->db->path,
		       name ? name : "");
}

static enum result read_key(const struct query *q, struct store_ca *ca, struct err *err)
{
	struct store_ca_key *key = &ca->keys[ca->n_keys];

	if (ca->n_keys == STORE_CA_KEYS_MAX)
		return err_set(err, ERR_LIMIT, "CA \"%s\" has more than %d keys", ca->name,
			       STORE_CA_KEYS_MAX);
	TRY(read_role(q, &key->role, err));
	key->generation = (unsigned)query_int(q, 1);
	TRY(row_name(q, 2, key->key_id, err));
	ca->n_keys++;
	row_buf(q, 3, &key->cert);
	return buf_check(&key->cert, err);
}

static enum result read_keys(struct db *db, int64_t id, struct store_ca *ca, struct err *err)
{
	QUERY q = QUERY_NONE;
	bool row;

	TRY(query_init(&q, db, SQL_CA_KEYS, err));
	query_bind_int(&q, 1, id);
	for (;;) {
		TRY(query_step(&q, &row, err));
		if (!row)
			return OK;
		TRY(read_key(&q, ca, err));
	}
}

static enum result give_ca(const struct query *q, store_ca_fn *fn, void *ctx, struct err *err)
{
	CLEANUP(store_ca_clear) struct store_ca ca = { .created = query_int(q, 2) };

	TRY(row_name(q, 1, ca.name, err));
	TRY(read_keys(q->db, query_int(q, 0), &ca, err));
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
