/* SPDX-License-Identifier: Apache-2.0 */
/* What the server answers, spoken to by raw sockets. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define H "Host: a\r\n"

static void methods_on_one_connection(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f);
	struct heard h;

	say(fd, "GET /hello?a=+b%20 HTTP/1.1\r\n" H "\r\n");
	h = hear(fd);
	assert_int_equal(h.status, 200);
	assert_string_equal(h.body, "hello a=+b%20\n");
	assert_true(heard_field(&h, "Content-Type: text/plain; charset=utf-8"));
	assert_non_null(strstr(h.head, "\r\nDate: "));
	say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhello");
	assert_string_equal(hear(fd).body, "hello");
	say(fd, "HEAD /hello HTTP/1.1\r\n" H "\r\n");
	h = hear_head(fd);
	assert_int_equal(h.status, 200);
	assert_true(heard_field(&h, "Content-Length: 7"));
	say(fd, "DELETE /nowhere HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).status, 404);
	say(fd, "GET /forget HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).status, 500);
	say(fd, "GET /big HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).len, BIG_BYTES);
	say(fd, "GET /hello HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
	h = hear(fd);
	assert_int_equal(h.status, 200);
	assert_true(heard_field(&h, "Connection: close"));
	assert_closed(fd);
}

static void await_released(const struct fixture *f)
{
	const int64_t until = clock_mono_us() + PATIENCE_SECONDS * 1000000;

	while (atomic_load(&f->shared)) {
		assert_true(clock_mono_us() < until);
		(void)usleep(1000);
	}
}

/* Sent whole, not at all, or to one who goes away: it is let go of once. */
static void shared_bodies_are_released(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f), local = fixture_connect_local(f);

	say(fd, "GET /shared HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).len, BIG_BYTES);
	await_released(f);
	say(fd, "HEAD /shared HTTP/1.1\r\n" H "\r\n");
	assert_true(atomic_load(&f->shared) <= 1);
	assert_int_equal(hear_head(fd).status, 200);
	await_released(f);
	say(local, "GET /shared HTTP/1.1\r\n" H "\r\n");
	while (atomic_load(&f->handled) < 3)
		(void)usleep(1000);
	(void)close(local);
	await_released(f);
	(void)close(fd);
}

static void peer_is_known(void **state)
{
	struct fixture *f = *state;
	int tcp = fixture_connect(f), local = fixture_connect_local(f);
	char want[64];

	say(tcp, "GET /peer HTTP/1.1\r\n" H "\r\n");
	assert_string_equal(hear(tcp).body, "tcp 127.0.0.1 port uid=-1 tls=0\n");
	say(local, "GET /peer HTTP/1.1\r\n" H "\r\n");
	(void)snprintf(want, sizeof(want), "local unix no-port uid=%u tls=0\n", getuid());
	assert_string_equal(hear(local).body, want);
	(void)close(tcp);
	(void)close(local);
}

/* All in one packet; among them bodies of both kinds, which must not be taken for requests. */
static void pipelined_requests_in_order(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f);

	say(fd, "GET /hello?1 HTTP/1.1\r\n" H "\r\n"
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nGET /"
		"POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n"
		"4\r\nGET \r\n2;x\r\n/b\r\n0\r\nT: x\r\n\r\n"
		"HEAD /hello HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\nGET "
		"GET /hello?5 HTTP/1.1\r\n" H "\r\n");
	assert_string_equal(hear(fd).body, "hello 1\n");
	assert_string_equal(hear(fd).body, "GET /");
	assert_string_equal(hear(fd).body, "GET /b");
	assert_int_equal(hear_head(fd).status, 200);
	assert_string_equal(hear(fd).body, "hello 5\n");
	(void)close(fd);
}

/* More than the server keeps in hand while a worker is busy. */
static void many_pipelined_requests(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f), i;
	BUF all = BUF_INIT;
	char want[32];

	for (i = 0; i < 500; i++)
		buf_printf(&all, "GET /hello?%d HTTP/1.1\r\n" H "\r\n", i);
	say(fd, buf_cstr(&all));
	for (i = 0; i < 500; i++) {
		(void)snprintf(want, sizeof(want), "hello %d\n", i);
		assert_string_equal(hear(fd).body, want);
	}
	(void)close(fd);
}

