/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the store as it is at one moment, while everything goes on, and what is done to such a
 * copy that takes the store's place. Part of the store (store/store.h), whose rules hold here too.
 */
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include "store/store.h"

struct store_snapshot {
	int64_t last_event; /* of the record; 0: none */
	uint8_t hash[STORE_HASH];
};

/* Told now and then, in pages of the file. False: give up. */
typedef bool store_backup_fn(void *ctx, uint64_t done, uint64_t total);
/*
 * Into a file at path, which is made with mode 0600 and taken away again if it fails; one that is
 * there is replaced. Blocks until it is whole and durable; meanwhile the write-ahead log keeps what
 * is written and grows. ERR_BUSY: fn gave up.
 */
RESULT store_backup(struct store *s, const char *path, store_backup_fn *fn, void *ctx,
		    struct store_snapshot *out, struct err *err);

/*
 * Looks through a whole store that is to be restored: the file's structure, and that each event
 * has its place in the chain. ERR_BAD_CHECK names what is wrong. c: the calling thread's.
 */
RESULT store_check_whole(struct store *s, struct crypto *c, struct store_snapshot *out,
			 struct err *err);

/* What happened after the backup is not known; see docs/backup.md. All in one commit. */
struct store_restoration {
	uint64_t crl_numbers;   /* so many are passed over, for each CA */
	bool revoke_challenges; /* one-time challenges that were open: they may have been used */
	struct store_event event;
};
RESULT store_restored(struct store *s, const struct store_restoration *r, struct err *err);

#endif
