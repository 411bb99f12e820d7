/* SPDX-License-Identifier: Apache-2.0 */
/* The client against our server, and against peers that answer by the script. */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_client.h"

/* A peer that takes one connection, hears one request and says its line. */
struct peer {
	const char *line; /* NULL: keeps silent until the client leaves */
	int fd;
	char url[64];
	char heard[8192];
	pthread_t thread;
};

static void hear_request(struct peer *p, int fd)
{
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(p->heard) - 1 && !strstr(p->heard, "\r\n\r\n")) {
		got = fixture_recv(fd, p->heard + n, sizeof(p->heard) - 1 - n, 0);
		if (got <= 0)
			return;
		n += (size_t)got;
	}
}

static void *peer_run(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->fd, NULL, NULL);
	char rest[1024];

	hear_request(p, fd);
	if (p->line) {
		(void)send(fd, p->line, strlen(p->line), MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
	}
	while (fixture_recv(fd, rest, sizeof(rest), 0) > 0)
		;
	(void)close(fd);
	return NULL;
}

static void peer_start(struct peer *p, const char *line)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(in);

	*p = (struct peer){ .line = line };
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(p->fd, 1), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(p->url, sizeof(p->url), "http://127.0.0.1:%u/scep?message=secret",
		       ntohs(in.sin_port));
	assert_int_equal(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

static void peer_stop(struct peer *p)
{
	(void)pthread_join(p->thread, NULL);
	(void)close(p->fd);
}

static struct http_client *client(const struct http_client_config *config)
{
	struct http_client *c = NULL;
	struct err err = { 0 };

	if (http_client_new(&c, config, &err) != OK)
		fail_msg("%s", err.text);
	return c;
}

static void get_post_delete(void **state)
{
	struct http_server_config sc = fixture_config();
	struct http_client_reply r = { 0 };
	struct http_client *c;
	struct fixture f;
	char url[64];
	int i;

	(void)state;
	fixture_start(&f, &sc);
	c = client(&(struct http_client_config){ 0 });
	/* each kind twice, in turn: nothing of one may stick to the next */
	for (i = 0; i < 2; i++) {
		(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/hello?a=+b", f.port);
		assert_int_equal(
		    http_client_do(c, &(struct http_client_request){ .method = "GET", .url = url },
				   &r, NULL),
		    OK);
		assert_int_equal(r.status, 200);
		assert_string_equal(r.content_type, "text/plain");
		assert_int_equal(r.retry_after, -1);
		assert_true(span_eq_str(buf_span(&r.body), "hello a=+b\n"));
		http_client_reply_clear(&r);

		(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo", f.port);
		assert_int_equal(http_client_do(c,
						&(struct http_client_request){
						    .method = "POST",
						    .url = url,
						    .content_type = "application/x-pki-message",
						    .body = SPAN_LIT("\0\x80 bytes") },
						&r, NULL),
				 OK);
		assert_true(span_eq(buf_span(&r.body), SPAN_LIT("\0\x80 bytes")));
		http_client_reply_clear(&r);

		assert_int_equal(
		    http_client_do(c,
				   &(struct http_client_request){ .method = "DELETE", .url = url },
				   &r, NULL),
		    OK);
		assert_int_equal(r.body.len, 0);
		http_client_reply_clear(&r);
	}
	assert_int_equal(fixture_stats(&f).connections, 1);
	http_client_free(c);
	fixture_stop(&f);
}

static void over_a_unix_socket(void **state)
{
	struct http_server_config sc = fixture_config();
	struct http_client_reply r = { 0 };
	struct http_client_request req = { .method = "GET", .url = "http://scepterd/peer" };
	struct http_client *c;
	struct err err = { 0 };
	struct fixture f;
	char want[64];

	(void)state;
	fixture_start(&f, &sc);
	c = client(&(struct http_client_config){ .unix_socket = f.path });
	assert_int_equal(http_client_do(c, &req, &r, NULL), OK);
	(void)snprintf(want, sizeof(want), "local unix no-port uid=%u tls=0\n", getuid());
	assert_true(span_eq_str(buf_span(&r.body), want));
	http_client_reply_clear(&r);
	http_client_free(c);
	fixture_stop(&f);

	c = client(&(struct http_client_config){ .unix_socket = f.path });
	assert_int_equal(http_client_do(c, &req, &r, &err), ERR_IO);
	assert_non_null(strstr(err.text, f.path));
	assert_non_null(strstr(err.text, "does the server run"));
	http_client_free(c);
}

static void request_as_sent(void **state)
{
	struct http_client_reply r = { 0 };
	struct http_client *c = client(&(struct http_client_config){ 0 });
	struct peer p;

	(void)state;
	peer_start(&p, "HTTP/1.0 200 OK\r\n\r\n");
	assert_int_equal(http_client_do(c,
					&(struct http_client_request){ .method = "POST",
								       .url = p.url,
								       .content_type = "text/x",
								       .body = SPAN_LIT("abc") },
					&r, NULL),
			 OK);
	peer_stop(&p);
	assert_memory_equal(p.heard, "POST /scep?message=secret HTTP/1.1\r\n", 36);
	assert_non_null(strstr(p.heard, "\r\nUser-Agent: scepter/" SCEPTER_VERSION "\r\n"));
	assert_non_null(strstr(p.heard, "\r\nContent-Type: text/x\r\n"));
	assert_non_null(strstr(p.heard, "\r\nContent-Length: 3\r\n"));
	assert_null(strstr(p.heard, "Expect"));
	http_client_reply_clear(&r);
	http_client_free(c);
}

#define OK_HEAD "HTTP/1.1 200 OK\r\n"

static void replies_by_the_script(void **state)
{
	static const struct {
		const char *line;
		enum result result;
		long status, retry_after;
		const char *type, *body; /* of a failure: its text */
	} row[] = {
		{ OK_HEAD "Content-Type: Application/X-PKI-Message; charset=x\r\n"
			  "Content-Length: 3\r\n\r\nabc",
		  OK, 200, -1, "application/x-pki-message", "abc" },
		{ "HTTP/1.0 200 OK\n\nuntil the end", OK, 200, -1, "", "until the end" },
		{ OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", OK, 200, -1,
		  "", "abc" },
		{ "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n"
		  "\r\n",
		  OK, 302, -1, "", "" },
		{ "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", OK, 503, 7,
		  "", "" },
		{ "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", OK, 503, 0,
		  "", "" },
		{ OK_HEAD "Content-Length: 17\r\n\r\n0123456789abcdefg", ERR_LIMIT, 0, 0, NULL,
		  "limit of 16 bytes" },
		{ OK_HEAD "\r\n0123456789abcdefg", ERR_LIMIT, 0, 0, NULL, "limit of 16 bytes" },
		{ OK_HEAD "Content-Length: 16\r\n\r\n0123456789abcdef", OK, 200, -1, "",
		  "0123456789abcdef" },
		{ OK_HEAD "Content-Length: 9\r\n\r\n0123", ERR_IO, 0, 0, NULL, "broke within" },
		{ "", ERR_IO, 0, 0, NULL, "without a reply" },
		{ "SSH-2.0-x\r\n", ERR_IO, 0, 0, NULL, "does not speak HTTP" },
		{ NULL, ERR_TIMEOUT, 0, 0, NULL, "in time" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		const bool waits = row[i].result == ERR_TIMEOUT;
		struct http_client *c = client(&(struct http_client_config){
		    .total_seconds = waits ? 1 : 60, .body_max = 16 });
		struct http_client_reply r = { 0 };
		struct err err = { 0 };
		struct peer p;

		peer_start(&p, row[i].line);
		if (http_client_do(c,
				   &(struct http_client_request){ .method = "GET", .url = p.url },
				   &r, &err) != row[i].result)
			fail_msg("row %zu: %s", i, err.text);
		http_client_free(c);
		peer_stop(&p);
		if (row[i].result == OK) {
			assert_int_equal(r.status, row[i].status);
			assert_int_equal(r.retry_after, row[i].retry_after);
			assert_string_equal(r.content_type, row[i].type);
			assert_true(span_eq_str(buf_span(&r.body), row[i].body));
		} else if (!strstr(err.text, row[i].body) || strstr(err.text, "secret")) {
			fail_msg("row %zu: %s", i, err.text);
		}
		http_client_reply_clear(&r);
	}
}

static void bad_urls(void **state)
{
	static const struct {
		const char *url;
		enum result result;
		const char *says;
	} row[] = {
		{ "ftp://127.0.0.1/", ERR_USAGE, "http://" },
		{ "127.0.0.1/scep", ERR_USAGE, "http://" },
		{ "", ERR_USAGE, "http://" },
		{ "http://", ERR_USAGE, "not a URL" },
		{ "http://127.0.0.1:99999/", ERR_USAGE, "not a URL" },
		{ "http://127.0.0.1:1/", ERR_IO, "does the server run" },
	};
	struct http_client *c = client(&(struct http_client_config){ 0 });
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct http_client_reply r = { .status = 77 };
		struct err err = { 0 };

		if (http_client_do(
			c, &(struct http_client_request){ .method = "GET", .url = row[i].url }, &r,
			&err) != row[i].result ||
		    !strstr(err.text, row[i].says))
			fail_msg("%s: %s", row[i].url, err.text);
		assert_int_equal(r.status, 77);
	}
	http_client_free(c);
}

/* Not through a proxy that the environment of the tests may name. */
static int without_proxy(void **state)
{
	(void)state;
	return setenv("no_proxy", "*", 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_post_delete), cmocka_unit_test(over_a_unix_socket),
		cmocka_unit_test(request_as_sent), cmocka_unit_test(replies_by_the_script),
		cmocka_unit_test(bad_urls),
	};

	return cmocka_run_group_tests(tests, without_proxy, NULL);
}
