/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread that writes. It takes all jobs that are waiting, runs them in one transaction,
 * each in a savepoint of its own, commits, and only then wakes those who wait: one fdatasync
 * serves the whole group. Where the commit fails every job of the group fails, and nothing of it is
 * kept.
 *
 * It is also the only one to checkpoint: SQLite before 3.51.3 can corrupt a write-ahead log that
 * two connections reset at once.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/log.h"
#include "store/db.h"

struct writer;

/* Moves *db into the writer (also on failure) and starts the thread. */
RESULT writer_new(struct writer **out, struct db *db, const struct log *log, struct err *err);
/* Ends the thread after the jobs that it has accepted. The last connection to close: it then
 * brings the write-ahead log into the file. */
void writer_free(struct writer *w);

/* Runs in the writer's thread. What it did before a result other than OK is undone. */
typedef enum result writer_fn(struct db *db, const void *arg, struct err *err);

/* Blocks until the job's changes are durable (OK) or undone. Thread-safe. */
RESULT writer_run(struct writer *w, writer_fn *fn, const void *arg, struct err *err);

#endif
