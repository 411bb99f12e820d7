/* SPDX-License-Identifier: Apache-2.0 */
/* How the store is: for monitoring. Part of the store (store/store.h), whose rules hold here too.
 */
#ifndef STORE_HEALTH_H
#define STORE_HEALTH_H

#include "base/histogram.h"
#include "store/store.h"

struct store_stats {
	unsigned queued;         /* changes that wait for the next commit */
	struct histogram waits;  /* changes: from asking to durable, or refused */
	struct histogram groups; /* commits, of many changes each */
	uint64_t failed;         /* commits that failed */
	bool failing;            /* so did the last one */
	uint64_t file_bytes;     /* of the file, without its log */
	uint64_t log_bytes;      /* in the write-ahead log */
};
void store_stats(struct store *s, struct store_stats *out);

/*
 * Can it be written to? A commit of the last seconds is the answer; without one something is
 * written, without changing what is there. ERR_IO, ERR_BUSY: it cannot, and why.
 */
RESULT store_check_writable(struct store *s, struct err *err);

#endif
