/* SPDX-License-Identifier: Apache-2.0 */
/* Proxies in front of the server: who is believed, and who is not. */
#include "http_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define H "Host: a\r\n"
#define GET_PEER "GET /peer HTTP/1.1\r\n" H "\r\n"
#define V1 "PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n"
#define V2 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb"

static void start(struct fixture *f, const char *trusted, bool optional)
{
	struct http_server_config c = fixture_config();
	struct address_block block = { .bits = 0 };
	struct http_listener tcp = { .proxies = &block, .proxy_optional = optional };

	if (trusted) {
		assert_int_equal(address_block_parse(trusted, &block, NULL), OK);
		tcp.n_proxies = 1;
	}
	fixture_start_listener(f, &c, &tcp);
}

static void say_bytes(int fd, struct span bytes)
{
	assert_int_equal(send(fd, bytes.p, bytes.len, MSG_NOSIGNAL), bytes.len);
}

static void the_client_is_whom_the_proxy_names(void **state)
{
	static const struct {
		struct span sent;
		const char *peer; /* NULL: the connection is closed */
		int status;
		bool optional;
	} rows[] = {
		{ SPAN_LIT(V1 GET_PEER), "tcp 203.0.113.7 port", 200, false },
		{ SPAN_LIT(V2 GET_PEER), "tcp 203.0.113.7 port", 200, false },
		{ SPAN_LIT("PROXY UNKNOWN\r\n" GET_PEER), "tcp 127.0.0.1 port", 200, false },
		{ SPAN_LIT(V1 V1 GET_PEER), NULL, 400, false },
		{ SPAN_LIT(GET_PEER), NULL, 0, false },
		{ SPAN_LIT("PROXY nonsense\r\n" GET_PEER), NULL, 0, false },
		{ SPAN_LIT(GET_PEER), "tcp 127.0.0.1 port", 200, true },
		{ SPAN_LIT("POST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\necho"), "echo",
		  200, true },
		{ SPAN_LIT(V1 GET_PEER), "tcp 203.0.113.7 port", 200, true },
		{ SPAN_LIT("PROXY nonsense\r\n" GET_PEER), NULL, 0, true },
	};
	struct fixture f;
	struct heard h;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		start(&f, "127.0.0.0/8", rows[i].optional);
		fd = fixture_connect(&f);
		say_bytes(fd, rows[i].sent);
		h = hear(fd);
		if (h.status != rows[i].status || (rows[i].peer && !strstr(h.body, rows[i].peer)))
			fail_msg("row %zu: %d %s", i, h.status, h.body);
		(void)close(fd);
		fixture_stop(&f);
	}
}

static void header_may_come_in_pieces(void **state)
{
	static const struct span whole = SPAN_LIT(V2 GET_PEER);
	struct fixture f;
	size_t i;
	int fd;

	(void)state;
	start(&f, "127.0.0.1", false);
	fd = fixture_connect(&f);
	for (i = 0; i < whole.len; i++) {
		say_bytes(fd, span_sub(whole, i, 1));
		(void)usleep(i < 40 ? 1000 : 0);
	}
	assert_non_null(strstr(hear(fd).body, "203.0.113.7"));
	/* of the connection, not of a request */
	say(fd, GET_PEER);
	assert_non_null(strstr(hear(fd).body, "203.0.113.7"));
	(void)close(fd);
	fixture_stop(&f);
}

/* "POST" and "PROXY" begin alike: nothing of either may be lost. */
static void a_request_that_begins_like_a_header(void **state)
{
	struct fixture f;
	int fd;

	(void)state;
	start(&f, "127.0.0.1", true);
	fd = fixture_connect(&f);
	say(fd, "P");
	(void)usleep(20000);
	say(fd, "OST /echo HTTP/1.1\r\n" H "Content-Length: 4\r\n\r\necho");
	assert_string_equal(hear(fd).body, "echo");
	(void)close(fd);
	fixture_stop(&f);
}

static void others_are_not_believed(void **state)
{
	static const char *const trusted[] = { NULL, "192.0.2.0/24" };
	static const struct span headers[] = { SPAN_LIT(V1 GET_PEER), SPAN_LIT(V2 GET_PEER) };
	struct fixture f;
	size_t i, j;
	int fd;

	(void)state;
	for (i = 0; i < ARRAY_LEN(trusted); i++) {
		start(&f, trusted[i], false);
		for (j = 0; j < ARRAY_LEN(headers); j++) {
			fd = fixture_connect(&f);
			say_bytes(fd, headers[j]);
			assert_int_equal(hear(fd).status, 400);
			(void)close(fd);
		}
		fd = fixture_connect(&f);
		say(fd, GET_PEER);
		assert_non_null(strstr(hear(fd).body, "127.0.0.1"));
		(void)close(fd);
		assert_int_equal(atomic_load(&f.handled), 1);
		fixture_stop(&f);
	}
}

/* The cap is the client's, not the proxy's. */
static void caps_count_clients(void **state)
{
	static const char client[] = "PROXY TCP4 203.0.113.%d 198.51.100.1 1 1\r\n" GET_PEER;
	struct http_server_config c = fixture_config();
	struct address_block block;
	const struct http_listener tcp = { .proxies = &block, .n_proxies = 1 };
	struct fixture f;
	char text[256];
	int fds[8], i;

	(void)state;
	assert_int_equal(address_block_parse("127.0.0.1", &block, NULL), OK);
	c.limits.connections_per_address = 2;
	fixture_start_listener(&f, &c, &tcp);
	for (i = 0; i < 8; i++) {
		fds[i] = fixture_connect(&f);
		(void)snprintf(text, sizeof(text), client, i < 5 ? 1 : i);
		say(fds[i], text);
		assert_int_equal(hear(fds[i]).status, i < 2 || i >= 5 ? 200 : 0);
	}
	assert_int_equal(fixture_stats(&f).refused_address, 3);
	for (i = 0; i < 8; i++)
		(void)close(fds[i]);
	fixture_await_connections(&f, 0);
	fixture_stop(&f);
}

static void a_silent_proxy_loses_its_place(void **state)
{
	struct http_server_config c = fixture_config();
	struct address_block block;
	const struct http_listener tcp = { .proxies = &block, .n_proxies = 1 };
	struct fixture f;
	int fd, gone;

	(void)state;
	assert_int_equal(address_block_parse("127.0.0.1", &block, NULL), OK);
	c.limits.header_seconds = 1;
	fixture_start_listener(&f, &c, &tcp);
	fd = fixture_connect(&f);
	say(fd, "PROXY TCP4 ");
	assert_closed(fd);
	fixture_stop(&f);
	/* who leaves gives it back at once */
	c = fixture_config();
	fixture_start_listener(&f, &c, &tcp);
	gone = fixture_connect(&f);
	say(gone, "PROXY TCP4 ");
	fixture_await_connections(&f, 1);
	(void)close(gone);
	fixture_await_connections(&f, 0);
	fd = fixture_connect(&f); /* the drain does not wait for it */
	fixture_await_connections(&f, 1);
	fixture_stop(&f);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_whom_the_proxy_names),
		cmocka_unit_test(header_may_come_in_pieces),
		cmocka_unit_test(a_request_that_begins_like_a_header),
		cmocka_unit_test(others_are_not_believed),
		cmocka_unit_test(caps_count_clients),
		cmocka_unit_test(a_silent_proxy_loses_its_place),
	};

	return cmocka_run_group_tests_name("http_proxy", tests, NULL, NULL);
}
