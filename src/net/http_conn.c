/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http_proxy.h"
#include "net/http_tls_proxy.h"
#include "net/tls.h"

void http_conn_enter(struct http_conn *c, enum http_phase phase, unsigned seconds)
{
	c->phase = phase;
	c->deadline_us = clock_mono_us() + (int64_t)seconds * 1000000;
}

/* A place among all connections. */
static bool enter_all(struct http_shared *shared)
{
	if (atomic_fetch_add(&shared->connections, 1) < shared->limits.connections)
		return true;
	atomic_fetch_sub(&shared->connections, 1);
	return false;
}

/* A place among those of the client's address. */
static bool enter_address(struct http_conn *c)
{
	struct http_shared *shared = c->loop->shared;

	c->counted = http_peers_enter(shared->peers, &c->addr);
	if (!c->counted)
		atomic_fetch_add(&shared->refused_address, 1);
	return c->counted;
}

static void leave_caps(struct http_conn *c)
{
	if (c->counted)
		http_peers_leave(c->loop->shared->peers, &c->addr);
	atomic_fetch_sub(&c->loop->shared->connections, 1);
}

static void name_peer(struct http_conn *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	c->peer_uid = UINT32_MAX;
	if (address_of_socket(&c->addr, &c->address, &c->peer_port)) {
		address_format(&c->address, c->peer);
		return;
	}
	(void)snprintf(c->peer, sizeof(c->peer), "unix");
	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		c->peer_uid = cred.uid;
}

void http_conn_set_client(struct http_conn *c, const struct address *client, uint16_t port)
{
	address_to_socket(client, port, &c->addr);
	name_peer(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	http_exchange_advance(arg);
}

static void on_write(struct bufferevent *bev, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (c->phase == PHASE_WRITING) /* not after a 100 Continue */
		http_exchange_written(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct http_conn *c = arg;

	(void)bev;
	if (what & BEV_EVENT_CONNECTED) /* the TLS handshake is over */
		return;
	if (!(what & BEV_EVENT_EOF) || !(what & BEV_EVENT_READING)) {
		http_conn_close(c);
		return;
	}
	/* it may have closed one direction only, and wait for its answer */
	c->eof = true;
	http_exchange_advance(c);
}

static struct bufferevent *new_bufferevent(struct http_loop *loop,
					   const struct http_listener *listener, int fd)
{
	struct bufferevent *bev;
	void *ssl;

	if (!listener->tls)
		return bufferevent_socket_new(loop->base, fd, BEV_OPT_CLOSE_ON_FREE);
	ssl = tls_server_ssl(listener->tls);
	if (!ssl)
		return NULL;
	bev = bufferevent_openssl_socket_new(loop->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
					     BEV_OPT_CLOSE_ON_FREE);
	if (bev)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	else
		tls_server_ssl_free(ssl);
	return bev;
}

void http_conn_begin(struct http_conn *c, struct span early)
{
	if (enter_address(c))
		c->bev = new_bufferevent(c->loop, c->listener, c->fd);
	if (!c->bev) {
		http_conn_close(c);
		return;
	}
	c->fd = -1;
	if (early.len)
		(void)evbuffer_prepend(bufferevent_get_input(c->bev), early.p, early.len);
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	(void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
	/* whoever connects has something to say: its time for the first head begins now */
	http_conn_enter(c, PHASE_HEAD, c->loop->shared->limits.header_seconds);
}

void http_conn_accept(struct http_loop *loop, const struct http_listener *listener, int fd,
		      const struct sockaddr_storage *addr)
{
	struct http_conn *c = calloc(1, sizeof(*c));

	if (!c || !enter_all(loop->shared)) {
		free(c);
		(void)close(fd);
		return;
	}
	c->loop = loop;
	c->listener = listener;
	c->fd = fd;
	c->addr = *addr;
	name_peer(c);
	LIST_INSERT_HEAD(&loop->conns, c, link);
	/* whom a PROXY header names is another matter */
	c->by_proxy = http_tls_proxy_is_trusted(listener, &c->address);
	if (http_proxy_is_trusted(listener, &c->address))
		http_proxy_begin(c);
	else
		http_conn_begin(c, SPAN_NONE);
}

void http_conn_close(struct http_conn *c)
{
	if (c->job && c->phase == PHASE_WORKING) {
		/* the worker goes on; its reply will find nobody */
		c->job->conn = NULL;
		atomic_store_explicit(&c->job->abandoned, true, memory_order_relaxed);
	} else {
		http_job_free(c->job);
	}
	http_proxy_free(c->proxy);
	if (c->bev && c->listener->tls)
		tls_server_ssl_close(bufferevent_openssl_get_ssl(c->bev));
	if (c->bev)
		bufferevent_free(c->bev);
	if (c->fd >= 0)
		(void)close(c->fd);
	tls_peer_unref(c->tls);
	leave_caps(c);
	LIST_REMOVE(c, link);
	free(c);
}

/* No request, or part of one, and no reply is on its way. */
static bool is_quiet(const struct http_conn *c)
{
	return c->phase == PHASE_IDLE || c->phase == PHASE_LINGER ||
	       (c->phase == PHASE_HEAD && evbuffer_get_length(bufferevent_get_input(c->bev)) == 0);
}

static void time_out(struct http_conn *c)
{
	static const char *const phases[] = {
		[PHASE_PROXY] = "PROXY header",
		[PHASE_HEAD] = "header",
		[PHASE_BODY] = "body",
		[PHASE_WRITING] = "reply",
	};

	if (!is_quiet(c)) {
		atomic_fetch_add(&c->loop->shared->timed_out, 1);
		log_info(&c->loop->shared->log, "connection cut: too slow",
			 LOG_STR("phase", phases[c->phase]), LOG_STR("peer", c->peer),
			 LOG_STR("listener", c->listener->name));
	}
	http_conn_close(c);
}

void http_conn_sweep(struct http_loop *loop, int64_t now_us)
{
	struct http_conn *c = LIST_FIRST(&loop->conns), *next;
	bool draining = http_loop_draining(loop);

	for (; c; c = next) {
		next = LIST_NEXT(c, link);
		if (c->phase != PHASE_WORKING && now_us >= c->deadline_us)
			time_out(c);
		else if (draining && c->phase != PHASE_LINGER &&
			 (c->phase == PHASE_PROXY || is_quiet(c)))
			http_conn_close(c);
	}
}

void http_conn_cut_all(struct http_loop *loop)
{
	struct http_conn *c;

	while ((c = LIST_FIRST(&loop->conns)))
		http_conn_close(c);
}
