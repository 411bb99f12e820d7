/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are not certified (again), since somebody else may have them. Part of the store
 * (store/store.h), whose rules hold here too. A key is its pubkey_hash() (pki/pubkey.h).
 *
 * The commit of an issuance asks for its key, so that none that was blocked before it gets a
 * certificate; nothing is kept in memory, and whoever writes to the file is heeded.
 */
#ifndef STORE_KEY_BLOCK_H
#define STORE_KEY_BLOCK_H

#include "store/revocation.h"

#define STORE_BLOCKED_KEYS_MAX 1000 /* in one call */

struct store_blocked_key {
	uint8_t hash[STORE_HASH];
	int64_t time;
	struct buf actor;        /* text, owned */
	struct buf reason;       /* text, owned */
	char ca[STORE_NAME_MAX]; /* of the certificate whose revocation it was; "": of none */
	struct buf serial;       /* its INTEGER content octets, owned */
};
void store_blocked_key_clear(struct store_blocked_key *k);

struct store_key_block {
	const uint8_t (*hashes)[STORE_HASH];
	size_t n; /* 1..STORE_BLOCKED_KEYS_MAX */
	const char *reason;
	struct store_event event; /* its time and actor are those of the block */
};
/*
 * In one commit with the event, which is left out where all of them were blocked before: they stay
 * as they were. First requests that wait with such a key are rejected, each with its event;
 * a renewal, which is known by the certificate that it renews as well, when it is approved. *added:
 * how many are new.
 */
RESULT store_block_keys(struct store *s, const struct store_key_block *block, uint64_t *added,
			struct err *err);
/* ERR_NOT_FOUND: it is not blocked. */
RESULT store_unblock_key(struct store *s, const uint8_t hash[STORE_HASH],
			 const struct store_event *event, struct err *err);

/* ERR_KEY_BLOCKED: `whose` ("this key") was reported as compromised. */
RESULT store_check_key(struct store *s, const uint8_t hash[STORE_HASH], const char *whose,
		       struct err *err);
/* ERR_NOT_FOUND: it is not blocked. */
RESULT store_find_blocked_key(struct store *s, const uint8_t hash[STORE_HASH],
			      struct store_blocked_key *out, struct err *err);

typedef enum result store_blocked_key_fn(void *ctx, const struct store_blocked_key *k,
					 struct err *err);
/* In the order of hashes, behind after (NULL: from the first); limit 0: 100. */
RESULT store_each_blocked_key(struct store *s, const uint8_t *after, unsigned limit,
			      store_blocked_key_fn *fn, void *ctx, struct err *err);

/* ---- inside the writer's jobs ---- */

struct db;
/* The same as store_check_key(). */
RESULT key_block_check(struct db *db, const uint8_t hash[STORE_HASH], const char *whose,
		       struct err *err);
/* The key of a certificate of ours; an empty one has none. */
RESULT key_block_check_cert(struct db *db, struct span cert, struct err *err);
/* The certificate was revoked: its key is blocked if that is what the reason says. */
RESULT key_block_revoked(struct db *db, const struct store_revocation *r, struct err *err);
/* The migration: the keys of all that were revoked for that reason before. */
RESULT key_block_adopt(struct db *db, struct err *err);

#endif
