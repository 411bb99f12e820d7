/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections for reading, opened when first needed and lent to one thread at a time; who comes
 * when all are out waits. Thread-safe.
 *
 *	READER reader = READER_NONE;
 *	TRY(reader_init(&reader, pool, err));
 *	... reader.db ...
 */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "store/db.h"

struct pool;

/* path is borrowed and must outlive the pool. */
RESULT pool_new(struct pool **out, const char *path, unsigned size, unsigned busy_ms,
		struct err *err);
/* No reader may be out. */
void pool_free(struct pool *p);

struct reader {
	struct pool *pool;
	struct db *db;
};

#define READER_NONE ((struct reader){ 0 })
#define READER CLEANUP(reader_clear) struct reader

RESULT reader_init(struct reader *r, struct pool *p, struct err *err);
void reader_clear(struct reader *r);

#endif
