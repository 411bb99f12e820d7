/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "net/http_loop.h"

/* Most of them wait for the keeper or for a commit, and what waits for a commit shares it. */
#define WORKERS_LEAST 8
#define REQUESTS_LEAST 12

struct http_server {
	struct http_shared shared;
	unsigned n_loops;
	struct http_loop *loops[];
};

static void or_default(unsigned *value, unsigned fallback)
{
	if (*value == 0)
		*value = fallback;
}

/* A 0 that has no meaning of its own takes the default. */
static struct http_server_config complete(const struct http_server_config *config)
{
	static const struct http_limits normal = HTTP_LIMITS_DEFAULT;
	struct http_server_config c = *config;
	struct http_limits *l = &c.limits;

	or_default(&c.loops, thread_cores());
	or_default(&c.workers,
		   4 * thread_cores() < WORKERS_LEAST ? WORKERS_LEAST : 4 * thread_cores());
	or_default(&c.requests,
		   6 * thread_cores() < REQUESTS_LEAST ? REQUESTS_LEAST : 6 * thread_cores());
	or_default(&l->header_seconds, normal.header_seconds);
	or_default(&l->body_seconds, normal.body_seconds);
	or_default(&l->write_seconds, normal.write_seconds);
	or_default(&l->idle_seconds, normal.idle_seconds);
	or_default(&l->connections, normal.connections);
	or_default(&l->queue, normal.queue);
	if (l->header_bytes == 0)
		l->header_bytes = normal.header_bytes;
	if (l->body_bytes == 0)
		l->body_bytes = normal.body_bytes;
	return c;
}

static enum result prepare_socket(struct http_listener *l, struct err *err)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	int flags, one = 1;

	l->fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
	flags = fcntl(l->fd, F_GETFL);

	/* several loops wait for one connection: those that come late must not block */
	if (flags < 0 || fcntl(l->fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return err_errno(err, errno, "listener %s", l->name);
	if (getsockname(l->fd, (struct sockaddr *)&addr, &len) != 0)
		return err_errno(err, errno, "listener %s", l->name);
	/* accepted sockets inherit it */
	if (addr.ss_family != AF_UNIX &&
	    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) != 0)
		return err_errno(err, errno, "listener %s: TCP_NODELAY", l->name);
	return OK;
}

/* A copy of what a listener has borrowed, for us to free; NULL: no memory. */
static void *copy_of(const void *bytes, size_t len)
{
	void *copy = calloc(1, len + 1);

	if (copy && len)
		memcpy(copy, bytes, len);
	return copy;
}

static void free_borrowed(const struct http_listener *l)
{
	const void *const all[] = { l->name, l->proxies, l->tls_proxy.field, l->tls_proxy.trusted };
	size_t i;

	for (i = 0; i < ARRAY_LEN(all); i++)
		free((void *)(uintptr_t)all[i]);
}

/* Its own texts and addresses; on failure none of them. */
static enum result copy_borrowed(struct http_listener *l, struct err *err)
{
	struct http_listener c = *l;
	struct http_tls_proxy *p = &c.tls_proxy;

	c.name = copy_of(l->name, strlen(l->name));
	c.proxies = copy_of(l->proxies, l->n_proxies * sizeof(*l->proxies));
	p->trusted = copy_of(p->trusted, p->n_trusted * sizeof(*p->trusted));
	if (p->field)
		p->field = copy_of(p->field, strlen(p->field));
	if (!c.name || !c.proxies || !p->trusted || (!p->field && l->tls_proxy.field)) {
		free_borrowed(&c);
		return err_nomem(err);
	}
	*l = c;
	return OK;
}

static enum result copy_listeners(struct http_shared *shared,
				  const struct http_server_config *config, struct err *err)
{
	size_t i;

	shared->listeners = calloc(config->n_listeners + 1, sizeof(*shared->listeners));
	if (!shared->listeners)
		return err_nomem(err);
	for (i = 0; i < config->n_listeners; i++) {
		struct http_listener *l = &shared->listeners[i];

		*l = config->listeners[i];
		TRY(copy_borrowed(l, err));
		shared->n_listeners++;
		TRY(prepare_socket(l, err));
	}
	return OK;
}

static enum result start_loops(struct http_server *server, unsigned n, struct err *err)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		TRY(http_loop_new(&server->loops[i], &server->shared, err));
		server->n_loops++;
	}
	atomic_store(&server->shared.taking, n);
	for (i = 0; i < n; i++)
		TRY(http_loop_start(server->loops[i], i, err));
	return OK;
}

static enum result start(struct http_server *server, const struct http_server_config *config,
			 struct err *err)
{
	struct http_shared *shared = &server->shared;

	shared->limits = config->limits;
	shared->log = config->log;
	shared->access_log = config->access_log;
	shared->quick = config->quick;
	shared->ctx = config->ctx;
	TRY(copy_listeners(shared, config, err));
	TRY(http_peers_new(&shared->peers, config->limits.connections_per_address, err));
	TRY(http_pool_new(&shared->pool, config, http_loop_post, err));
	return start_loops(server, config->loops, err);
}

enum result http_server_start(struct http_server **out, const struct http_server_config *config,
			      struct err *err)
{
	const struct http_server_config c = complete(config);
	struct http_server *server;
	enum result r;

	server = calloc(1, sizeof(*server) + c.loops * sizeof(server->loops[0]));
	if (!server)
		return err_nomem(err);
	r = start(server, &c, err);
	if (r != OK) {
		http_server_drain(server, 0);
		return r;
	}
	*out = server;
	return OK;
}

void http_server_drain(struct http_server *server, unsigned seconds)
{
	struct http_shared *shared;
	size_t i;

	if (!server)
		return;
	shared = &server->shared;
	atomic_store(&shared->drain_until, clock_mono_us() + (int64_t)seconds * 1000000);
	for (i = 0; i < server->n_loops; i++)
		http_loop_wake(server->loops[i]);
	for (i = 0; i < server->n_loops; i++)
		http_loop_join(server->loops[i]);
	/* a worker's last job still goes to the inbox of its loop */
	http_pool_free(shared->pool);
	for (i = 0; i < server->n_loops; i++)
		http_loop_free(server->loops[i]);
	http_peers_free(shared->peers);
	http_loop_close_listeners(shared);
	for (i = 0; i < shared->n_listeners; i++)
		free_borrowed(&shared->listeners[i]);
	free(shared->listeners);
	free(server);
}

void http_server_stats(const struct http_server *server, struct http_server_stats *out)
{
	const struct http_shared *shared = &server->shared;

	*out = (struct http_server_stats){
		.connections = atomic_load(&shared->connections),
		.queued = http_pool_queued(shared->pool),
		.requests = atomic_load(&shared->requests),
		.refused_busy = atomic_load(&shared->refused_busy),
		.refused_address = atomic_load(&shared->refused_address),
		.timed_out = atomic_load(&shared->timed_out),
	};
}
