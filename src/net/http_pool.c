/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/thread.h"
#include "net/http_tls_proxy.h"

struct worker {
	struct http_pool *pool;
	struct worker *next_idle;
	struct http_job *job; /* handed over while it slept */
	pthread_cond_t wake;
	pthread_t thread;
	unsigned index;
	void *own; /* of config.worker_new */
};

struct http_pool {
	struct http_server_config config;
	void (*done)(struct http_job *job);
	pthread_mutex_t lock; /* of all below, and of the workers' next_idle and job */
	pthread_cond_t ready; /* a worker has started, or failed to */
	struct worker *idle;  /* last come, first served */
	struct http_job **ring;
	unsigned first, queued;
	bool stopping;
	unsigned starting;
	enum result failed;
	struct err failure;
	unsigned n_threads;
	struct worker workers[];
};

bool http_pool_put(struct http_pool *pool, struct http_job *job)
{
	unsigned size = pool->config.limits.queue;
	struct worker *w;
	bool taken = true;

	(void)pthread_mutex_lock(&pool->lock);
	w = pool->idle;
	if (w) {
		pool->idle = w->next_idle;
		w->job = job;
	} else if (pool->queued < size) {
		pool->ring[(pool->first + pool->queued++) % size] = job;
	} else {
		taken = false;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (w)
		(void)pthread_cond_signal(&w->wake);
	return taken;
}

unsigned http_pool_queued(struct http_pool *pool)
{
	unsigned n;

	(void)pthread_mutex_lock(&pool->lock);
	n = pool->queued;
	(void)pthread_mutex_unlock(&pool->lock);
	return n;
}

static struct http_job *sleep_for_job(struct http_pool *pool, struct worker *w)
{
	struct http_job *job;

	w->next_idle = pool->idle;
	pool->idle = w;
	while (!w->job && !pool->stopping)
		(void)pthread_cond_wait(&w->wake, &pool->lock);
	job = w->job;
	w->job = NULL;
	return job;
}

/* NULL: the end. */
static struct http_job *next_job(struct worker *w)
{
	struct http_pool *pool = w->pool;
	struct http_job *job = NULL;

	(void)pthread_mutex_lock(&pool->lock);
	if (pool->queued) {
		job = pool->ring[pool->first];
		pool->first = (pool->first + 1) % pool->config.limits.queue;
		pool->queued--;
	} else if (!pool->stopping) {
		job = sleep_for_job(pool, w);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}

static void handle(struct worker *w, struct http_job *job)
{
	const struct http_server_config *config = &w->pool->config;
	const char *reason = NULL;

	if (http_tls_proxy_take(job, &config->log, &reason))
		config->handler(config->ctx, w->own, &job->req, &job->reply);
	else if (config->refused)
		config->refused(config->ctx, &job->req, reason);
}

static void run_job(struct worker *w, struct http_job *job)
{
	struct http_pool *pool = w->pool;
	struct http_reply *reply = &job->reply;
	struct log_lines lines;

	log_lines_init(&lines);
	job->req.lines = &lines;
	/* nobody waits for the answer of a job that has not begun: under load that time is dear */
	if (!atomic_load_explicit(&job->abandoned, memory_order_relaxed)) {
		handle(w, job);
		if (reply->status == 0 || reply->body.failed)
			http_reply_text(reply, 500, "the server failed to make an answer");
		if (pool->config.access_log)
			http_job_log(job, &pool->config.log);
	}
	job->req.lines = NULL;
	log_lines_write(&lines);
	pool->done(job);
}

static void report_start(struct http_pool *pool, enum result r, const struct err *err)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->starting--;
	if (r != OK && pool->failed == OK) {
		pool->failed = r;
		pool->failure = *err;
	}
	(void)pthread_cond_signal(&pool->ready);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	const struct http_server_config *config = &w->pool->config;
	struct err err = { 0 };
	struct http_job *job;
	enum result r = OK;

	if (config->worker_new)
		r = config->worker_new(config->ctx, w->index, &w->own, &err);
	report_start(w->pool, r, &err);
	if (r != OK)
		return NULL;
	while ((job = next_job(w)))
		run_job(w, job);
	if (config->worker_free)
		config->worker_free(config->ctx, w->own);
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
	w->index = i;
	(void)pthread_cond_init(&w->wake, NULL);
	(void)pthread_mutex_lock(&pool->lock);
	pool->starting++;
	(void)pthread_mutex_unlock(&pool->lock);
	r = thread_start(&w->thread, &kind, i, worker_run, w, err);
	if (r != OK) {
		report_start(pool, OK, NULL);
		(void)pthread_cond_destroy(&w->wake);
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
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->ready, NULL);
	pool->ring = calloc(config->limits.queue, sizeof(*pool->ring));
	r = pool->ring ? start_workers(pool, err) : err_nomem(err);
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
		(void)pthread_cond_signal(&pool->workers[i].wake);
	(void)pthread_mutex_unlock(&pool->lock);
	for (i = 0; i < pool->n_threads; i++) {
		(void)pthread_join(pool->workers[i].thread, NULL);
		(void)pthread_cond_destroy(&pool->workers[i].wake);
	}
	(void)pthread_cond_destroy(&pool->ready);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool->ring);
	free(pool);
}