static void a_request_in_single_bytes(void **state)
{
	static const char text[] = "\r\nPOST /echo HTTP/1.1\r\n" H
				   "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
	struct fixture *f = *state;
	int fd = fixture_connect(f);
	size_t i;

	for (i = 0; i < sizeof(text) - 1; i++) {
		say(fd, (const char[]){ text[i], '\0' });
		(void)usleep(200);
	}
	assert_string_equal(hear(fd).body, "abc");
	(void)close(fd);
}

static void expect_continue(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f);

	say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(hear_head(fd).status, 100);
	say(fd, "ok");
	assert_string_equal(hear(fd).body, "ok");
	say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nok");
	assert_int_equal(hear(fd).status, 200);
	/* no invitation for what is too large */
	say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 9999\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(hear(fd).status, 413);
	assert_closed(fd);
}

/* The client closes its side with the request, and still wants its answer. */
static void half_closed_client_is_answered(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect(f);

	say(fd, "GET /hello?1 HTTP/1.1\r\n" H "\r\nGET /hello?2 HTTP/1.1\r\n" H "\r\nGET /hel");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(hear(fd).body, "hello 1\n");
	assert_string_equal(hear(fd).body, "hello 2\n");
	assert_closed(fd);
}

/* The first wrong byte ends a connection: what follows it is nobody's request. */
static void refused_framing(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *says;
	} row[] = {
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
		  "\r\n0\r\n\r\n",
		  400, "Content-Length and Transfer-Encoding" },
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		  400, "Content-Length" },
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\nab", 400, "+2" },
		{ "POST /echo HTTP/1.1\r\n" H "Content-Length : 2\r\n\r\nab", 400, "colon" },
		{ "POST /echo HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", 400, "obs-fold" },
		{ "GET /hello HTTP/1.1\r\n\r\n", 400, "Host" },
		{ "GET /hello HTTP/1.0\r\n\r\n", 400, "HTTP/1.0" },
		{ "GET /hello HTTP/2.0\r\n\r\n", 505, "HTTP/1.1" },
		{ "GET /hello HTTP/1.1\nHost: a\n\n", 400, "LF" },
		{ "\x16\x03\x01\x02\r\n\r\n", 400, "request line" },
		{ "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n+1\r\na", 400,
		  "chunk" },
	};
	struct fixture *f = *state;
	unsigned handled = atomic_load(&f->handled);
	size_t i;

	for (i = 0; i < ARRAY_LEN(row); i++) {
		int fd = fixture_connect(f);
		struct heard h;

		say(fd, row[i].text);
		say(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
		h = hear(fd);
		assert_int_equal(h.status, row[i].status);
		assert_true(heard_field(&h, "Connection: close"));
		if (!strstr(h.body, row[i].says))
			fail_msg("row %zu: %s", i, h.body);
		assert_closed(fd);
	}
	assert_int_equal(atomic_load(&f->handled), handled);
}

