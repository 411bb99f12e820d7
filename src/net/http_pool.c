/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/crew.h"
#include "base/thread.h"
#include "net/http_tls_proxy.h"

/* So long without a look for jobs, and the workers that are awake may be stuck. */
#define STALL_US 10000
/* Jobs of a worker at once. */
#define CREW 8

struct worker {
	struct http_pool *pool;
	struct crew *crew;
	LIST_ENTRY(worker) among_idle;
	bool idle;            /* asleep, with room for a job */
	struct http_job *job; /* handed over then */
	atomic_uint bell;     /* 1: something is new in the pool */
	pthread_t thread;
};

struct http_pool {
	struct http_server_config config;
	void (*done)(struct http_job *job);
	pthread_mutex_t lock;     /* of all below, and of the workers' idleness and job */
	pthread_cond_t ready;     /* a worker has started, or failed to */
	LIST_HEAD(, worker) idle; /* last come, first served */
	unsigned awake;           /* workers that are not asleep, or told not to be */
	int64_t looked_at;        /* when one of them last had time for a job, clock_mono_us() */
	unsigned cores;
	unsigned begun; /* jobs in the hands of workers */
	void **states;  /* of config.worker_new, those that no job has; used last, first taken */
	unsigned n_states;
	struct http_job **ring;
	unsigned first, queued;
	bool stopping;
	unsigned starting;
	enum result failed;
	struct err failure;
	unsigned n_threads;
	struct worker workers[];
};

/* ---- jobs on their way to workers; under the lock ---- */

static void leave_idle(struct worker *w)
{
	if (w->idle)
		LIST_REMOVE(w, among_idle);
	w->idle = false;
}

static void enter_idle(struct worker *w)
{
	LIST_INSERT_HEAD(&w->pool->idle, w, among_idle);
	w->idle = true;
}

static bool may_begin(const struct http_pool *pool)
{
	return pool->begun < pool->config.requests;
}

/*
 * Who can begin with a job. NULL: nobody may, or as many are awake as can run at once, and are sure
 * to look for jobs soon.
 */
static struct worker *find_idle(const struct http_pool *pool)
{
	struct worker *w = may_begin(pool) ? LIST_FIRST(&pool->idle) : NULL;

	if (!w || pool->awake < pool->cores)
		return w;
	return clock_mono_us() - pool->looked_at > STALL_US ? w : NULL;
}

static void hand_over(struct worker *w, struct http_job *job)
{
	leave_idle(w);
	w->pool->awake++;
	w->pool->begun++;
	w->job = job;
	(void)await_tell(&w->bell, 0, 1);
}

static struct http_job *take_queued(struct http_pool *pool)
{
	struct http_job *job;

	if (!pool->queued)
		return NULL;
	job = pool->ring[pool->first];
	pool->first = (pool->first + 1) % pool->config.limits.queue;
	pool->queued--;
	return job;
}

/* ---- the loops' side ---- */

bool http_pool_put(struct http_pool *pool, struct http_job *job)
{
	unsigned size = pool->config.limits.queue;
	struct worker *w;
	bool taken = true;

	(void)pthread_mutex_lock(&pool->lock);
	w = find_idle(pool);
	if (w)
		hand_over(w, job);
	else if (pool->queued < size)
		pool->ring[(pool->first + pool->queued++) % size] = job;
	else
		taken = false;
	(void)pthread_mutex_unlock(&pool->lock);
	return taken;
}

void http_pool_relieve(struct http_pool *pool)
{
	struct worker *w;

	(void)pthread_mutex_lock(&pool->lock);
	while (pool->queued && (w = find_idle(pool)))
		hand_over(w, take_queued(pool));
	(void)pthread_mutex_unlock(&pool->lock);
}

unsigned http_pool_queued(struct http_pool *pool)
{
	unsigned n;

	(void)pthread_mutex_lock(&pool->lock);
	n = pool->queued;
	(void)pthread_mutex_unlock(&pool->lock);
	return n;
}

/* ---- a worker ---- */

