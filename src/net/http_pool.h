/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads behind a bounded queue. A job goes straight to an idle worker, the one that became
 * idle last, whose caches are warm and whose fellows may sleep on; only when all are busy does it
 * wait in the ring. Thread-safe.
 */
#ifndef NET_HTTP_POOL_H
#define NET_HTTP_POOL_H

#include "net/http_job.h"
#include "net/http_server.h"

struct http_pool;

/*
 * Starts the threads of config (workers and queue are not 0); returns when worker_new has succeeded
 * in each of them. done takes each job back, in the worker's thread.
 */
RESULT http_pool_new(struct http_pool **out, const struct http_server_config *config,
		     void (*done)(struct http_job *job), struct err *err);

/* False if all workers are busy and the queue is full: the job stays the caller's. */
MUST_USE bool http_pool_put(struct http_pool *pool, struct http_job *job);

unsigned http_pool_queued(struct http_pool *pool);

/* Waits for what is queued and running, ends the threads. NULL does nothing. */
void http_pool_free(struct http_pool *pool);

#endif
