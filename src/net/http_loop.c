/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/http_conn.h"

#define TICK_US 200000 /* deadlines are in seconds: a fifth is exact enough */

struct http_acceptor {
	struct http_loop *loop;
	const struct http_listener *listener;
	struct event *event;
};

static void stop_accepting(struct http_loop *loop)
{
	size_t i;

	for (i = 0; i < loop->shared->n_listeners; i++)
		(void)event_del(loop->acceptors[i].event);
	loop->accepting = false;
}

static void start_accepting(struct http_loop *loop)
{
	size_t i;

	for (i = 0; i < loop->shared->n_listeners; i++)
		(void)event_add(loop->acceptors[i].event, NULL);
	loop->accepting = true;
}

void http_loop_close_listeners(struct http_shared *shared)
{
	size_t i;

	for (i = 0; i < shared->n_listeners; i++) {
		if (shared->listeners[i].fd >= 0)
			(void)close(shared->listeners[i].fd);
		shared->listeners[i].fd = -1;
	}
}

/* Draining: the last loop closes the sockets, so that who comes now is refused and does not wait.
 */
static void retire(struct http_loop *loop)
{
	if (loop->retired)
		return;
	stop_accepting(loop);
	loop->retired = true;
	if (atomic_fetch_sub(&loop->shared->taking, 1) == 1)
		http_loop_close_listeners(loop->shared);
}

/* The process is out of something: leave the queue alone until the next tick, do not spin. */
static void pause_accepting(struct http_loop *loop, int errnum)
{
	log_warning(&loop->shared->log, "cannot accept connections for the moment",
		    LOG_STR("reason", strerror(errnum)));
	stop_accepting(loop);
}

/* One connection a turn, so that the other loops get theirs. */
static void on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct http_acceptor *a = arg;
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	int conn;

	(void)what;
	conn = accept4(fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (conn >= 0)
		http_conn_accept(a->loop, a->listener, conn, &addr);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		pause_accepting(a->loop, errno);
}

static void answer_inbox(struct http_loop *loop)
{
	struct http_job *job = atomic_exchange(&loop->inbox, NULL), *next;

	for (; job; job = next) {
		next = job->next;
		http_exchange_answer(job);
	}
}

static void end_if_drained(struct http_loop *loop)
{
	if (http_loop_draining(loop) && LIST_EMPTY(&loop->conns))
		(void)event_base_loopbreak(loop->base);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct http_loop *loop = arg;

	(void)fd;
	(void)what;
	answer_inbox(loop);
	if (http_loop_draining(loop))
		retire(loop);
	end_if_drained(loop);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_loop *loop = arg;
	int64_t now = clock_mono_us();

	(void)fd;
	(void)what;
	http_pool_relieve(loop->shared->pool);
	if (!http_loop_draining(loop)) {
		if (!loop->accepting)
			start_accepting(loop);
		http_conn_sweep(loop, now);
		return;
	}
	http_conn_sweep(loop, now);
	if (now >= atomic_load(&loop->shared->drain_until))
		http_conn_cut_all(loop);
	end_if_drained(loop);
}

void http_loop_wake(struct http_loop *loop)
{
	uint64_t one = 1;

	if (write(loop->wake_fd, &one, sizeof(one)) < 0)
		return; /* EAGAIN: it was woken 2^64 times and has not looked yet */
}

void http_loop_post(struct http_job *job)
{
	struct http_loop *loop = job->loop;
	struct http_job *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);

	do {
		job->next = head;
	} while (!atomic_compare_exchange_weak(&loop->inbox, &head, job));
	if (!head) /* whoever posted the first one has woken it */
		http_loop_wake(loop);
}

const char *http_loop_date(struct http_loop *loop)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != loop->date_of) {
		loop->date_of = now;
		(void)gmtime_r(&now, &tm);
		(void)strftime(loop->date, sizeof(loop->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	}
	return loop->date;
}

static void *loop_run(void *arg)
{
	struct http_loop *loop = arg;

	(void)event_base_dispatch(loop->base);
	http_conn_cut_all(loop);
	/* libevent closes a freed bufferevent's socket in the next turn only */
	(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
	return NULL;
}

enum result http_loop_start(struct http_loop *loop, unsigned index, struct err *err)
{
	static const struct thread_kind kind = { .name = "http-loop",
						 .stack = HTTP_STACK,
						 .batch = true };

	TRY(thread_start(&loop->thread, &kind, index, loop_run, loop, err));
	loop->running = true;
	return OK;
}

void http_loop_join(struct http_loop *loop)
{
	if (loop->running)
		(void)pthread_join(loop->thread, NULL);
	loop->running = false;
}

static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (!config)
		return NULL;
	if (event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0)
		base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

static bool add_events(struct http_loop *loop)
{
	static const struct timeval tick = { 0, TICK_US };
	const struct http_shared *shared = loop->shared;
	size_t i;

	/* edge-triggered: each write wakes it anew, and the counter need not be read */
	loop->wake =
	    event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST | EV_ET, on_wake, loop);
	loop->tick = event_new(loop->base, -1, EV_PERSIST, on_tick, loop);
	if (!loop->wake || !loop->tick || event_add(loop->wake, NULL) != 0 ||
	    event_add(loop->tick, &tick) != 0)
		return false;
	for (i = 0; i < shared->n_listeners; i++) {
		struct http_acceptor *a = &loop->acceptors[i];

		a->loop = loop;
		a->listener = &shared->listeners[i];
		a->event =
		    event_new(loop->base, a->listener->fd, EV_READ | EV_PERSIST, on_accept, a);
		if (!a->event)
			return false;
	}
	start_accepting(loop);
	return true;
}

enum result http_loop_new(struct http_loop **out, struct http_shared *shared, struct err *err)
{
	struct http_loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return err_nomem(err);
	loop->shared = shared;
	loop->scratch = BUF_INIT;
	LIST_INIT(&loop->conns);
	atomic_init(&loop->inbox, NULL);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop->base = new_base();
	loop->acceptors = calloc(shared->n_listeners + 1, sizeof(*loop->acceptors));
	if (loop->wake_fd < 0 || !loop->base || !loop->acceptors || !add_events(loop)) {
		http_loop_free(loop);
		return err_set(err, ERR_IO, "cannot make an event loop: %s", strerror(errno));
	}
	*out = loop;
	return OK;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void http_loop_free(struct http_loop *loop)
{
	size_t i;

	if (!loop)
		return;
	answer_inbox(loop);
	for (i = 0; loop->acceptors && i < loop->shared->n_listeners; i++)
		free_event(loop->acceptors[i].event);
	free(loop->acceptors);
	free_event(loop->wake);
	free_event(loop->tick);
	if (loop->base)
		event_base_free(loop->base);
	if (loop->wake_fd >= 0)
		(void)close(loop->wake_fd);
	buf_clear(&loop->scratch);
	free(loop);
}
