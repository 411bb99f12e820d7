/* SPDX-License-Identifier: Apache-2.0 */
/* Replies given again: only to the same request, and only while nothing has changed. */
#include "unit.h"

#include <pthread.h>
#include <string.h>

#include "ocsp/front.h"

static const struct ocsp_front_state now = { .now = 1000, .changes = 5, .epoch = 7 };
static const struct ocsp_said said = {
	.state = OCSP_GOOD, .this_update = 1000, .next_update = 1600, .until = 1300
};

static struct http_request request(enum http_method method, const char *path, const char *body)
{
	return (struct http_request){ .method = method,
				      .path = span_str(path),
				      .body = span_str(body),
				      .listener = "plain" };
}

static void make_reply(struct http_reply *reply, const char *text)
{
	*reply = (struct http_reply){ .status = 200, .body = BUF_INIT };
	buf_put_str(&reply->body, text);
	http_reply_header(reply, "ETag", "\"abc\"");
	http_reply_header(reply, "Cache-Control", "max-age=600, public");
}

static void keep(struct ocsp_front *f, const struct http_request *req, const char *text)
{
	struct http_reply reply;

	make_reply(&reply, text);
	ocsp_front_put(f, req, &now, "demo", &said, &reply);
	http_reply_clear(&reply);
}

/* Is the text what is given to req? NULL: nothing must be. */
static void expect(struct ocsp_front *f, const struct http_request *req,
		   const struct ocsp_front_state *state, const char *text)
{
	struct http_reply reply = { .body = BUF_INIT };
	const char *endpoint = NULL;
	bool found = ocsp_front_get(f, req, state, &reply, &endpoint);

	assert_int_equal(found, text != NULL);
	if (found) {
		assert_true(span_eq_str(http_reply_body(&reply), text));
		assert_string_equal(endpoint, "demo");
		assert_int_equal(reply.status, 200);
	} else {
		assert_int_equal(reply.status, 0);
		assert_int_equal(reply.n_headers, 0);
	}
	http_reply_clear(&reply);
}

static void gives_only_the_same_request(void **state)
{
	CLEANUP(ocsp_front_freep) struct ocsp_front *f = NULL;
	struct http_request post = request(HTTP_POST, "/o", "asked");
	struct http_request others[] = {
		request(HTTP_POST, "/o", "aske"),  request(HTTP_POST, "/o", "askedx"),
		request(HTTP_POST, "/oa", "sked"), request(HTTP_POST, "/o", ""),
		request(HTTP_GET, "/o", ""),       request(HTTP_HEAD, "/o", "asked"),
		request(HTTP_PUT, "/o", "asked"),  request(HTTP_POST, "/o", "asked"),
	};
	size_t i;

	(void)state;
	others[ARRAY_LEN(others) - 1].listener = "other";
	assert_int_equal(ocsp_front_new(&f, 1, NULL), OK); /* all meet in one slot */
	keep(f, &post, "answer");
	expect(f, &post, &now, "answer");
	for (i = 0; i < ARRAY_LEN(others); i++)
		expect(f, &others[i], &now, NULL);
	keep(f, &others[0], "another");
	expect(f, &others[0], &now, "another");
	expect(f, &post, &now, NULL);
}

static void forgets_what_has_changed(void **state)
{
	static const struct {
		struct ocsp_front_state at;
		bool given;
	} rows[] = {
		{ { 1000, 5, 7 }, true },  { { 1299, 5, 7 }, true },  { { 1300, 5, 7 }, false },
		{ { 999, 5, 7 }, false },  { { 1000, 6, 7 }, false }, { { 1000, 4, 7 }, false },
		{ { 1000, 5, 8 }, false }, { { 5000, 5, 7 }, false },
	};
	CLEANUP(ocsp_front_freep) struct ocsp_front *f = NULL;
	struct http_request get = request(HTTP_GET, "/o/MEIw", "");
	size_t i;

	(void)state;
	assert_int_equal(ocsp_front_new(&f, 64, NULL), OK);
	keep(f, &get, "answer");
	for (i = 0; i < ARRAY_LEN(rows); i++)
		expect(f, &get, &rows[i].at, rows[i].given ? "answer" : NULL);
}

static void counts_the_age_down(void **state)
{
	CLEANUP(ocsp_front_freep) struct ocsp_front *f = NULL;
	struct http_request get = request(HTTP_GET, "/o/MEIw", "");
	const struct ocsp_front_state later = { .now = 1200, .changes = 5, .epoch = 7 };
	struct http_reply reply = { .body = BUF_INIT };
	const char *endpoint;

	(void)state;
	assert_int_equal(ocsp_front_new(&f, 64, NULL), OK);
	keep(f, &get, "answer");
	assert_true(ocsp_front_get(f, &get, &later, &reply, &endpoint));
	assert_int_equal(reply.n_headers, 2);
	assert_string_equal(reply.headers[0].value, "\"abc\"");
	assert_string_equal(reply.headers[1].name, "Cache-Control");
	assert_non_null(strstr(reply.headers[1].value, "max-age=400,"));
	http_reply_clear(&reply);
}

static void keeps_no_errors_and_nothing_private(void **state)
{
	CLEANUP(ocsp_front_freep) struct ocsp_front *f = NULL;
	struct http_request get = request(HTTP_GET, "/o/MEIw", "");
	struct http_request head = request(HTTP_HEAD, "/o/MEIw", "");
	struct http_reply reply;
	char path[3000];

	(void)state;
	assert_int_equal(ocsp_front_new(&f, 64, NULL), OK);
	make_reply(&reply, "answer");
	reply.status = 503;
	ocsp_front_put(f, &get, &now, "demo", &said, &reply);
	expect(f, &get, &now, NULL);
	reply.status = 200;
	http_reply_header(&reply, "Cache-Control", "no-store");
	ocsp_front_put(f, &get, &now, "demo", &said, &reply);
	expect(f, &get, &now, NULL);
	http_reply_clear(&reply);
	keep(f, &head, "answer");
	expect(f, &head, &now, NULL);
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	get = request(HTTP_GET, path, "");
	keep(f, &get, "answer");
	expect(f, &get, &now, NULL);
}

static void *take_and_replace(void *arg)
{
	struct http_request a = request(HTTP_GET, "/a", ""), b = request(HTTP_GET, "/b", "");
	const char *endpoint;
	size_t i;

	for (i = 0; i < 20000; i++) {
		struct http_reply reply = { .body = BUF_INIT };
		bool first = i % 2;

		keep(arg, first ? &a : &b, first ? "one" : "two");
		if (ocsp_front_get(arg, &a, &now, &reply, &endpoint))
			assert_true(span_eq_str(http_reply_body(&reply), "one"));
		http_reply_clear(&reply);
	}
	return NULL;
}

static void lends_what_is_replaced(void **state)
{
	CLEANUP(ocsp_front_freep) struct ocsp_front *f = NULL;
	pthread_t threads[3];
	size_t i;

	(void)state;
	assert_int_equal(ocsp_front_new(&f, 1, NULL), OK);
	for (i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_replace, f), 0);
	for (i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_only_the_same_request),
		cmocka_unit_test(forgets_what_has_changed),
		cmocka_unit_test(counts_the_age_down),
		cmocka_unit_test(keeps_no_errors_and_nothing_private),
		cmocka_unit_test(lends_what_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
