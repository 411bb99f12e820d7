/* SPDX-License-Identifier: Apache-2.0 */
#include "store/writer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crew.h"
#include "base/thread.h"
#include "store/queue.h"

/* Pages in the write-ahead log between two checkpoints: 32 MiB. */
#define CHECKPOINT_PAGES 8192
/* Beyond this, wait for the readers that keep the log from starting over. */
#define RESTART_PAGES (8 * CHECKPOINT_PAGES)
#define PAGE_BYTES 4096

struct writer {
	struct db db;
	struct log log;
	pthread_t thread;
	bool started;
	struct queue queue;

	struct meter *meter; /* two histograms and a count, see COUNT_... */

	/* The thread's own, but for a look from outside. */
	atomic_int pages;         /* in the write-ahead log */
	int checked_at;           /* pages when the last checkpoint was tried */
	atomic_bool failing;      /* the last group failed */
	_Atomic int64_t wrote_at; /* the last that changed something, clock_mono_us() */
};

enum {
	COUNT_WAITS,
	COUNT_GROUPS = COUNT_WAITS + HISTOGRAM_COUNTERS,
	COUNT_FAILED = COUNT_GROUPS + HISTOGRAM_COUNTERS,
	COUNTS
};

static int on_commit(void *ctx, sqlite3 *handle UNUSED, const char *name UNUSED, int pages)
{
	struct writer *w = ctx;

	if (pages < w->pages)
		w->checked_at = 0; /* the log has started over */
	w->pages = pages;
	atomic_store(&w->wrote_at, clock_mono_us());
	return SQLITE_OK;
}

/* Now and then, and when there is nothing else to do. */
static bool checkpoint_is_due(const struct writer *w, enum queue_state state)
{
	return state == QUEUE_IDLE || w->pages - w->checked_at >= CHECKPOINT_PAGES;
}

static void checkpoint(struct writer *w)
{
	int mode =
	    w->pages >= RESTART_PAGES ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
	struct err err;
	int rc;

	errno = 0;
	rc = sqlite3_wal_checkpoint_v2(w->db.handle, NULL, mode, NULL, NULL);
	w->checked_at = w->pages;
	if (rc != SQLITE_OK && rc != SQLITE_BUSY && db_error(&w->db, rc, "checkpoint", &err) != OK)
		log_warning(&w->log, "store checkpoint failed", LOG_ERR(&err));
}

static void report(struct writer *w, enum result r, const struct err *err)
{
	if ((r != OK) == w->failing)
		return;
	w->failing = r != OK;
	if (w->failing)
		log_error(&w->log, "store cannot write", LOG_ERR(err));
	else
		log_info(&w->log, "store writes again", LOG_STR("file", w->db.path));
}

static void run_group(struct writer *w, struct job *jobs)
{
	struct err err = { 0 };
	struct job *job, *next;
	int64_t begun = clock_mono_us(), ended;
	enum result r = group_run(&w->db, jobs, &err);

	ended = clock_mono_us();
	histogram_add(w->meter, COUNT_GROUPS, ended - begun);
	meter_add(w->meter, COUNT_FAILED, r != OK);
	report(w, r, &err);
	for (job = jobs; job; job = next) {
		next = job->next; /* once that is told, the job is gone */
		histogram_add(w->meter, COUNT_WAITS, ended - job->begun);
		(void)await_tell(&job->done, 0, 1);
	}
	/* A log that can grow no more may still be brought into the file and started over. */
	if (r == ERR_IO && w->pages > w->checked_at)
		checkpoint(w);
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	enum queue_state state = QUEUE_IDLE;
	struct job *jobs = NULL;

	while (state != QUEUE_CLOSED) {
		state = queue_take(&w->queue, w->pages > w->checked_at, &jobs);
		if (state == QUEUE_JOBS)
			run_group(w, jobs);
		if (checkpoint_is_due(w, state))
			checkpoint(w);
	}
	return NULL;
}

enum result writer_new(struct writer **out, struct db *db, const struct log *log, struct err *err)
{
	static const struct thread_kind kind = { .name = "store", .batch = true };
	struct writer *w = calloc(1, sizeof(*w));
	enum result r;

	if (!w) {
		db_close(db);
		return err_nomem(err);
	}
	w->db = *db;
	*db = (struct db){ 0 };
	w->log = *log;
	atomic_init(&w->wrote_at, INT64_MIN);
	queue_init(&w->queue);
	(void)sqlite3_wal_hook(w->db.handle, on_commit, w);
	r = meter_new(&w->meter, COUNTS, err);
	if (r == OK)
		r = thread_start(&w->thread, &kind, 0, writer_main, w, err);
	if (r != OK) {
		writer_free(w);
		return r;
	}
	w->started = true;
	*out = w;
	return OK;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	queue_close(&w->queue);
	if (w->started)
		(void)pthread_join(w->thread, NULL);
	db_close(&w->db);
	queue_clear(&w->queue);
	meter_free(w->meter);
	free(w);
}

void writer_begin(struct writer *w, struct job *job)
{
	job->begun = clock_mono_us();
	atomic_init(&job->done, 0);
	if (queue_put(&w->queue, job))
		return;
	job->result = err_set(&job->err, ERR_BUSY, "the store is closing");
	(void)await_tell(&job->done, 0, 1);
}

enum result writer_end(struct job *job, struct err *err)
{
	while (!crew_await(&job->done, 0, UINT_MAX))
		;
	if (err && job->result != OK)
		*err = job->err;
	return job->result;
}

enum result writer_run(struct writer *w, job_fn *fn, const void *arg, struct err *err)
{
	struct job job = { .fn = fn, .arg = arg };

	writer_begin(w, &job);
	return writer_end(&job, err);
}

/* ---- how it goes ---- */

bool writer_has_written(const struct writer *w, int64_t us)
{
	int64_t at = atomic_load(&w->wrote_at);

	return !atomic_load(&w->failing) && at != INT64_MIN && clock_mono_us() - at < us;
}

void writer_stats(struct writer *w, struct store_stats *out)
{
	*out = (struct store_stats){
		.queued = queue_length(&w->queue),
		.failed = meter_sum(w->meter, COUNT_FAILED),
		.failing = atomic_load(&w->failing),
		.log_bytes = (uint64_t)atomic_load(&w->pages) * PAGE_BYTES,
	};
	histogram_read(w->meter, COUNT_WAITS, &out->waits);
	histogram_read(w->meter, COUNT_GROUPS, &out->groups);
}
