/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/log.h"
#include "store/db.h"

/*
 * Brings the file to this program's schema, each version in a transaction of its own. ERR_CONFIG:
 * the file was written by a newer program, or is not a store at all; it is left as it was.
 */
RESULT migrate_run(struct db *db, const struct log *log, struct err *err);

#endif
