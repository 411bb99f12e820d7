/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the store's file, with its prepared statements. Used by one thread at a time.
 * No connection checkpoints by itself: only the writer does (store/writer.h).
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <sqlite3.h>

#include "base/err.h"
#include "store/sql.h"

struct chain; /* store/chain.h */

struct db {
	sqlite3 *handle;     /* NULL: not open */
	const char *path;    /* borrowed */
	struct chain *chain; /* owned; NULL: a reader */
	sqlite3_stmt *stmts[SQL_COUNT_];
};

enum db_role { DB_READER, DB_WRITER };

/* The file must exist; an empty one is a store without schema. */
RESULT db_open(struct db *db, const char *path, enum db_role role, unsigned busy_ms,
	       struct err *err);
void db_close(struct db *db);

/* What SQLite's result code means, with the file and the remedy. Never OK. */
RESULT db_error(const struct db *db, int rc, const char *doing, struct err *err);

/* Statements without parameters and rows, such as a migration. */
RESULT db_exec(struct db *db, const char *sql, struct err *err);

/* Ends a transaction that is still open, and forgets what it knew of it. */
void db_roll_back(struct db *db);

/* Borrowed from the connection; reset and unbound. */
RESULT db_statement(struct db *db, enum sql id, sqlite3_stmt **out, struct err *err);

#endif
