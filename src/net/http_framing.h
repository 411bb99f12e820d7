/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a request begins and ends (RFC 9112), told from the raw bytes alone: no I/O, no state but
 * the caller's. Two peers that disagree about an end are a hole (request smuggling), so whatever
 * could be read in two ways is refused.
 */
#ifndef NET_HTTP_FRAMING_H
#define NET_HTTP_FRAMING_H

#include "net/http.h"

/* What the head says of the bytes behind it, and of the connection. */
struct http_framing {
	uint64_t content_length; /* 0 if chunked */
	bool chunked;
	bool keep_alive;      /* the client would use the connection again */
	bool expect_continue; /* it waits for 100 Continue before it sends the body */
};

/*
 * Length of the head at the front of bytes, its empty line included; 0: not all there yet.
 * *scanned: what an earlier call has seen already, 0 at first; spares a byte-by-byte sender from
 * costing quadratic time.
 */
size_t http_head_end(struct span bytes, size_t *scanned);

/*
 * Parses a whole head. Returns 0, or the HTTP status with which to refuse it (err says why, with
 * the clause). Sets method, http10, path, query and headers of *req, as spans into head; after a
 * refusal what was understood stays in *req, for the log.
 * lenient: HTTP/1.0 is taken (OCSP clients POST by it), and HTTP/1.1 without Host for GET.
 */
MUST_USE int http_head_parse(struct span head, bool lenient_gets, struct http_request *req,
			     struct http_framing *framing, struct err *err);

/* Decoder of the chunked coding (RFC 9112 7.1); start with a zeroed one. */
struct http_chunked {
	uint64_t left;     /* of this chunk's data; while its size is read: the size */
	uint32_t overhead; /* bytes of extensions and trailers so far */
	uint8_t state;
	uint8_t digits;
	bool done;
};

/*
 * Takes bytes from the wire, appends data to body (at most max in all) and says in *used how many
 * bytes it took; less than bytes.len only when done. Returns 0, or the HTTP status.
 */
MUST_USE int http_chunked_take(struct http_chunked *c, struct span bytes, size_t max,
			       struct buf *body, size_t *used, struct err *err);

#endif
