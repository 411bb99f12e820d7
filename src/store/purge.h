/* SPDX-License-Identifier: Apache-2.0 */
/* The putting away of rows that nobody needs any more. */
#ifndef STORE_PURGE_H
#define STORE_PURGE_H

#include "store/sql.h"
#include "store/store.h"

/* A statement that deletes at most `most` (2) rows from before a time (1); *n: how many. */
RESULT purge_run(struct store *s, enum sql id, int64_t before, unsigned most, uint64_t *n,
		 struct err *err);

#endif
