/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crew.h"

#define NEVER_SECONDS 600 /* a limit that no test reaches, however busy the machine */

static void wait_at_gate(struct fixture *f)
{
	(void)pthread_mutex_lock(&f->lock);
	f->waiting++;
	(void)pthread_cond_broadcast(&f->changed);
	while (!f->open)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	f->waiting--;
	(void)pthread_mutex_unlock(&f->lock);
}

static void answer_hello(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)f;
	http_reply_text(rep, 200, "hello %.*s", (int)req->query.len, req->query.p);
}

static void answer_echo(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)f;
	rep->status = 200;
	rep->content_type = "application/octet-stream";
	buf_put(&rep->body, req->body);
}

static void answer_big(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	uint8_t *at = buf_extend(&rep->body, BIG_BYTES);

	(void)f;
	(void)req;
	if (at)
		memset(at, 'x', BIG_BYTES);
	rep->status = 200;
	rep->content_type = "application/octet-stream";
}

static void released(void *owner)
{
	struct fixture *f = owner;

	atomic_fetch_sub(&f->shared, 1);
}

static void answer_shared(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	static const uint8_t bytes[BIG_BYTES] = { 'x' };

	(void)req;
	atomic_fetch_add(&f->shared, 1);
	rep->status = 200;
	rep->content_type = "application/octet-stream";
	rep->lent = (struct http_lent){ SPAN_ARRAY(bytes), released, f };
}

static void answer_peer(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)f;
	http_reply_text(rep, 200, "%s %s %s uid=%lld tls=%d", req->listener, req->peer,
			req->peer_port ? "port" : "no-port",
			req->peer_uid == UINT32_MAX ? -1LL : (long long)req->peer_uid, req->tls);
}

static void answer_certs(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)f;
	http_reply_text(rep, 200, "certs=%zu leaf=%zu verified=%d binding=%zu", req->n_client_certs,
			req->n_client_certs ? req->client_certs[0].len : 0, req->client_verified,
			req->channel_binding.len);
}

static void answer_forget(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)f;
	(void)req;
	(void)rep;
}

static void answer_slow(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)req;
	wait_at_gate(f);
	http_reply_text(rep, 200, "at last");
}

static void answer_wait(struct fixture *f, const struct http_request *req, struct http_reply *rep)
{
	(void)req;
	crew_share();
	atomic_fetch_add(&f->begun, 1);
	(void)crew_await(&f->rung, 0, PATIENCE_SECONDS * 1000);
	http_reply_text(rep, 200, "waited");
}

static void handle(void *ctx, void *worker, const struct http_request *req,
		   struct http_reply *reply)
{
	static const struct {
		const char *path;
		void (*answer)(struct fixture *, const struct http_request *, struct http_reply *);
	} pages[] = {
		{ "/hello", answer_hello },   { "/echo", answer_echo },
		{ "/big", answer_big },       { "/peer", answer_peer },
		{ "/forget", answer_forget }, { "/slow", answer_slow },
		{ "/shared", answer_shared }, { "/certs", answer_certs },
		{ "/wait", answer_wait },
	};
	struct fixture *f = ctx;
	size_t i;

	(void)worker;
	atomic_fetch_add(&f->handled, 1);
	for (i = 0; i < ARRAY_LEN(pages); i++)
		if (span_eq_str(req->path, pages[i].path)) {
			pages[i].answer(f, req, reply);
			return;
		}
	http_reply_text(reply, 404, "no such page");
}

struct http_server_config fixture_config(void)
{
	return (struct http_server_config){
		.limits = {
			.header_bytes = 1024,
			.body_bytes = 2048,
			.header_seconds = NEVER_SECONDS,
			.body_seconds = NEVER_SECONDS,
			.write_seconds = NEVER_SECONDS,
			.idle_seconds = NEVER_SECONDS,
		},
		.loops = 2,
		.workers = 2,
		.handler = handle,
	};
}

static void listen_tcp(struct fixture *f)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);

	f->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->tcp >= 0);
	assert_int_equal(bind(f->tcp, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(f->tcp, 64), 0);
	assert_int_equal(getsockname(f->tcp, (struct sockaddr *)&in, &len), 0);
	f->port = ntohs(in.sin_port);
}

static struct sockaddr_un local_address(const struct fixture *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", f->path);
	return un;
}

