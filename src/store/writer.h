/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread that writes. It takes all jobs that are waiting, runs and commits them as a group
 * (store/group.h), and only then wakes those who wait.
 *
 * It is also the only one to checkpoint: SQLite before 3.51.3 can corrupt a write-ahead log that
 * two connections reset at once.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "base/log.h"
#include "store/group.h"
#include "store/health.h"

struct writer;

/* Moves *db into the writer (also on failure) and starts the thread. */
RESULT writer_new(struct writer **out, struct db *db, const struct log *log, struct err *err);
/* Ends the thread after the jobs that it has accepted. The last connection to close: it then
 * brings the write-ahead log into the file. */
void writer_free(struct writer *w);

/*
 * Hands a job over (fn and arg are set); it, and what arg points to, stays where it is until
 * writer_end(), which must follow. Thread-safe.
 */
void writer_begin(struct writer *w, struct job *job);
/* Blocks until the job's changes are durable (OK) or undone. */
RESULT writer_end(struct job *job, struct err *err);
/* Both. */
RESULT writer_run(struct writer *w, job_fn *fn, const void *arg, struct err *err);

/* Was the last commit a good one, and of the last `us` microseconds? */
bool writer_has_written(const struct writer *w, int64_t us);
/* All but file_bytes. Any thread may look. */
void writer_stats(struct writer *w, struct store_stats *out);

#endif
