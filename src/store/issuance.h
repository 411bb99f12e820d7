/* SPDX-License-Identifier: Apache-2.0 */
/* An issuance inside a writer's job. */
#ifndef STORE_ISSUANCE_H
#define STORE_ISSUANCE_H

#include "store/db.h"
#include "store/store.h"

/* Before the job: what the caller must not get wrong. */
RESULT issuance_check(const struct store_issuance *i, struct err *err);
/* ERR_CONFLICT: the transaction has a certificate already. */
RESULT issuance_check_first(struct db *db, const struct store_transaction_key *t, struct err *err);
/* All that store_commit_issuance() promises. */
RESULT issuance_insert(struct db *db, const struct store_issuance *i, struct err *err);

#endif