static void listen_local(struct fixture *f)
{
	struct sockaddr_un un;

	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/scepter-http-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
	un = local_address(f);
	f->local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(f->local >= 0);
	assert_int_equal(bind(f->local, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(f->local, 64), 0);
}

void fixture_start_listener(struct fixture *f, const struct http_server_config *config,
			    const struct http_listener *tcp)
{
	struct http_server_config c = *config;
	struct http_listener listeners[2];
	struct err err = { 0 };

	*f = (struct fixture){ 0 };
	(void)pthread_mutex_init(&f->lock, NULL);
	(void)pthread_cond_init(&f->changed, NULL);
	listen_tcp(f);
	listen_local(f);
	listeners[0] = *tcp;
	listeners[0].name = "tcp";
	listeners[0].fd = f->tcp;
	listeners[1] =
	    (struct http_listener){ .name = "local", .fd = f->local, .lenient_gets = true };
	c.listeners = listeners;
	c.n_listeners = ARRAY_LEN(listeners);
	c.ctx = f;
	if (http_server_start(&f->server, &c, &err) != OK)
		fail_msg("%s", err.text);
}

void fixture_start_with(struct fixture *f, const struct http_server_config *config, bool lenient,
			struct tls_server *tls)
{
	const struct http_listener tcp = { .lenient_gets = lenient, .tls = tls };

	fixture_start_listener(f, config, &tcp);
}

void fixture_start(struct fixture *f, const struct http_server_config *config)
{
	fixture_start_with(f, config, false, NULL);
}

void fixture_stop(struct fixture *f)
{
	fixture_open_gate(f);
	http_server_drain(f->server, 1);
	(void)close(f->tcp);
	(void)close(f->local);
	(void)unlink(f->path);
	(void)rmdir(f->dir);
	(void)pthread_mutex_destroy(&f->lock);
	(void)pthread_cond_destroy(&f->changed);
}

void fixture_open_gate(struct fixture *f)
{
	(void)pthread_mutex_lock(&f->lock);
	f->open = true;
	(void)pthread_cond_broadcast(&f->changed);
	(void)pthread_mutex_unlock(&f->lock);
}

void fixture_await_waiting(struct fixture *f, unsigned n)
{
	(void)pthread_mutex_lock(&f->lock);
	while (f->waiting < n)
		(void)pthread_cond_wait(&f->changed, &f->lock);
	(void)pthread_mutex_unlock(&f->lock);
}

void fixture_ring(struct fixture *f)
{
	assert_true(await_tell(&f->rung, 0, 1));
}

void fixture_await_begun(const struct fixture *f, unsigned n)
{
	const int64_t until = clock_mono_us() + PATIENCE_SECONDS * 1000000;

	while (atomic_load(&f->begun) < n) {
		assert_true(clock_mono_us() < until);
		(void)usleep(1000);
	}
}

struct http_server_stats fixture_stats(const struct fixture *f)
{
	struct http_server_stats s;

	http_server_stats(f->server, &s);
	return s;
}

void fixture_await_connections(const struct fixture *f, unsigned n)
{
	int64_t until = clock_mono_us() + PATIENCE_SECONDS * 1000000;

	while (fixture_stats(f).connections != n) {
		assert_true(clock_mono_us() < until);
		(void)usleep(1000);
	}
}

static int connected(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct timeval patience = { .tv_sec = PATIENCE_SECONDS };

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, addr, len), 0);
	return fd;
}

ssize_t fixture_recv(int fd, void *p, size_t n, int flags)
{
	return TEMP_FAILURE_RETRY(recv(fd, p, n, flags));
}

int fixture_connect(const struct fixture *f)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_port = htons(f->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};

	return connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&in,
			 sizeof(in));
}

int fixture_connect_local(const struct fixture *f)
{
	struct sockaddr_un un = local_address(f);

	return connected(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&un,
			 sizeof(un));
}

void say(int fd, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

/* False at the end of the connection. */
static bool hear_bytes(int fd, void *p, size_t n)
{
	ssize_t got = fixture_recv(fd, p, n, MSG_WAITALL);

	if (got < 0 && errno == EAGAIN)
		fail_msg("no reply within %d seconds", PATIENCE_SECONDS);
	return got == (ssize_t)n;
}

static void hear_body(int fd, struct heard *h)
{
	const char *field = strstr(h->head, "Content-Length: ");
	size_t left = field ? strtoul(field + 16, NULL, 10) : 0;
	char piece[4096];

	for (; left; left -= left < sizeof(piece) ? left : sizeof(piece)) {
		size_t n = left < sizeof(piece) ? left : sizeof(piece);

		if (!hear_bytes(fd, piece, n)) {
			h->status = 0;
			return;
		}
		if (h->len + n < sizeof(h->body))
			memcpy(h->body + h->len, piece, n);
		h->len += n;
	}
}

struct heard hear_head(int fd)
{
	struct heard h = { 0 };
	size_t n = 0;

	while (n < 4 || memcmp(h.head + n - 4, "\r\n\r\n", 4) != 0) {
		assert_true(n < sizeof(h.head) - 1);
		if (!hear_bytes(fd, h.head + n++, 1))
			return (struct heard){ 0 };
	}
	if (sscanf(h.head, "HTTP/1.%*d %d", &h.status) != 1)
		fail_msg("not a reply: %s", h.head);
	return h;
}

struct heard hear(int fd)
{
	struct heard h = hear_head(fd);

	if (h.status)
		hear_body(fd, &h);
	return h;
}

bool heard_field(const struct heard *h, const char *line)
{
	const char *at = strstr(h->head, line);

	return at && at[-1] == '\n' && strncmp(at + strlen(line), "\r\n", 2) == 0;
}

void assert_closed(int fd)
{
	char byte;
	ssize_t n = fixture_recv(fd, &byte, 1, 0);

	if (n > 0)
		fail_msg("the connection goes on with '%c'", byte);
	if (n < 0 && errno != ECONNRESET)
		fail_msg("the connection stays open: %s", strerror(errno));
	(void)close(fd);
}
