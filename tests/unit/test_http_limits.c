/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have how much, and for how long; those who leave; and the end of the server. */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http_peers.h"

#define H "Host: a\r\n"
#define STEP_US 50000 /* a slow client does something twenty times a second */
/* A second is over: no sooner, by the clock of a test that began before the server's. */
#define SECOND_US 900000
/* However busy the machine: the limits that a test leaves alone are longer. */
#define PATIENCE_US 60000000

/* So that what is sent or left in the way does not hide the state of the peer. */
static void reset_on_close(int fd)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	(void)close(fd);
}

struct slow_client {
	const char *begins;
	bool reads; /* takes a byte a step; otherwise sends one */
	int fd;
	int64_t ended_us; /* 0: still there */
};

static bool step_ends(struct slow_client *s)
{
	char byte;
	ssize_t n;

	n = recv(s->fd, &byte, 1, MSG_DONTWAIT);
	if (n != 0 && s->begins && !s->reads)
		n = send(s->fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

static void begin_slowly(const struct fixture *f, struct slow_client *s)
{
	int small = 4096;

	s->fd = fixture_connect(f);
	if (s->reads)
		(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (s->begins)
		say(s->fd, s->begins);
}

/*
 * Each of them is busy all the time, and each must be gone when its second is over. How soon after
 * that is the machine's affair: nothing but that second would end them.
 */
static void slow_clients_lose_their_place(void **state)
{
	struct slow_client clients[] = {
		{ .begins = NULL },                         /* never says a word */
		{ .begins = "GET /hello HTTP/1.1\r\nX: " }, /* trickles its header */
		{ .begins = "POST /echo HTTP/1.1\r\n" H "Content-Length: 2000\r\n\r\n" },
		{ .begins = "POST /echo HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n5;" },
		{ .begins = "POST /echo HTTP/1.1\r\n" H "Content-Length: 9999\r\n\r\n" },
	};
	struct http_server_config c = fixture_config();
	struct fixture f;
	int64_t begun = clock_mono_us();
	size_t i, left = ARRAY_LEN(clients);

	(void)state;
	c.limits.header_seconds = c.limits.body_seconds = 1;
	fixture_start(&f, &c);
	for (i = 0; i < ARRAY_LEN(clients); i++)
		begin_slowly(&f, &clients[i]);
	while (left && clock_mono_us() - begun < PATIENCE_US) {
		(void)usleep(STEP_US);
		for (i = 0; i < ARRAY_LEN(clients); i++)
			if (!clients[i].ended_us && step_ends(&clients[i])) {
				clients[i].ended_us = clock_mono_us() - begun;
				left--;
			}
	}
	for (i = 0; i < ARRAY_LEN(clients); i++) {
		/* the last one is refused at once, and heard to the end of its lingering */
		if (clients[i].ended_us < SECOND_US)
			fail_msg("client %zu ended after %lld us", i,
				 (long long)clients[i].ended_us);
		(void)close(clients[i].fd);
	}
	fixture_await_connections(&f, 0);
	assert_int_equal(fixture_stats(&f).timed_out, 3);
	fixture_stop(&f);
}

static void slow_reader_loses_its_place(void **state)
{
	struct slow_client s = { .begins = "GET /big HTTP/1.1\r\n" H "\r\n", .reads = true };
	struct http_server_config c = fixture_config();
	int64_t begun = clock_mono_us();
	struct fixture f;

	(void)state;
	c.limits.write_seconds = 1;
	fixture_start(&f, &c);
	begin_slowly(&f, &s);
	while (fixture_stats(&f).timed_out == 0 && clock_mono_us() - begun < PATIENCE_US) {
		(void)step_ends(&s);
		(void)usleep(STEP_US);
	}
	assert_int_equal(fixture_stats(&f).timed_out, 1);
	assert_true(clock_mono_us() - begun >= SECOND_US);
	fixture_await_connections(&f, 0);
	(void)close(s.fd);
	fixture_stop(&f);
}

static void idle_connection_is_closed(void **state)
{
	struct http_server_config c = fixture_config();
	struct fixture f;
	int fd;

	(void)state;
	c.limits.idle_seconds = 1;
	fixture_start(&f, &c);
	fd = fixture_connect(&f);
	say(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).status, 200);
	assert_closed(fd);
	assert_int_equal(fixture_stats(&f).timed_out, 0);
	fixture_stop(&f);
}

static void connections_per_address(void **state)
{
	struct http_server_config c = fixture_config();
	struct fixture f;
	int fd[2], local[3], i;

	(void)state;
	c.limits.connections_per_address = 2;
	fixture_start(&f, &c);
	for (i = 0; i < 2; i++) {
		fd[i] = fixture_connect(&f);
		say(fd[i], "GET /hello HTTP/1.1\r\n" H "\r\n");
		assert_int_equal(hear(fd[i]).status, 200);
	}
	assert_closed(fixture_connect(&f));
	assert_int_equal(fixture_stats(&f).refused_address, 1);
	for (i = 0; i < 3; i++) {
		local[i] = fixture_connect_local(&f);
		say(local[i], "GET /hello HTTP/1.1\r\n" H "\r\n");
		assert_int_equal(hear(local[i]).status, 200);
	}
	(void)close(fd[0]);
	fixture_await_connections(&f, 4);
	fd[0] = fixture_connect(&f);
	say(fd[0], "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd[0]).status, 200);
	for (i = 0; i < 3; i++)
		(void)close(local[i]);
	(void)close(fd[0]);
	(void)close(fd[1]);
	fixture_stop(&f);
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;
	struct sockaddr_in *in = (struct sockaddr_in *)&ss;

	if (strchr(text, ':')) {
		in6->sin6_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
	} else {
		in->sin_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
	}
	return ss;
}

/* An IPv6 host has its /64 to choose from; an IPv4 one is the same through an IPv6 socket. */
static void who_counts_as_one_address(void **state)
{
	static const struct {
		const char *one, *other;
		bool same;
	} row[] = {
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1", "::ffff:192.0.2.1", true },
		{ "2001:db8::1", "2001:db8::ffff:1:2:3", true },
		{ "2001:db8::1", "2001:db8:0:1::1", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		const struct sockaddr_storage one = address(row[i].one);
		const struct sockaddr_storage other = address(row[i].other);
		struct http_peers *peers;

		assert_int_equal(http_peers_new(&peers, 1, NULL), OK);
		assert_true(http_peers_enter(peers, &one));
		assert_int_equal(http_peers_enter(peers, &other), !row[i].same);
		http_peers_leave(peers, &one);
		assert_true(http_peers_enter(peers, &one));
		http_peers_free(peers);
	}
}

static void connections_in_all(void **state)
{
	struct http_server_config c = fixture_config();
	struct fixture f;
	int fd[2], i;

	(void)state;
	c.limits.connections = 2;
	fixture_start(&f, &c);
	for (i = 0; i < 2; i++) {
		fd[i] = fixture_connect_local(&f);
		say(fd[i], "GET /hello HTTP/1.1\r\n" H "\r\n");
		assert_int_equal(hear(fd[i]).status, 200);
	}
	assert_closed(fixture_connect(&f));
	assert_closed(fixture_connect_local(&f));
	(void)close(fd[0]);
	(void)close(fd[1]);
	fixture_stop(&f);
}

static void full_queue_is_said_at_once(void **state)
{
	struct http_server_config c = fixture_config();
	struct fixture f;
	int busy, queued, refused;
	struct heard h;

	(void)state;
	c.workers = 1;
	c.limits.queue = 1;
	fixture_start(&f, &c);
	busy = fixture_connect(&f);
	say(busy, "GET /slow HTTP/1.1\r\n" H "\r\n");
	fixture_await_waiting(&f, 1);
	queued = fixture_connect(&f);
	say(queued, "GET /hello HTTP/1.1\r\n" H "\r\n");
	while (fixture_stats(&f).queued != 1)
		(void)usleep(1000);
	refused = fixture_connect(&f);
	say(refused, "GET /hello HTTP/1.1\r\n" H "\r\nGET /hello HTTP/1.1\r\n" H "\r\n");
	h = hear(refused);
	assert_int_equal(h.status, 503);
	assert_true(heard_field(&h, "Retry-After: 2"));
	assert_int_equal(hear(refused).status, 503);
	assert_int_equal(fixture_stats(&f).refused_busy, 2);
	fixture_open_gate(&f);
	assert_int_equal(hear(busy).status, 200);
	assert_int_equal(hear(queued).status, 200);
	say(refused, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(refused).status, 200);
	(void)close(busy);
	(void)close(queued);
	(void)close(refused);
	fixture_stop(&f);
}

/* One leaves while its request is worked on, one while it waits for that: the second is spared. */
static void clients_that_leave(void **state)
{
	struct http_server_config c = fixture_config();
	struct fixture f;
	int busy, queued, other;

	(void)state;
	c.workers = 1;
	fixture_start(&f, &c);
	busy = fixture_connect(&f);
	say(busy, "GET /slow HTTP/1.1\r\n" H "\r\n");
	fixture_await_waiting(&f, 1);
	queued = fixture_connect(&f);
	say(queued, "GET /big HTTP/1.1\r\n" H "\r\n");
	other = fixture_connect(&f);
	say(other, "GET /hello HTTP/1.1\r\n" H "\r\n");
	while (fixture_stats(&f).queued != 2)
		(void)usleep(1000);
	reset_on_close(busy);
	reset_on_close(queued);
	fixture_await_connections(&f, 1);
	fixture_open_gate(&f);
	assert_int_equal(hear(other).status, 200);
	assert_int_equal(atomic_load(&f.handled), 2);
	(void)close(other);
	fixture_stop(&f);
}

/* All at once, from several threads: for the race detectors. */
#define RUDE_THREADS 4
#define RUDE_ROUNDS 60

static void *be_rude(void *arg)
{
	static const char *const texts[] = {
		"GET /big HTTP/1.1\r\n" H "\r\n",
		"GET /hello HTTP/1.1\r\n" H "\r\nGET /big HTTP/1.1\r\n" H "\r\n",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: 9\r\n\r\nabc",
		"POST /echo HTTP/1.1\r\n" H "Content-Length: x\r\n\r\n",
	};
	int i;

	for (i = 0; i < RUDE_ROUNDS; i++) {
		int fd = fixture_connect(arg);

		(void)send(fd, texts[i % 4], strlen(texts[i % 4]), MSG_NOSIGNAL);
		if (i % 3 == 0)
			(void)usleep(500);
		if (i % 2)
			reset_on_close(fd);
		else
			(void)close(fd);
	}
	return NULL;
}

static void rude_clients(void **state)
{
	struct http_server_config c = fixture_config();
	pthread_t threads[RUDE_THREADS];
	struct fixture f;
	int i, fd;

	(void)state;
	fixture_start(&f, &c);
	for (i = 0; i < RUDE_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, be_rude, &f), 0);
	for (i = 0; i < RUDE_THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	fixture_await_connections(&f, 0);
	fd = fixture_connect(&f);
	say(fd, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(fd).status, 200);
	(void)close(fd);
	fixture_stop(&f);
}

/* A request whose head the server has read, and whose body it waits for. */
static int begin_post(const struct fixture *f)
{
	int fd = fixture_connect(f);

	say(fd, "POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(hear(fd).status, 100);
	return fd;
}

static int begin_slow(struct fixture *f)
{
	int fd = fixture_connect(f);

	say(fd, "GET /slow HTTP/1.1\r\n" H "\r\n");
	fixture_await_waiting(f, 1);
	return fd;
}

static void *drain_patiently(void *arg)
{
	struct fixture *f = arg;

	http_server_drain(f->server, PATIENCE_US / 1000000);
	f->server = NULL;
	return NULL;
}

/* What is under way is finished, what is idle is closed, what comes later waits in the backlog. */
static void drain_finishes_what_is_under_way(void **state)
{
	struct http_server_config c = fixture_config();
	int64_t begun;
	int busy, coming, idle;
	pthread_t drain;
	struct fixture f;
	struct heard h;

	(void)state;
	fixture_start(&f, &c);
	idle = fixture_connect(&f);
	say(idle, "GET /hello HTTP/1.1\r\n" H "\r\n");
	assert_int_equal(hear(idle).status, 200);
	coming = begin_post(&f);
	busy = begin_slow(&f);
	begun = clock_mono_us();
	assert_int_equal(pthread_create(&drain, NULL, drain_patiently, &f), 0);
	assert_closed(idle);
	say(coming, "abcd");
	h = hear(coming);
	assert_string_equal(h.body, "abcd");
	assert_true(heard_field(&h, "Connection: close"));
	assert_closed(coming);
	fixture_open_gate(&f);
	h = hear(busy);
	assert_string_equal(h.body, "at last\n");
	assert_true(heard_field(&h, "Connection: close"));
	assert_closed(busy);
	(void)pthread_join(drain, NULL);
	assert_true(clock_mono_us() - begun < PATIENCE_US / 2);
	fixture_stop(&f);
}

struct cut {
	struct fixture *f;
	int coming, busy;
	atomic_bool seen; /* the connection that does not come to an end was cut */
};

/* An error, too, where the socket's patience is over. */
static bool is_cut(int fd)
{
	char byte;

	return fixture_recv(fd, &byte, 1, 0) == 0;
}

/* Each loop cuts its own, when it comes to it: opened before, the gate would let a reply out. */
static void *open_when_cut(void *arg)
{
	struct cut *cut = arg;
	bool coming = is_cut(cut->coming), busy = is_cut(cut->busy);

	atomic_store(&cut->seen, coming && busy);
	fixture_open_gate(cut->f);
	return NULL;
}

/* A client that does not come to an end, and a handler that outlives the patience with it. */
static void drain_cuts_in_the_end(void **state)
{
	struct http_server_config c = fixture_config();
	int64_t begun;
	pthread_t opener;
	struct fixture f;
	struct cut cut = { .f = &f };

	(void)state;
	fixture_start(&f, &c);
	cut.coming = begin_post(&f);
	cut.busy = begin_slow(&f);
	begun = clock_mono_us();
	assert_int_equal(pthread_create(&opener, NULL, open_when_cut, &cut), 0);
	http_server_drain(f.server, 1);
	f.server = NULL;
	assert_true(atomic_load(&cut.seen)); /* so that it has waited for the handler */
	assert_in_range(clock_mono_us() - begun, SECOND_US, PATIENCE_US / 2);
	(void)pthread_join(opener, NULL);
	(void)close(cut.coming);
	assert_closed(cut.busy);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_clients_lose_their_place),
		cmocka_unit_test(slow_reader_loses_its_place),
		cmocka_unit_test(idle_connection_is_closed),
		cmocka_unit_test(connections_per_address),
		cmocka_unit_test(who_counts_as_one_address),
		cmocka_unit_test(connections_in_all),
		cmocka_unit_test(full_queue_is_said_at_once),
		cmocka_unit_test(clients_that_leave),
		cmocka_unit_test(rude_clients),
		cmocka_unit_test(drain_finishes_what_is_under_way),
		cmocka_unit_test(drain_cuts_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
