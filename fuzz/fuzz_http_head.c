/* SPDX-License-Identifier: Apache-2.0 */
/* A request's head, and what follows as a chunked body: whole, and byte by byte, to the same end.
 */
#include "net/http_framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX 1024

static void insist(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void insist_inside(struct span part, struct span whole)
{
	if (part.len)
		insist(part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static size_t end_bytewise(struct span bytes)
{
	size_t scanned = 0, end = 0, n;

	for (n = 0; n <= bytes.len && !end; n++)
		end = http_head_end(span_sub(bytes, 0, n), &scanned);
	return end;
}

static void take_head(struct span head, bool lenient)
{
	struct http_framing framing;
	struct http_request req;
	struct err err = { 0 };
	size_t i;

	if (http_head_parse(head, lenient, &req, &framing, &err) != 0) {
		insist(err.text[0] != '\0');
		return;
	}
	insist(!(framing.chunked && framing.content_length));
	insist(lenient || (!req.http10 && http_header(&req, "host").p));
	insist_inside(req.query, head);
	for (i = 0; i < req.n_headers; i++) {
		insist_inside(req.headers[i].name, head);
		insist_inside(req.headers[i].value, head);
	}
}

static int take_body(struct span wire, size_t piece, struct http_chunked *c, struct buf *body)
{
	struct err err = { 0 };
	size_t at = 0, used;
	int status = 0;

	while (at < wire.len && !c->done && !status) {
		status =
		    http_chunked_take(c, span_sub(wire, at, piece), BODY_MAX, body, &used, &err);
		at += used;
	}
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_chunked c1 = { 0 }, c2 = { 0 };
	BUF one = BUF_INIT;
	BUF two = BUF_INIT;
	struct span bytes = span_of(data, size);
	size_t scanned = 0, end = http_head_end(bytes, &scanned);

	insist(end <= size && end == end_bytewise(bytes));
	take_head(span_sub(bytes, 0, end), false);
	take_head(span_sub(bytes, 0, end), true);
	take_head(bytes, true);
	bytes = span_sub(bytes, end, SIZE_MAX);
	insist(take_body(bytes, SIZE_MAX, &c1, &one) == take_body(bytes, 1, &c2, &two));
	insist(c1.done == c2.done && one.len <= BODY_MAX &&
	       span_eq(buf_span(&one), buf_span(&two)));
	return 0;
}