/* The listener for SCEP devices, here the one on the Unix socket. */
static void old_devices(void **state)
{
	struct fixture *f = *state;
	int fd = fixture_connect_local(f);
	struct heard h;

	say(fd, "GET /hello?x HTTP/1.1\r\n\r\n");
	assert_string_equal(hear(fd).body, "hello x\n");
	say(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	h = hear(fd);
	assert_true(heard_field(&h, "Connection: keep-alive"));
	assert_memory_equal(h.head, "HTTP/1.0 200 OK\r\n", 17);
	say(fd, "GET /hello HTTP/1.0\r\n\r\n");
	h = hear(fd);
	assert_int_equal(h.status, 200);
	assert_true(heard_field(&h, "Connection: close"));
	assert_closed(fd);
	fd = fixture_connect_local(f);
	say(fd, "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nab");
	h = hear(fd);
	assert_int_equal(h.status, 200);
	assert_string_equal(h.body, "ab");
	assert_closed(fd);
	fd = fixture_connect_local(f);
	say(fd, "POST /echo HTTP/1.0\r\n\r\nab");
	h = hear(fd);
	assert_int_equal(h.status, 400);
	assert_non_null(strstr(h.body, "RFC 1945 8.3"));
	assert_closed(fd);
}

static void sizes_are_limited(void **state)
{
	struct fixture *f = *state;
	BUF head = BUF_INIT;
	int fd = fixture_connect(f);

	say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 2049\r\n\r\nthe rest never comes");
	assert_int_equal(hear(fd).status, 413);
	assert_closed(fd);

	fd = fixture_connect(f);
	say(fd, "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n801\r\n");
	assert_int_equal(hear(fd).status, 413);
	assert_closed(fd);

	buf_put_str(&head, "GET /hello HTTP/1.1\r\n" H "X: ");
	while (head.len < 1020)
		buf_put_byte(&head, 'x');
	fd = fixture_connect(f);
	say(fd, buf_cstr(&head));
	say(fd, "\r\n\r\n"); /* 1024: just so */
	assert_int_equal(hear(fd).status, 200);
	say(fd, buf_cstr(&head));
	say(fd, "x\r\n\r\n");
	assert_int_equal(hear(fd).status, 431);
	assert_closed(fd);
}

static enum result worker_fails(void *ctx, void **worker, struct err *err)
{
	(void)ctx;
	(void)worker;
	return err_set(err, ERR_CONFIG, "no provider");
}

static void failing_worker_stops_the_start(void **state)
{
	struct http_server_config c = fixture_config();
	struct http_server *server = NULL;
	struct err err = { 0 };

	(void)state;
	c.worker_new = worker_fails;
	assert_int_equal(http_server_start(&server, &c, &err), ERR_CONFIG);
	assert_string_equal(err.text, "no provider");
	assert_null(server);
}

static enum result worker_counts(void *ctx, void **worker, struct err *err)
{
	struct fixture *f = ctx;

	(void)err;
	*worker = f;
	atomic_fetch_add(&f->handled, 1000);
	return OK;
}

static void worker_uncounts(void *ctx, void *worker)
{
	struct fixture *f = worker;

	assert_ptr_equal(ctx, worker);
	atomic_fetch_sub(&f->handled, 1000);
}

static void workers_have_their_own(void **state)
{
	struct http_server_config c = fixture_config();
	struct fixture f;

	(void)state;
	c.worker_new = worker_counts;
	c.worker_free = worker_uncounts;
	c.workers = 3;
	fixture_start(&f, &c);
	assert_int_equal(atomic_load(&f.handled), 1000); /* more when they are wanted */
	fixture_stop(&f);
	assert_int_equal(atomic_load(&f.handled), 0);
}

/* A line a request, refused ones too; never a query, in which a whole request may be. */
static void access_log(void **state)
{
	struct http_server_config c = fixture_config();
	struct log_sink *sink;
	struct fixture f;
	char text[4096];
	int pipes[2], fd;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(log_sink_new(&sink, pipes[1], "test", LOG_LEVEL_INFO, NULL), OK);
	log_init(&c.log, sink);
	c.access_log = true;
	fixture_start(&f, &c);
	fd = fixture_connect(&f);
	say(fd, "GET /hello?operation=secret HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).status, 200);
	say(fd, "POST /echo?secret HTTP/1.1\r\n" H "Content-Length: 9999\r\n\r\n");
	assert_int_equal(hear(fd).status, 413);
	assert_closed(fd);
	n = read(pipes[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "\"method\":\"GET\",\"path\":\"/hello\",\"status\":200,"));
	assert_non_null(strstr(text, "\"method\":\"POST\",\"path\":\"/echo\",\"status\":413,"));
	assert_non_null(strstr(text, "\"peer\":\"127.0.0.1\",\"listener\":\"tcp\""));
	assert_null(strstr(text, "secret"));
	fixture_stop(&f);
	log_sink_free(sink);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static int start(void **state)
{
	static struct fixture f;
	struct http_server_config c = fixture_config();

	fixture_start(&f, &c);
	*state = &f;
	return 0;
}

static int stop(void **state)
{
	fixture_stop(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_on_one_connection),
		cmocka_unit_test(shared_bodies_are_released),
		cmocka_unit_test(peer_is_known),
		cmocka_unit_test(pipelined_requests_in_order),
		cmocka_unit_test(many_pipelined_requests),
		cmocka_unit_test(a_request_in_single_bytes),
		cmocka_unit_test(expect_continue),
		cmocka_unit_test(half_closed_client_is_answered),
		cmocka_unit_test(refused_framing),
		cmocka_unit_test(old_devices),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(failing_worker_stops_the_start),
		cmocka_unit_test(workers_have_their_own),
		cmocka_unit_test(access_log),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
