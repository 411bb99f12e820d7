/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"

#include <stdio.h>

#include "schema_migrations.h"
#include "store/chain.h"
#include "store/key_block.h"
#include "store/query.h"

#define NEWEST ((int64_t)ARRAY_LEN(schema_migrations))

static enum result read_int(struct db *db, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? OK : db_error(db, rc, "read schema version", err);
}

static enum result check_version(struct db *db, int64_t *version, struct err *err)
{
	int64_t tables;

	TRY(read_int(db, "PRAGMA user_version", version, err));
	TRY(read_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err));
	if (*version == 0 && tables != 0)
		return err_set(err, ERR_CONFIG, "%s: an SQLite file, but not a store of scepterd",
			       db->path);
	if (*version < 0 || *version > NEWEST)
		return err_set(err, ERR_CONFIG,
			       "%s: its schema has version %lld, this program knows up to %lld: "
			       "upgrade the program, or restore the backup made before the upgrade",
			       db->path, (long long)*version, (long long)NEWEST);
	return OK;
}

/* What a version needs beyond its SQL. */
typedef enum result migrate_step(struct db *db, struct err *err);
static migrate_step *const steps[ARRAY_LEN(schema_migrations) + 1] = {
	[4] = chain_adopt, [14] = key_block_adopt
};

/* The version number is part of the transaction: a migration is there whole or not at all. */
static enum result migrate_one(struct db *db, int64_t version, struct err *err)
{
	char set_version[64];

	(void)snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %lld",
		       (long long)version);
	TRY(db_exec(db, schema_migrations[version - 1], err));
	if (steps[version])
		TRY(steps[version](db, err));
	TRY(db_exec(db, set_version, err));
	return query_simple(db, SQL_COMMIT, err);
}

static enum result migrate_next(struct db *db, bool *done, const struct log *log, struct err *err)
{
	int64_t version;

	TRY(check_version(db, &version, err));
	*done = version == NEWEST;
	if (*done)
		return OK;
	TRY(migrate_one(db, version + 1, err));
	log_info(log, "store schema migrated", LOG_STR("file", db->path),
		 LOG_INT("version", version + 1));
	return OK;
}

enum result migrate_run(struct db *db, const struct log *log, struct err *err)
{
	bool done = false;

	while (!done) {
		enum result r = query_simple(db, SQL_BEGIN, err);

		if (r == OK)
			r = migrate_next(db, &done, log, err);
		db_roll_back(db);
		if (r != OK)
			return r;
	}
	return OK;
}
