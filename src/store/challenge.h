/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a one-time challenge inside the writer's jobs. */
#ifndef STORE_CHALLENGE_H
#define STORE_CHALLENGE_H

#include "store/db.h"
#include "store/store.h"

struct challenge_use {
	const uint8_t *hash;    /* STORE_HASH octets */
	const uint8_t *binding; /* the same */
	int64_t now;
};

/* Binds it if it is still free and usable; otherwise leaves it as it is. */
RESULT challenge_bind(struct db *db, const struct challenge_use *use, struct err *err);
/* Binds it and marks it used. ERR_DENIED: revoked, used, expired or bound to another. */
RESULT challenge_consume(struct db *db, const struct challenge_use *use, struct err *err);

#endif
