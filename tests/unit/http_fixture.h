/* SPDX-License-Identifier: Apache-2.0 */
/* A server with a toy handler on a free loopback port and a Unix socket, and raw sockets to it. */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "net/http_server.h"

#define BIG_BYTES ((size_t)8 << 20)
#define PATIENCE_SECONDS 60 /* with a machine that may be busy */

/*
 * The handler: /hello answers "hello QUERY", /echo the body, /big BIG_BYTES of 'x', /peer who asks,
 * /certs with which certificates, /forget nothing at all; /shared BIG_BYTES of 'x' that belong to
 * the fixture; /slow waits until the gate is opened, and keeps its thread meanwhile; /wait waits
 * until fixture_ring(), and leaves the thread to others.
 */
struct fixture {
	struct http_server *server;
	int tcp, local; /* listening sockets: "tcp" (strict), "local" (Unix, lenient) */
	uint16_t port;
	char dir[32];
	char path[64]; /* of the Unix socket */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
	unsigned waiting; /* at the gate */
	atomic_uint handled;
	atomic_uint begun; /* of /wait */
	atomic_uint rung;
	atomic_uint shared; /* replies that have not released what they share */
};

/* Small limits of size, none of time; workers 2. All of it may be set before the start. */
struct http_server_config fixture_config(void);
void fixture_start(struct fixture *f, const struct http_server_config *config);
/* lenient, tls: of the TCP listener. */
void fixture_start_with(struct fixture *f, const struct http_server_config *config, bool lenient,
			struct tls_server *tls);
/* As the TCP listener, whose name and socket are set here. */
void fixture_start_listener(struct fixture *f, const struct http_server_config *config,
			    const struct http_listener *tcp);
/* Drains if that was not done. */
void fixture_stop(struct fixture *f);

void fixture_open_gate(struct fixture *f);
void fixture_ring(struct fixture *f);
void fixture_await_begun(const struct fixture *f, unsigned n);
void fixture_await_waiting(struct fixture *f, unsigned n);
struct http_server_stats fixture_stats(const struct fixture *f);
void fixture_await_connections(const struct fixture *f, unsigned n);

/* Sockets that give up, and fail the test, after a minute. */
int fixture_connect(const struct fixture *f);
int fixture_connect_local(const struct fixture *f);
/* recv(), which goes on when the process was stopped for a while. */
ssize_t fixture_recv(int fd, void *p, size_t n, int flags);

void say(int fd, const char *text);

struct heard {
	int status; /* 0: the connection ended before */
	char head[1024];
	char body[1024];
	size_t len; /* of the whole body, which may be larger than what is kept */
};

/* One reply; to a HEAD request without its body. */
struct heard hear(int fd);
struct heard hear_head(int fd);
bool heard_field(const struct heard *h, const char *line);
/* Nothing comes any more. */
void assert_closed(int fd);

#endif
