/* SPDX-License-Identifier: Apache-2.0 */
#include "store/query.h"

#include <errno.h>

enum result query_init(struct query *q, struct db *db, enum sql id, struct err *err)
{
	sqlite3_stmt *stmt;

	TRY(db_statement(db, id, &stmt, err));
	*q = (struct query){ .db = db, .stmt = stmt };
	return OK;
}

void query_clear(struct query *q)
{
	if (!q->stmt)
		return;
	(void)sqlite3_reset(q->stmt);
	(void)sqlite3_clear_bindings(q->stmt);
	*q = QUERY_NONE;
}

static void note(struct query *q, int rc)
{
	if (q->rc == SQLITE_OK)
		q->rc = rc;
}

void query_bind_int(struct query *q, int n, int64_t v)
{
	note(q, sqlite3_bind_int64(q->stmt, n, v));
}

void query_bind_str(struct query *q, int n, const char *s)
{
	if (s)
		note(q, sqlite3_bind_text(q->stmt, n, s, -1, SQLITE_STATIC));
}

void query_bind_text(struct query *q, int n, struct span s)
{
	note(q, sqlite3_bind_text64(q->stmt, n, s.len ? (const char *)s.p : "", s.len,
				    SQLITE_STATIC, SQLITE_UTF8));
}

void query_bind_blob(struct query *q, int n, struct span s)
{
	if (s.len)
		note(q, sqlite3_bind_blob64(q->stmt, n, s.p, s.len, SQLITE_STATIC));
}

enum result query_step(struct query *q, bool *row, struct err *err)
{
	int rc;

	errno = 0;
	rc = q->rc == SQLITE_OK ? sqlite3_step(q->stmt) : q->rc;
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return db_error(q->db, rc, "run", err);
	*row = rc == SQLITE_ROW;
	return OK;
}

enum result query_run(struct query *q, struct err *err)
{
	bool row;

	return query_step(q, &row, err);
}

enum result query_simple(struct db *db, enum sql id, struct err *err)
{
	QUERY q = QUERY_NONE;

	TRY(query_init(&q, db, id, err));
	return query_run(&q, err);
}

int64_t query_int(const struct query *q, int column)
{
	return sqlite3_column_int64(q->stmt, column);
}

bool query_is_null(const struct query *q, int column)
{
	return sqlite3_column_type(q->stmt, column) == SQLITE_NULL;
}

const char *query_str(const struct query *q, int column)
{
	return (const char *)sqlite3_column_text(q->stmt, column);
}

struct span query_span(const struct query *q, int column)
{
	const void *p = sqlite3_column_blob(q->stmt, column);

	return span_of(p, p ? (size_t)sqlite3_column_bytes(q->stmt, column) : 0);
}
