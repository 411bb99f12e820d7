/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worker threads behind a bounded queue. Each carries several jobs, and goes on with one while
 * others wait (base/crew.h). As many are awake as there are processors: more would only be in each
 * other's way. But when those may be stuck, for a handler may block its thread, another gets up, of
 * which there are enough. Thread-safe.
 */
#ifndef NET_HTTP_POOL_H
#define NET_HTTP_POOL_H

#include "net/http_job.h"
#include "net/http_server.h"

struct http_pool;

/*
 * Starts the threads of config (workers, requests and queue are not 0); returns when worker_new has
 * succeeded once. done takes each job back, in the worker's thread.
 */
RESULT http_pool_new(struct http_pool **out, const struct http_server_config *config,
		     void (*done)(struct http_job *job), struct err *err);

/* False if no worker can take it and the queue is full: the job stays the caller's. */
MUST_USE bool http_pool_put(struct http_pool *pool, struct http_job *job);

/* For now and then: what waits behind workers that may be stuck goes to others. */
void http_pool_relieve(struct http_pool *pool);

unsigned http_pool_queued(struct http_pool *pool);

/* Waits for what is queued and running, ends the threads. NULL does nothing. */
void http_pool_free(struct http_pool *pool);

#endif
