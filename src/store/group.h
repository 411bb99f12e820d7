/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many jobs in one transaction: one fdatasync makes them all durable. A job that is refused is
 * undone alone; where the transaction as a whole fails, every job of the group does.
 */
#ifndef STORE_GROUP_H
#define STORE_GROUP_H

#include <stdatomic.h>
#include <stdint.h>

#include "store/db.h"

/* Runs in the writer's thread, perhaps twice. What it changed before a result other than OK is
 * undone. */
typedef enum result job_fn(struct db *db, const void *arg, struct err *err);

/* Of the thread that waits for it. */
struct job {
	job_fn *fn;
	const void *arg;
	enum result result;
	struct err err;
	/* the writer's */
	int64_t begun;    /* clock_mono_us() */
	atomic_uint done; /* 0, then 1: awaited by that thread */
	struct job *next;
};

/* Each job's result is set and holds when this returns: OK means durable. Returns what became of
 * the transaction. */
RESULT group_run(struct db *db, struct job *jobs, struct err *err);

#endif
