/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <errno.h>
#include <string.h>

#include "store/chain.h"

static const char *const setup[] = {
	/* synchronous=FULL: fdatasync of the WAL before each COMMIT returns. */
	[DB_WRITER] = "PRAGMA synchronous = FULL;"
		      "PRAGMA wal_autocheckpoint = 0;"
		      "PRAGMA foreign_keys = ON;"
		      "PRAGMA trusted_schema = OFF;"
		      "PRAGMA temp_store = MEMORY;"
		      "PRAGMA cache_size = -8000;",
	/* A reader's cache is forgotten at every commit of the writer: a large one is of no use. */
	[DB_READER] = "PRAGMA query_only = ON;"
		      "PRAGMA wal_autocheckpoint = 0;"
		      "PRAGMA trusted_schema = OFF;"
		      "PRAGMA temp_store = MEMORY;"
		      "PRAGMA cache_size = -1000;",
};

static const struct {
	int rc;
	enum result code;
	const char *remedy;
} meanings[] = {
	{ SQLITE_FULL, ERR_IO, "disk full: make room on its file system; no restart is needed" },
	{ SQLITE_BUSY, ERR_BUSY,
	  "locked by another process: end the backup or shell that holds it" },
	{ SQLITE_LOCKED, ERR_BUSY, "locked: try again" },
	{ SQLITE_PROTOCOL, ERR_BUSY, "locked by another process: try again" },
	{ SQLITE_CORRUPT, ERR_IO, "damaged: stop the server and restore the file from a backup" },
	{ SQLITE_NOTADB, ERR_IO, "damaged, or no SQLite file: restore it from a backup" },
	{ SQLITE_FORMAT, ERR_IO, "damaged: stop the server and restore the file from a backup" },
	{ SQLITE_READONLY, ERR_IO,
	  "read-only: check the owner and mode of the file and its folder, and its mount" },
	{ SQLITE_PERM, ERR_IO, "no permission: check the owner and mode of the file" },
	{ SQLITE_CANTOPEN, ERR_IO,
	  "cannot be opened: check the path, and the owner and mode of the file and its folder" },
	{ SQLITE_IOERR, ERR_IO, "input/output error: check the disk and the kernel's log" },
	{ SQLITE_NOMEM, ERR_NOMEM, "out of memory" },
	{ SQLITE_TOOBIG, ERR_LIMIT, "a value is too large" },
};

static size_t meaning_of(int rc)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(meanings); i++)
		if (meanings[i].rc == (rc & 0xff))
			break;
	return i;
}

/* SQLite does not tell it for every failing COMMIT: then errno still has it (see query_step). */
static int system_error(const struct db *db)
{
	int sys = db->handle ? sqlite3_system_errno(db->handle) : 0;

	return sys ? sys : errno;
}

/* SQLite calls only ENOSPC "full". */
static int normalised(int rc, int sys)
{
	return (rc & 0xff) == SQLITE_IOERR && (sys == EFBIG || sys == EDQUOT) ? SQLITE_FULL : rc;
}

enum result db_error(const struct db *db, int rc, const char *doing, struct err *err)
{
	int sys = system_error(db);
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(rc);
	size_t i;

	if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
		return err_set(err, ERR_CONFLICT, "%s: %s: %s", db->path, doing, text);
	i = meaning_of(normalised(rc, sys));
	if (i == ARRAY_LEN(meanings))
		return err_set(err, ERR_INTERNAL, "%s: %s: %s (SQLite %d)", db->path, doing, text,
			       rc);
	if ((rc & 0xff) == SQLITE_IOERR && sys)
		text = strerror(sys);
	return err_set(err, meanings[i].code, "%s: %s: %s (SQLite %d: %s)", db->path, doing,
		       meanings[i].remedy, rc, text);
}

enum result db_exec(struct db *db, const char *sql, struct err *err)
{
	int rc;

	errno = 0;
	rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
	return rc == SQLITE_OK ? OK : db_error(db, rc, "set-up", err);
}

void db_roll_back(struct db *db)
{
	chain_forget(db->chain);
	if (!sqlite3_get_autocommit(db->handle))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

/* On a file that is in WAL mode already this changes nothing. */
static enum result use_wal(struct db *db, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	enum result r = OK;
	int rc;

	rc = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		r = db_error(db, rc, "open", err);
	else if (strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") != 0)
		r = err_set(err, ERR_IO,
			    "%s: its file system has no shared memory, which SQLite's write-ahead "
			    "log needs: put it on a local disk",
			    db->path);
	(void)sqlite3_finalize(stmt);
	return r;
}

static enum result configure(struct db *db, enum db_role role, unsigned busy_ms, struct err *err)
{
	(void)sqlite3_extended_result_codes(db->handle, 1);
	(void)sqlite3_busy_timeout(db->handle, (int)busy_ms);
	(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (role == DB_READER)
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	TRY(db_exec(db, setup[role], err));
	return role == DB_WRITER ? use_wal(db, err) : OK;
}

enum result db_open(struct db *db, const char *path, enum db_role role, unsigned busy_ms,
		    struct err *err)
{
	CLEANUP(db_close) struct db got = { .path = path };
	int rc =
	    sqlite3_open_v2(path, &got.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc != SQLITE_OK)
		return db_error(&got, rc, "open", err);
	TRY(configure(&got, role, busy_ms, err));
	*db = got;
	got = (struct db){ 0 };
	return OK;
}

void db_close(struct db *db)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(db->stmts); i++)
		(void)sqlite3_finalize(db->stmts[i]);
	(void)sqlite3_close(db->handle);
	chain_free(db->chain);
	*db = (struct db){ 0 };
}

enum result db_statement(struct db *db, enum sql id, sqlite3_stmt **out, struct err *err)
{
	int rc;

	if (!db->stmts[id]) {
		rc = sqlite3_prepare_v3(db->handle, sql_text(id), -1, SQLITE_PREPARE_PERSISTENT,
					&db->stmts[id], NULL);
		if (rc != SQLITE_OK)
			return db_error(db, rc, "prepare", err);
	}
	*out = db->stmts[id];
	return OK;
}
