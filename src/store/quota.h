/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many certificates somebody got within a time: counted in the commit of the issuance, so that
 * no two that come at once both pass. Part of the store (store/store.h).
 */
#ifndef STORE_QUOTA_H
#define STORE_QUOTA_H

#include "store/store.h"

/* Whom an issuance counts for. */
struct store_quota {
	uint8_t key[STORE_HASH]; /* SHA-256 of whose it is */
	unsigned most;           /* within the time behind since; 0: it is counted, and passes */
	int64_t since;
	char whose[96]; /* for the refusal: "subject \"CN=a\"" */
};

/* What was counted before that time, `most` rows a commit; *n: how many it were. */
RESULT store_purge_quotas(struct store *s, int64_t before, unsigned most, uint64_t *n,
			  struct err *err);

/* ---- inside the writer's jobs ---- */

struct db;
/* ERR_TOO_MANY: it is exhausted. */
RESULT quota_check(struct db *db, const struct store_quota *q, struct err *err);
RESULT quota_count(struct db *db, const struct store_quota *q, int64_t cert, int64_t now,
		   struct err *err);

#endif
