/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop: a thread that takes connections from the listeners, and does all reading and
 * writing for those it took. Everything here belongs to that thread, but for what is said to be
 * shared. libevent needs no locks that way, and gets none.
 */
#ifndef NET_HTTP_LOOP_H
#define NET_HTTP_LOOP_H

#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "net/http_job.h"
#include "net/http_peers.h"
#include "net/http_pool.h"
#include "net/http_server.h"

/* What all loops of a server share. */
struct http_shared {
	struct http_limits limits;
	struct http_listener *listeners; /* with descriptors of our own */
	size_t n_listeners;
	atomic_uint taking; /* loops that still take connections */
	struct log log;
	bool access_log;
	http_quick *quick; /* NULL: none */
	void *ctx;         /* its */
	struct http_pool *pool;
	struct http_peers *peers;
	_Atomic int64_t drain_until; /* clock_mono_us(); 0: not draining */
	atomic_uint connections;
	_Atomic uint64_t requests;
	_Atomic uint64_t refused_busy;
	_Atomic uint64_t refused_address;
	_Atomic uint64_t timed_out;
};

struct http_loop {
	struct http_shared *shared;
	struct event_base *base;
	struct event *tick; /* looks for deadlines */
	struct http_acceptor *acceptors;
	bool accepting;
	bool retired; /* takes no connections any more */
	LIST_HEAD(, http_conn) conns;
	struct buf scratch; /* heads of replies */
	time_t date_of;     /* the second that date tells */
	char date[32];
	/* shared: */
	_Atomic(struct http_job *) inbox; /* answered jobs, last first */
	int wake_fd; /* eventfd: something is in the inbox, or draining began */
	struct event *wake;
	bool running;
	pthread_t thread;
};

/* The server's own copies of the listening sockets. Once. */
void http_loop_close_listeners(struct http_shared *shared);
RESULT http_loop_new(struct http_loop **out, struct http_shared *shared, struct err *err);
/* Not while it runs. Frees the jobs that came back too late. */
void http_loop_free(struct http_loop *loop);
RESULT http_loop_start(struct http_loop *loop, unsigned index, struct err *err);
/* Waits for its thread, which ends when draining and without connections. */
void http_loop_join(struct http_loop *loop);

/* Any thread may call these two. */
void http_loop_post(struct http_job *job);
void http_loop_wake(struct http_loop *loop);

/* Value of the Date field now. */
const char *http_loop_date(struct http_loop *loop);
static inline bool http_loop_draining(const struct http_loop *loop)
{
	return atomic_load_explicit(&loop->shared->drain_until, memory_order_relaxed) != 0;
}

#endif
