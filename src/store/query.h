/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a prepared statement: bind, step, read columns. Binding does not return an error: the
 * first one is kept and returned by the step. Values bound or read are borrowed: those bound until
 * query_clear(), those read until the next step.
 *
 *	QUERY q = QUERY_NONE;
 *	TRY(query_init(&q, db, SQL_FIND_CHALLENGE, err));
 *	query_bind_blob(&q, 1, hash);
 *	TRY(query_step(&q, &row, err));
 */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include "base/buf.h"
#include "store/db.h"

struct query {
	struct db *db;
	sqlite3_stmt *stmt;
	int rc;
};

#define QUERY_NONE ((struct query){ 0 })
#define QUERY CLEANUP(query_clear) struct query

RESULT query_init(struct query *q, struct db *db, enum sql id, struct err *err);
void query_clear(struct query *q);

void query_bind_int(struct query *q, int n, int64_t v);
/* NULL is bound as SQL's NULL. */
void query_bind_str(struct query *q, int n, const char *s);
void query_bind_text(struct query *q, int n, struct span s);
/* An empty span is bound as SQL's NULL. */
void query_bind_blob(struct query *q, int n, struct span s);

/* *row: is there one? */
RESULT query_step(struct query *q, bool *row, struct err *err);
/* A statement that gives no rows. */
RESULT query_run(struct query *q, struct err *err);
/* Both in one, for statements without parameters. */
RESULT query_simple(struct db *db, enum sql id, struct err *err);

int64_t query_int(const struct query *q, int column);
bool query_is_null(const struct query *q, int column);
/* NULL for SQL's NULL. */
const char *query_str(const struct query *q, int column);
struct span query_span(const struct query *q, int column);

#endif
