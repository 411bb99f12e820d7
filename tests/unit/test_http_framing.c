/* SPDX-License-Identifier: Apache-2.0 */
/* Heads and chunked bodies as they come, and as those send them who would smuggle a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "net/http_framing.h"

#define H "Host: a\r\n"

struct row {
	struct span head;
	int strict;       /* status on a strict listener; 0: taken */
	int lenient;      /* on one with lenient_gets */
	const char *says; /* part of the error text, strict */
};

#define ROW(head, strict, lenient, says)                                                           \
	{                                                                                          \
		SPAN_LIT(head), strict, lenient, says                                              \
	}

static const struct row rows[] = {
	ROW("GET / HTTP/1.1\r\n" H "\r\n", 0, 0, NULL),
	ROW("\r\nGET / HTTP/1.1\r\n" H "\r\n", 0, 0, NULL),
	ROW("GET / HTTP/1.2\r\n" H "\r\n", 0, 0, NULL),
	ROW("GET /a?b HTTP/1.1\r\nHOST:a:80\r\n\r\n", 0, 0, NULL),
	ROW("GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, 0, NULL),
	ROW("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 0, 0, NULL),
	ROW("GET http://a/b HTTP/1.1\r\n" H "\r\n", 0, 0, NULL),
	ROW("OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, 0, NULL),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n", 0, 0, NULL),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length:\t005 \t\r\n\r\n", 0, 0, NULL),
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", 0, 0, NULL),
	ROW("GET / HTTP/1.1\r\n" H "X: \x80\xff\r\nX:\r\n\r\n", 0, 0, NULL),

	/* what only SCEP's GETs and OCSP's clients are allowed */
	ROW("GET / HTTP/1.0\r\n\r\n", 400, 0, "HTTP/1.0 is not taken here"),
	ROW("GET / HTTP/1.1\r\n\r\n", 400, 0, "without Host"),
	ROW("HEAD / HTTP/1.0\r\n\r\n", 400, 0, "HTTP/1.0"),
	ROW("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", 400, 0, "HTTP/1.0"),
	ROW("POST / HTTP/1.0\r\n\r\n", 400, 400, "HTTP/1.0"),
	ROW("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", 400, 400, "without Host"),

	/* two lengths */
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400, 400,
	    "twice"),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\ncontent-length: 5\r\n\r\n", 400, 400,
	    "twice"),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\n", 400, 400, "\"5, 5\""),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
	    400, "together"),
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n", 400,
	    400, "together"),

	/* no length at all */
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: +2\r\n\r\n", 400, 400, "\"+2\""),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: -2\r\n\r\n", 400, 400, "\"-2\""),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 0x2\r\n\r\n", 400, 400, "\"0x2\""),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 2 2\r\n\r\n", 400, 400, "\"2 2\""),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 2;\r\n\r\n", 400, 400, "\"2;\""),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", 400, 400, "digits"),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551618\r\n\r\n", 400, 400,
	    "digits"),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length: 1000000000000000000\r\n\r\n", 400, 400,
	    "digits"),

	/* codings that one of two peers might not see */
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n", 501, 501, "chunked"),
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, 501,
	    "chunked"),
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, identity\r\n\r\n", 501, 501,
	    "chunked"),
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n",
	    501, 501, "chunked"),
	ROW("POST / HTTP/1.1\r\n" H
	    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	    501, 501, "chunked"),
	ROW("POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b"
	    "chunked\r\n\r\n",
	    400, 400, "control"),
	ROW("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, 400, "HTTP/1.0"),

	/* field lines that are read in two ways */
	ROW("POST / HTTP/1.1\r\n" H "Content-Length : 5\r\n\r\n", 400, 400, "colon"),
	ROW("POST / HTTP/1.1\r\n" H "Content-Length\t: 5\r\n\r\n", 400, 400, "colon"),
	ROW("GET / HTTP/1.1\r\n" H " folded\r\n\r\n", 400, 400, "obs-fold"),
	ROW("GET / HTTP/1.1\r\n" H "\tfolded: x\r\n\r\n", 400, 400, "obs-fold"),
	ROW("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, 400, "obs-fold"),
	ROW("GET / HTTP/1.1\r\n" H ": empty\r\n\r\n", 400, 400, "line 3"),
	ROW("GET / HTTP/1.1\r\n" H "no colon\r\n\r\n", 400, 400, "line 3"),
	ROW("GET / HTTP/1.1\r\n" H "na(me: x\r\n\r\n", 400, 400, "line 3"),
	ROW("GET / HTTP/1.1\r\n" H "name\0: x\r\n\r\n", 400, 400, "line 3"),
	ROW("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n", 400, 400, "control"),
	ROW("GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", 400, 400, "control"),
	ROW("GET / HTTP/1.1\r\n" H "X: a\nContent-Length: 3\r\n\r\n", 400, 400, "CR LF"),
	ROW("GET / HTTP/1.1\nHost: a\n\n", 400, 400, "CR LF"),
	ROW("GET / HTTP/1.1\r\n" H "\n", 400, 400, "CR LF"),
	ROW("GET / HTTP/1.1\r\n" H "\r\nGET", 400, 400, "behind"),
	ROW("GET / HTTP/1.1\r\n" H, 400, 400, "ends within"),
	ROW("GET / HTTP/1.1\r\n" H "Host: b\r\n\r\n", 400, 400, "twice"),
	ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, 400, "Host"),
	ROW("GET / HTTP/1.1\r\nHost: user@a\r\n\r\n", 400, 400, "Host"),
	ROW("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, 400, "Host"),
	ROW("GET / HTTP/1.1\r\n" H "Expect: 200-ok\r\n\r\n", 417, 417, "Expect"),

	/* request lines */
	ROW("", 400, 400, "line 1"),
	ROW("\r\n", 400, 400, "line 1"),
	ROW("\r\n\r\n", 400, 400, "request line"),
	ROW("\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", 400, 400, "request line"),
	ROW("GET /\r\n\r\n", 400, 400, "request line"),
	ROW("GET\r\n\r\n", 400, 400, "request line"),
	ROW(" GET / HTTP/1.1\r\n" H "\r\n", 400, 400, "request line"),
	ROW("GET  / HTTP/1.1\r\n" H "\r\n", 400, 400, "target"),
	ROW("GET /  HTTP/1.1\r\n" H "\r\n", 400, 400, "version"),
	ROW("GET / HTTP/1.1 \r\n" H "\r\n", 400, 400, "version"),
	ROW("GET /a b HTTP/1.1\r\n" H "\r\n", 400, 400, "version"),
	ROW("GET /\t HTTP/1.1\r\n" H "\r\n", 400, 400, "0x09"),
	ROW("GET /\0 HTTP/1.1\r\n" H "\r\n", 400, 400, "0x00"),
	ROW("GET a HTTP/1.1\r\n" H "\r\n", 400, 400, "begin with /"),
	ROW("GET * HTTP/1.1\r\n" H "\r\n", 400, 400, "begin with /"),
	ROW("CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 400, 400, "begin with /"),
	ROW("G(T / HTTP/1.1\r\n" H "\r\n", 400, 400, "request line"),
	ROW("GET / http/1.1\r\n" H "\r\n", 400, 400, "version"),
	ROW("GET / HTTP/1\r\n" H "\r\n", 400, 400, "version"),
	ROW("GET / HTTP/1.10\r\n" H "\r\n", 400, 400, "version"),
	ROW("GET / HTTP/11\r\n" H "\r\n", 400, 400, "version"),
	ROW("GET / HTTP/2.0\r\n" H "\r\n", 505, 505, "HTTP/2"),
	ROW("PRI * HTTP/2.0\r\n\r\n", 400, 400, "begin with /"),
};

static void heads(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request req = { 0 };
		struct http_framing framing;
		struct err err = { 0 };

		assert_int_equal(http_head_parse(rows[i].head, true, &req, &framing, NULL),
				 rows[i].lenient);
		assert_int_equal(http_head_parse(rows[i].head, false, &req, &framing, &err),
				 rows[i].strict);
		if (rows[i].says && !strstr(err.text, rows[i].says))
			fail_msg("row %zu: \"%s\" says nothing of \"%s\"", i, err.text,
				 rows[i].says);
	}
}

static void assert_span(struct span s, const char *want)
{
	if (!span_eq_str(s, want))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, (const char *)s.p, want);
}

