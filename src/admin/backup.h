/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backup that is being made, one at a time, by a thread of its own: a copy of the store in the
 * data directory, which whoever asked for it fetches in parts and then removes. Thread-safe.
 */
#ifndef ADMIN_BACKUP_H
#define ADMIN_BACKUP_H

#include "base/clock.h"
#include "base/log.h"
#include "store/backup.h"

#define BACKUP_ID_MAX 20

struct backup;

enum backup_phase { BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };

struct backup_state {
	char id[BACKUP_ID_MAX];
	enum backup_phase phase;
	int64_t started;
	uint64_t pages, total; /* copied, of how many */
	struct err why;        /* BACKUP_FAILED */
	/* BACKUP_DONE: */
	uint64_t bytes;
	uint8_t sha256[STORE_HASH];
	struct store_snapshot snapshot;
};

struct backup_config {
	struct store *store;
	const struct clock *clock;
	const struct log *log;
	const char *directory; /* copied */
};

/* Removes what a server that ended left behind. */
RESULT backup_new(struct backup **out, const struct backup_config *config, struct err *err);
/* Gives up what is being made. */
void backup_free(struct backup *b);
DEFINE_CLEANUP(struct backup, backup_free)
/* A new one, in place of what was there. ERR_BUSY: one is being made. ERR_IO: no room for it. */
RESULT backup_begin(struct backup *b, struct backup_state *out, struct err *err);
/* All of these: ERR_NOT_FOUND: not, or no more, there. */
RESULT backup_look(struct backup *b, const char *id, struct backup_state *out, struct err *err);
/* Appends up to max octets of it; none behind its end. ERR_CONFLICT: it is not done. */
RESULT backup_read(struct backup *b, const char *id, uint64_t offset, size_t max, struct buf *out,
		   struct err *err);
/* Gives it up where it is being made. */
RESULT backup_remove(struct backup *b, const char *id, struct err *err);

#endif
