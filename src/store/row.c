/* SPDX-License-Identifier: Apache-2.0 */
#include "store/row.h"

enum result row_check_name(const char *name, const char *what, struct err *err)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0)
		return err_set(err, ERR_LIMIT, "store: %s is empty", what);
	if (len >= STORE_NAME_MAX)
		return err_set(err, ERR_LIMIT, "store: %s has %zu octets, the limit is %d", what,
			       len, STORE_NAME_MAX - 1);
	return OK;
}

static enum result damaged(const struct query *q, int column, size_t len, struct err *err)
{
	return err_set(err, ERR_IO, "%s: column %s has an impossible length of %zu: damaged",
		       q->db->path, sqlite3_column_name(q->stmt, column), len);
}

enum result row_name(const struct query *q, int column, char out[STORE_NAME_MAX], struct err *err)
{
	struct span s = query_span(q, column);

	if (s.len >= STORE_NAME_MAX)
		return damaged(q, column, s.len, err);
	if (s.len)
		memcpy(out, s.p, s.len);
	out[s.len] = '\0';
	return OK;
}

enum result row_hash(const struct query *q, int column, uint8_t out[STORE_HASH], struct err *err)
{
	struct span s = query_span(q, column);

	if (s.len != STORE_HASH)
		return damaged(q, column, s.len, err);
	memcpy(out, s.p, STORE_HASH);
	return OK;
}

void row_buf(const struct query *q, int column, struct buf *out)
{
	buf_put(out, query_span(q, column));
}

/* FNV-1a. Who makes collisions gets a slower search for his own transactions. */
int64_t row_transaction_tag(struct span id)
{
	uint64_t h = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < id.len && id.p[i] != STORE_SUCCEEDS; i++)
		h = (h ^ id.p[i]) * 0x100000001b3;
	return (int64_t)h;
}

int64_t row_hash_tag(const uint8_t hash[STORE_HASH])
{
	int64_t tag;

	memcpy(&tag, hash, sizeof(tag));
	return tag;
}
