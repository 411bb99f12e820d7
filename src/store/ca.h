/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates of a CA inside a writer's job. */
#ifndef STORE_CA_H
#define STORE_CA_H

#include "store/db.h"
#include "store/sql.h"
#include "store/store.h"

/* put: SQL_ADD_CA_KEY or SQL_PUT_CA_KEY. */
RESULT ca_insert_parts(struct db *db, const struct store_ca *ca, enum sql put, struct err *err);

#endif
