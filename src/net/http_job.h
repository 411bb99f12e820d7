/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request on its way: read by a loop, answered by a worker, sent by the loop again. It owns
 * every byte it speaks of and knows no library's object, so that a client that goes away takes
 * nothing from under a worker.
 *
 * Whoever has the job may use it: first the loop, then the worker, then the loop. Only two fields
 * are touched meanwhile: conn, by the loop, and abandoned, set by the loop and read by the worker.
 */
#ifndef NET_HTTP_JOB_H
#define NET_HTTP_JOB_H

#include <stdatomic.h>

#include "base/log.h"
#include "net/http.h"
#include "net/http_framing.h"
#include "net/tls_peer.h"

/* Of the threads that have to do with jobs. */
#define HTTP_STACK (512u << 10)

struct http_conn;
struct http_listener;
struct http_loop;

struct http_job {
	struct http_job *next;  /* in the loop's inbox */
	struct http_loop *loop; /* to which the reply goes */
	const struct http_listener *listener;
	struct http_conn *conn; /* NULL: the client went away */
	atomic_bool abandoned;  /* as above: a worker need not begin */
	int64_t begun_us;       /* when its head was there, clock_mono_us() */
	struct http_framing framing;
	struct http_request req;
	struct tls_peer *tls; /* what req says of the TLS peer; NULL: no TLS */
	struct http_reply reply;
	struct buf body;
	size_t head_len;
	uint8_t head[];
};

/* With room for a head of that length, for the caller to fill; NULL if there is no memory. */
struct http_job *http_job_new(size_t head_len);
void http_job_free(struct http_job *job);
/* Tells the handler what is known of the other side of TLS (NULL: nothing); takes a reference.
 * Once. */
void http_job_set_tls(struct http_job *job, struct tls_peer *tls);

/* The access log's line. The query is left out: it may hold a whole PKCS#10 request. */
void http_job_log(const struct http_job *job, const struct log *log);

/*
 * Appends status line and header fields of the job's reply, with the empty line. date: value of
 * Date. keep_alive: false tells the client that the connection ends.
 */
void http_job_put_head(const struct http_job *job, const char *date, bool keep_alive,
		       struct buf *out);
/* A reply to HEAD, or one such as 204, goes without its body. */
bool http_job_sends_body(const struct http_job *job);

#endif