static void handle(struct worker *w, void *state, struct http_job *job)
{
	const struct http_server_config *config = &w->pool->config;
	const char *reason = NULL;

	if (http_tls_proxy_take(job, &config->log, &reason))
		config->handler(config->ctx, state, &job->req, &job->reply);
	else if (config->refused)
		config->refused(config->ctx, &job->req, reason);
}

/* One that a job had before, or a new one. */
static RESULT take_state(struct http_pool *pool, void **state, struct err *err)
{
	const struct http_server_config *config = &pool->config;

	(void)pthread_mutex_lock(&pool->lock);
	if (pool->n_states)
		*state = pool->states[--pool->n_states];
	(void)pthread_mutex_unlock(&pool->lock);
	return *state || !config->worker_new ? OK : config->worker_new(config->ctx, state, err);
}

static void end_job(struct http_pool *pool, void *state)
{
	(void)pthread_mutex_lock(&pool->lock);
	if (state)
		pool->states[pool->n_states++] = state;
	pool->begun--;
	(void)pthread_mutex_unlock(&pool->lock);
}

static void answer(struct worker *w, struct http_job *job)
{
	struct http_reply *reply = &job->reply;
	struct err err = { 0 };
	void *state = NULL;

	if (take_state(w->pool, &state, &err) == OK)
		handle(w, state, job);
	else
		http_reply_text(reply, 503, "%s", err_text(&err));
	end_job(w->pool, state);
	if (reply->status == 0 || reply->body.failed)
		http_reply_text(reply, 500, "the server failed to make an answer");
}

static void run_job(void *ctx, void *task)
{
	struct worker *w = ctx;
	struct http_job *job = task;
	struct http_pool *pool = w->pool;
	struct log_lines lines;

	log_lines_init(&lines);
	job->req.lines = &lines;
	/* nobody waits for the answer of a job that has not begun: under load that time is dear */
	if (!atomic_load_explicit(&job->abandoned, memory_order_relaxed)) {
		answer(w, job);
		if (pool->config.access_log)
			http_job_log(job, &pool->config.log);
	} else {
		end_job(pool, NULL);
	}
	job->req.lines = NULL;
	log_lines_write(&lines);
	pool->done(job);
}

static void report_start(struct http_pool *pool, enum result r, const struct err *err)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->starting--;
	pool->awake += r == OK;
	if (r != OK && pool->failed == OK) {
		pool->failed = r;
		pool->failure = *err;
	}
	(void)pthread_cond_signal(&pool->ready);
	(void)pthread_mutex_unlock(&pool->lock);
}

static RESULT open_worker(struct worker *w, struct err *err)
{
	const unsigned requests = w->pool->config.requests;
	const struct crew_kind kind = { .members = requests < CREW ? requests : CREW,
					.stack = HTTP_STACK,
					.run = run_job,
					.ctx = w };

	return crew_new(&w->crew, &kind, err);
}

/* Whoever has no room for what waits leaves it to another. */
static void lie_down(struct worker *w)
{
	struct http_pool *pool = w->pool;
	struct worker *other;

	pool->awake--;
	if (crew_has_room(w->crew)) {
		enter_idle(w);
		return;
	}
	other = pool->queued ? find_idle(pool) : NULL;
	if (other)
		hand_over(other, take_queued(pool));
}

/* A job that waits. NULL: there is none to take; then it is to sleep, or to end. */
static struct http_job *look_for_job(struct worker *w, bool *end)
{
	struct http_pool *pool = w->pool;
	struct http_job *job = NULL;

	atomic_store(&w->bell, 0);
	(void)pthread_mutex_lock(&pool->lock);
	pool->looked_at = clock_mono_us();
	if (crew_has_room(w->crew) && may_begin(pool))
		job = take_queued(pool);
	pool->begun += job != NULL;
	*end = !job && pool->stopping && crew_is_idle(w->crew);
	if (!job && !*end)
		lie_down(w);
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}