static void targets(void **state)
{
	static const struct {
		const char *target, *path, *query;
	} row[] = {
		{ "/", "/", "" },
		{ "/scep/pkiclient.exe?operation=GetCACert&message=a+b/c%0A", "/scep/pkiclient.exe",
		  "operation=GetCACert&message=a+b/c%0A" },
		{ "/a?", "/a", "" },
		{ "/a?b?c", "/a", "b?c" },
		{ "//a", "//a", "" },
		{ "/\xc3\xa4", "/\xc3\xa4", "" },
		{ "http://host:80/a?b", "/a", "b" },
		{ "HTTPS://host", "/", "" },
		{ "http://host?b/c", "/", "b/c" },
		{ "http://", "/", "" },
	};
	char head[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct http_request req = { 0 };
		struct http_framing framing;

		(void)snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
			       row[i].target);
		assert_int_equal(http_head_parse(span_str(head), false, &req, &framing, NULL), 0);
		assert_span(req.path, row[i].path);
		assert_span(req.query, row[i].query);
	}
}

static void fields_are_found_without_case(void **state)
{
	struct http_request req = { 0 };
	struct http_framing framing;
	struct err err;

	(void)state;
	assert_int_equal(http_head_parse(SPAN_LIT("POST /x HTTP/1.1\r\n"
						  "Host: a\r\n"
						  "content-TYPE: \t text/plain \t\r\n"
						  "Content-Length: 12\r\n"
						  "Expect: 100-Continue\r\n"
						  "\r\n"),
					 false, &req, &framing, &err),
			 0);
	assert_int_equal(req.method, HTTP_POST);
	assert_false(req.http10);
	assert_int_equal(req.n_headers, 4);
	assert_span(http_header(&req, "Content-Type"), "text/plain");
	assert_span(http_header(&req, "Accept"), "");
	assert_int_equal(framing.content_length, 12);
	assert_false(framing.chunked);
	assert_true(framing.expect_continue);
	assert_true(framing.keep_alive);
}