/* What was handed over while it slept. */
static struct http_job *sleep_for_job(struct worker *w)
{
	struct http_pool *pool = w->pool;
	struct http_job *job;

	crew_sleep(w->crew, &(struct await){ &w->bell, 0, INT64_MAX });
	(void)pthread_mutex_lock(&pool->lock);
	if (!w->job) /* it woke by itself */
		pool->awake++;
	leave_idle(w);
	job = w->job;
	w->job = NULL;
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}

/* What has begun goes first. */
static void work(struct worker *w)
{
	struct http_job *job;
	bool end = false;

	while (!end) {
		crew_go_on(w->crew);
		job = look_for_job(w, &end);
		if (!job && !end)
			job = sleep_for_job(w);
		if (job)
			crew_begin(w->crew, job);
	}
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct err err = { 0 };
	enum result r = open_worker(w, &err);

	report_start(w->pool, r, &err);
	if (r == OK)
		work(w);
	crew_free(w->crew);
	return NULL;
}

static enum result start_worker(struct http_pool *pool, unsigned i, struct err *err)
{
	static const struct thread_kind kind = { .name = "http-work",
						 .stack = HTTP_STACK,
						 .batch = true };
	struct worker *w = &pool->workers[i];
	enum result r;

	w->pool = pool;
	(void)pthread_mutex_lock(&pool->lock);
	pool->starting++;
	(void)pthread_mutex_unlock(&pool->lock);
	r = thread_start(&w->thread, &kind, i, worker_run, w, err);
	if (r != OK) {
		report_start(pool, OK, NULL);
		return r;
	}
	pool->n_threads++;
	return OK;
}

static enum result start_workers(struct http_pool *pool, struct err *err)
{
	enum result r = OK;
	unsigned i;

	for (i = 0; i < pool->config.workers && r == OK; i++)
		r = start_worker(pool, i, err);
	(void)pthread_mutex_lock(&pool->lock);
	while (pool->starting)
		(void)pthread_cond_wait(&pool->ready, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
	if (r == OK && pool->failed != OK) {
		r = pool->failed;
		if (err)
			*err = pool->failure;
	}
	return r;
}

/* The first, so that a server that can have none does not start. */
static RESULT make_state(struct http_pool *pool, struct err *err)
{
	void *state = NULL;

	TRY(take_state(pool, &state, err));
	if (state)
		pool->states[pool->n_states++] = state;
	return OK;
}

static void free_states(struct http_pool *pool)
{
	while (pool->n_states)
		pool->config.worker_free(pool->config.ctx, pool->states[--pool->n_states]);
	free(pool->states);
}

enum result http_pool_new(struct http_pool **out, const struct http_server_config *config,
			  void (*done)(struct http_job *job), struct err *err)
{
	struct http_pool *pool;
	enum result r;

	pool = calloc(1, sizeof(*pool) + config->workers * sizeof(pool->workers[0]));
	if (!pool)
		return err_nomem(err);
	pool->config = *config;
	pool->done = done;
	pool->cores = thread_cores();
	LIST_INIT(&pool->idle);
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->ready, NULL);
	pool->ring = calloc(config->limits.queue, sizeof(*pool->ring));
	pool->states = calloc(config->requests, sizeof(*pool->states));
	r = pool->ring && pool->states ? make_state(pool, err) : err_nomem(err);
	if (r == OK)
		r = start_workers(pool, err);
	if (r != OK) {
		http_pool_free(pool);
		return r;
	}
	*out = pool;
	return OK;
}

void http_pool_free(struct http_pool *pool)
{
	unsigned i;

	if (!pool)
		return;
	(void)pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	for (i = 0; i < pool->n_threads; i++)
		(void)await_tell(&pool->workers[i].bell, 0, 1);
	(void)pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < pool->n_threads; i++)
		(void)pthread_join(pool->workers[i].thread, NULL);
	(void)pthread_cond_destroy(&pool->ready);
	(void)pthread_mutex_destroy(&pool->lock);
	free_states(pool);
	free(pool->ring);
	free(pool);
}