static void keep_alive(void **state)
{
	static const struct {
		const char *head;
		bool keep;
	} row[] = {
		{ "GET / HTTP/1.1\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: TE,\tClose\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct http_request req = { 0 };
		struct http_framing framing;

		assert_int_equal(http_head_parse(span_str(row[i].head), true, &req, &framing, NULL),
				 0);
		assert_int_equal(framing.keep_alive, row[i].keep);
	}
}

static void http10_client_awaits_no_100(void **state)
{
	struct http_request req = { 0 };
	struct http_framing framing;

	(void)state;
	assert_int_equal(http_head_parse(SPAN_LIT("GET / HTTP/1.0\r\nContent-Length: 1\r\n"
						  "Expect: 100-continue\r\n\r\n"),
					 true, &req, &framing, NULL),
			 0);
	assert_int_equal(framing.content_length, 1);
	assert_false(framing.expect_continue);
}

static void too_many_fields(void **state)
{
	BUF head = BUF_INIT;
	struct http_request req = { 0 };
	struct http_framing framing;
	struct err err = { 0 };
	size_t i;

	(void)state;
	buf_put_str(&head, "GET / HTTP/1.1\r\nHost: a\r\n");
	for (i = 1; i < HTTP_HEADERS_MAX; i++)
		buf_printf(&head, "X-%zu: y\r\n", i);
	buf_put_str(&head, "\r\n");
	assert_int_equal(http_head_parse(buf_span(&head), false, &req, &framing, &err), 0);
	assert_int_equal(req.n_headers, HTTP_HEADERS_MAX);
	buf_insert(&head, head.len - 2, SPAN_LIT("Z: z\r\n"));
	assert_int_equal(http_head_parse(buf_span(&head), false, &req, &framing, &err), 431);
	assert_int_equal(req.n_headers, HTTP_HEADERS_MAX);
}

/* Byte by byte, as a slow sender would: found when the last byte is there, and not before. */
static void ends(void **state)
{
	static const struct {
		const char *bytes;
		size_t end;
	} row[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\nPOST", 27 },
		{ "GET / HTTP/1.1\r\n\r\n\r\n", 18 },
		{ "a\n\nb", 3 },
		{ "a\r\n\nb", 4 },
		{ "a\n\r\nb", 4 },
		{ "a\n\r\r\n\n", 6 },
		{ "\r\n\r\nGET / HTTP/1.1", 4 },
		{ "\r\nGET / HTTP/1.1\r\n\r", 0 },
		{ "a\n\rb\r\n", 0 },
		{ "", 0 },
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		size_t scanned = 0, end = 0, len = strlen(row[i].bytes), whole = 0;

		assert_int_equal(http_head_end(span_str(row[i].bytes), &whole), row[i].end);
		for (n = 0; n <= len && !end; n++)
			end = http_head_end(span_of(row[i].bytes, n), &scanned);
		assert_int_equal(end, row[i].end);
		if (end)
			assert_int_equal(n - 1, end);
	}
}

static const struct {
	struct span wire;
	int status;
	const char *body; /* NULL: not all of it there */
	size_t left;      /* bytes behind it */
} bodies[] = {
	{ SPAN_LIT("0\r\n\r\n"), 0, "", 0 },
	{ SPAN_LIT("3\r\nabc\r\n0\r\n\r\n"), 0, "abc", 0 },
	{ SPAN_LIT("3\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nGET"), 0, "abc0123456789", 3 },
	{ SPAN_LIT("3;a=b\r\nabc\r\n00;\r\nT: x\r\nU: y\r\n\r\n"), 0, "abc", 0 },
	{ SPAN_LIT("00000003\r\n\r\n\r\r\n0\r\n\r\n"), 0, "\r\n\r", 0 },
	{ SPAN_LIT("3\r\nab"), 0, NULL, 0 },
	{ SPAN_LIT("3\r\nabc\r\n0\r\n"), 0, NULL, 0 },
	{ SPAN_LIT("3\r\nabc\r\n0\r\nT: x\r\n"), 0, NULL, 0 },
	{ SPAN_LIT("\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("+3\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("0x3\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT(" 3\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3 \r\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3;\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3;x\0\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3\r\nabcd\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3\r\nabc\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3\r\nabc\rx0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("3\r\rabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("0\r\n\n"), 400, NULL, 0 },
	{ SPAN_LIT("0\r\nT: x\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("0\r\n\r\r"), 400, NULL, 0 },
	{ SPAN_LIT("000000003\r\nabc\r\n0\r\n\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("100000000\r\n"), 400, NULL, 0 },
	{ SPAN_LIT("11\r\n"), 413, NULL, 0 },
	{ SPAN_LIT("ffffffff\r\n"), 413, NULL, 0 },
	{ SPAN_LIT("8\r\n01234567\r\n9\r\n"), 413, NULL, 0 },
};

/* In pieces of n bytes. */
static void check_body(size_t i, size_t n)
{
	struct http_chunked c = { 0 };
	BUF body = BUF_INIT;
	struct err err = { 0 };
	size_t at = 0, used;
	int status = 0;

	while (at < bodies[i].wire.len && !c.done && !status) {
		status =
		    http_chunked_take(&c, span_sub(bodies[i].wire, at, n), 16, &body, &used, &err);
		at += used;
	}
	assert_int_equal(status, bodies[i].status);
	assert_int_equal(c.done, bodies[i].body != NULL);
	assert_true(body.len <= 16);
	if (!bodies[i].body)
		return;
	assert_span(buf_span(&body), bodies[i].body);
	assert_int_equal(bodies[i].wire.len - at, bodies[i].left);
}

static void chunked_bodies(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 7, SIZE_MAX };
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bodies); i++)
		for (n = 0; n < ARRAY_LEN(pieces); n++)
			check_body(i, pieces[n]);
}

static void chunked_overhead_is_bounded(void **state)
{
	struct http_chunked c = { 0 };
	BUF body = BUF_INIT;
	struct err err = { 0 };
	size_t used, i;
	int status;

	(void)state;
	status = http_chunked_take(&c, SPAN_LIT("0\r\n"), 16, &body, &used, &err);
	for (i = 0; i < 10000 && !status; i++)
		status = http_chunked_take(&c, SPAN_LIT("T: 1\r\n"), 16, &body, &used, &err);
	assert_int_equal(status, 400);
	assert_non_null(strstr(err.text, "trailers"));
}

static void replies_cannot_be_split(void **state)
{
	struct http_reply reply = { 0 };

	(void)state;
	http_reply_header(&reply, "Location", "%s", "/a\r\nSet-Cookie: x");
	assert_string_equal(reply.headers[0].value, "/a  Set-Cookie: x");
	http_reply_text(&reply, 404, "no %s", "such");
	assert_span(buf_span(&reply.body), "no such\n");
	assert_string_equal(http_status_text(reply.status), "Not Found");
	http_reply_clear(&reply);
	assert_int_equal(reply.n_headers, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(targets),
		cmocka_unit_test(fields_are_found_without_case),
		cmocka_unit_test(keep_alive),
		cmocka_unit_test(http10_client_awaits_no_100),
		cmocka_unit_test(too_many_fields),
		cmocka_unit_test(ends),
		cmocka_unit_test(chunked_bodies),
		cmocka_unit_test(chunked_overhead_is_bounded),
		cmocka_unit_test(replies_cannot_be_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
