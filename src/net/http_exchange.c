/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/http_conn.h"
#include "net/tls.h"

#define LINGER_SECONDS 2
#define RETRY_SECONDS 2 /* told to a client that finds all workers busy */
#define COPY_MAX 4096   /* a body up to this size is copied into libevent's buffer */

static const struct http_limits *limits(const struct http_conn *c)
{
	return &c->loop->shared->limits;
}

static size_t body_max(const struct http_conn *c)
{
	return c->listener->body_bytes ? c->listener->body_bytes : limits(c)->body_bytes;
}

/* What a step has come to. */
enum next {
	GO_ON, /* the connection is in another phase: look again */
	WAIT,
	GONE, /* it is closed and freed */
};

static enum next gone(struct http_conn *c)
{
	http_conn_close(c);
	return GONE;
}

static void free_bytes(const void *data, size_t len, void *arg)
{
	(void)data;
	(void)len;
	free(arg);
}

/* What the socket takes at once, without a turn through the event loop; -1: it is broken. */
static ssize_t send_plain(struct http_conn *c, struct span head, struct span body)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)head.p, .iov_len = head.len },
		{ .iov_base = (void *)(uintptr_t)body.p, .iov_len = body.len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	n = sendmsg(bufferevent_getfd(c->bev), &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

static ssize_t send_now(struct http_conn *c, struct span head, struct span body)
{
	if (evbuffer_get_length(bufferevent_get_output(c->bev)))
		return 0;
	if (!c->listener->tls)
		return send_plain(c, head, body);
	return body.len ? 0 : tls_server_ssl_send(bufferevent_openssl_get_ssl(c->bev), head);
}

static void release_lent(const void *data, size_t len, void *arg)
{
	struct http_lent *lent = arg;

	(void)data;
	(void)len;
	lent->release(lent->owner);
	free(lent);
}

/* The bytes stay where they are until the last is sent. False: no memory. */
static bool queue_lent(struct evbuffer *out, struct http_lent *lent, struct span rest)
{
	struct http_lent *kept = malloc(sizeof(*kept));

	if (!kept)
		return false;
	*kept = *lent;
	if (evbuffer_add_reference(out, rest.p, rest.len, release_lent, kept) != 0) {
		free(kept);
		return false;
	}
	*lent = (struct http_lent){ 0 };
	return true;
}

/* Leaves the body from an offset on to libevent, a large one without a copy. False: no memory. */
static bool queue_body(struct evbuffer *out, struct http_reply *reply, size_t from)
{
	struct span rest = span_sub(http_reply_body(reply), from, SIZE_MAX);

	if (rest.len == 0)
		return true;
	if (rest.len <= COPY_MAX)
		return evbuffer_add(out, rest.p, rest.len) == 0;
	if (reply->lent.release)
		return queue_lent(out, &reply->lent, rest);
	if (evbuffer_add_reference(out, rest.p, rest.len, free_bytes, reply->body.data) != 0)
		return false;
	reply->body = BUF_INIT;
	return true;
}

/* reply NULL: no body goes out. GO_ON: all is sent; WAIT: libevent has the rest. */
static enum next send_reply(struct http_conn *c, struct span head, struct http_reply *reply)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	struct span all = reply ? http_reply_body(reply) : SPAN_NONE;
	ssize_t n = send_now(c, head, all);
	size_t sent = n > 0 ? (size_t)n : 0;

	if (n < 0)
		return GONE;
	if (sent == head.len + all.len)
		return GO_ON;
	/* in one piece: what TLS has tried to send, it is to try again */
	if (sent < head.len &&
	    (evbuffer_add(out, head.p + sent, head.len - sent) != 0 || !evbuffer_pullup(out, -1)))
		return GONE;
	if (reply && !queue_body(out, reply, sent > head.len ? sent - head.len : 0))
		return GONE;
	return WAIT;
}

/* After a reply: the next request, or the end. */
static enum next finish(struct http_conn *c)
{
	if (!c->last) {
		http_conn_enter(c, PHASE_IDLE, limits(c)->idle_seconds);
		if (c->deaf)
			(void)bufferevent_enable(c->bev, EV_READ);
		c->deaf = false;
		return GO_ON;
	}
	if (!c->linger || c->eof)
		return gone(c);
	if (!c->listener->tls) /* TLS would take it for an attack */
		(void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	http_conn_enter(c, PHASE_LINGER, LINGER_SECONDS);
	(void)bufferevent_enable(c->bev, EV_READ);
	return GO_ON;
}

/* The head of the reply in c->job; a small body goes into the same TLS record. */
static enum next send_job(struct http_conn *c)
{
	struct buf *head = &c->loop->scratch;
	struct http_job *job = c->job;
	struct http_reply *reply = http_job_sends_body(job) ? &job->reply : NULL;

	buf_reset(head);
	http_job_put_head(job, http_loop_date(c->loop), !c->last, head);
	if (reply && c->listener->tls && http_reply_body(reply).len <= COPY_MAX) {
		buf_put(head, http_reply_body(reply));
		reply = NULL;
	}
	return head->failed ? GONE : send_reply(c, buf_span(head), reply);
}

/* Sends the reply that is ready in c->job, which ends here. */
static enum next deliver(struct http_conn *c)
{
	struct http_job *job = c->job;
	enum next sent;

	if (!job->framing.keep_alive)
		c->last = true;
	else if (http_loop_draining(c->loop)) /* it may have sent more already */
		c->last = c->linger = true;
	sent = send_job(c);
	c->job = NULL;
	http_job_free(job);
	if (sent == GONE)
		return gone(c);
	if (sent == GO_ON)
		return finish(c);
	http_conn_enter(c, PHASE_WRITING, limits(c)->write_seconds);
	return WAIT;
}

/* Nobody is heard of whom we could not tell who it is. */
static bool know_tls_peer(struct http_conn *c)
{
	if (!c->listener->tls || c->tls)
		return true;
	c->tls = tls_peer_new(bufferevent_openssl_get_ssl(c->bev));
	if (!c->tls)
		log_warning(&c->loop->shared->log,
			    "connection cut: too many certificates, or no memory for them",
			    LOG_STR("peer", c->peer), LOG_STR("listener", c->listener->name));
	return c->tls != NULL;
}

static struct http_job *begin_job(struct http_conn *c, size_t head_len)
{
	struct http_job *job = know_tls_peer(c) ? http_job_new(head_len) : NULL;

	if (!job)
		return NULL;
	job->loop = c->loop;
	job->conn = c;
	job->req.listener = c->listener->name;
	memcpy(job->req.peer, c->peer, sizeof(job->req.peer));
	job->req.address = c->address;
	job->req.peer_port = c->peer_port;
	job->req.peer_uid = c->peer_uid;
	job->listener = c->listener;
	job->req.by_proxy = c->by_proxy;
	job->req.tls = c->listener->tls || c->by_proxy;
	/* the other side of a proxy's TLS is the proxy, not the client */
	http_job_set_tls(job, c->by_proxy ? NULL : c->tls);
	atomic_fetch_add_explicit(&c->loop->shared->requests, 1, memory_order_relaxed);
	return job;
}

/* A reply made here, without a worker. */
static enum next deliver_own(struct http_conn *c)
{
	if (c->loop->shared->access_log)
		http_job_log(c->job, &c->loop->shared->log);
	return deliver(c);
}

/* Where the next request begins is not known any more: the connection ends with this. */
static enum next refuse(struct http_conn *c, int status, const struct err *err)
{
	http_reply_text(&c->job->reply, status, "%s", err_text(err));
	c->job->framing.keep_alive = false;
	c->linger = true;
	return deliver_own(c);
}

static enum next dispatch(struct http_conn *c)
{
	const struct http_shared *shared = c->loop->shared;
	struct http_reply *reply = &c->job->reply;

	c->job->req.body = buf_span(&c->job->body);
	if (shared->quick && shared->quick(shared->ctx, &c->job->req, reply))
		return deliver_own(c);
	c->phase = PHASE_WORKING;
	if (http_pool_put(c->loop->shared->pool, c->job))
		return WAIT;
	atomic_fetch_add(&c->loop->shared->refused_busy, 1);
	http_reply_text(reply, 503, "the server has too much to do at the moment: try again");
	http_reply_header(reply, "Retry-After", "%d", RETRY_SECONDS);
	return deliver_own(c);
}

static enum next begin_body(struct http_conn *c)
{
	const struct http_framing *f = &c->job->framing;
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct err err = { 0 };

	if (!f->chunked && f->content_length == 0)
		return dispatch(c);
	if (f->content_length > body_max(c)) {
		(void)!err_set(&err, ERR_LIMIT,
			       "Content-Length %llu is over the limit of %zu bytes",
			       (unsigned long long)f->content_length, body_max(c));
		return refuse(c, 413, &err);
	}
	c->chunked = (struct http_chunked){ 0 };
	http_conn_enter(c, PHASE_BODY, limits(c)->body_seconds);
	if (f->expect_continue && evbuffer_get_length(in) == 0)
		(void)bufferevent_write(c->bev, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	return GO_ON;
}

static enum next take_head(struct http_conn *c, size_t len)
{
	struct err err = { 0 };
	int status;

	c->job = begin_job(c, len);
	if (!c->job)
		return gone(c);
	(void)evbuffer_remove(bufferevent_get_input(c->bev), c->job->head, len);
	status = http_head_parse(span_of(c->job->head, len), c->listener->lenient_gets,
				 &c->job->req, &c->job->framing, &err);
	return status ? refuse(c, status, &err) : begin_body(c);
}

static enum next refuse_long_head(struct http_conn *c)
{
	struct err err = { 0 };

	c->job = begin_job(c, 0);
	if (!c->job)
		return gone(c);
	(void)!err_set(&err, ERR_LIMIT,
		       "request line and header fields are over the limit of %zu "
		       "bytes",
		       limits(c)->header_bytes);
	return refuse(c, 431, &err);
}

static enum next step_idle(struct http_conn *c)
{
	if (evbuffer_get_length(bufferevent_get_input(c->bev)) == 0)
		return WAIT;
	http_conn_enter(c, PHASE_HEAD, limits(c)->header_seconds);
	return GO_ON;
}

static enum next step_head(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t have = evbuffer_get_length(in), len;

	if (have > limits(c)->header_bytes)
		have = limits(c)->header_bytes;
	if (have == 0)
		return WAIT;
	len = http_head_end(span_of(evbuffer_pullup(in, (ev_ssize_t)have), have), &c->scanned);
	if (len) {
		c->scanned = 0;
		return take_head(c, len);
	}
	return have < limits(c)->header_bytes ? WAIT : refuse_long_head(c);
}

static enum next step_chunked(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t have = evbuffer_get_length(in), used = 0;
	struct http_job *job = c->job;
	struct err err = { 0 };
	int status;

	status = http_chunked_take(&c->chunked, span_of(evbuffer_pullup(in, -1), have), body_max(c),
				   &job->body, &used, &err);
	(void)evbuffer_drain(in, used);
	if (job->body.failed)
		return gone(c);
	if (status)
		return refuse(c, status, &err);
	return c->chunked.done ? dispatch(c) : WAIT;
}

static enum next step_body(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t want = (size_t)c->job->framing.content_length;
	uint8_t *at;

	if (c->job->framing.chunked)
		return step_chunked(c);
	if (evbuffer_get_length(in) < want)
		return WAIT;
	at = buf_extend(&c->job->body, want);
	if (!at)
		return gone(c);
	(void)evbuffer_remove(in, at, want);
	return dispatch(c);
}

/* Requests may be sent ahead, but only so much of them. */
static enum next step_wait(struct http_conn *c)
{
	if (evbuffer_get_length(bufferevent_get_input(c->bev)) > limits(c)->header_bytes) {
		(void)bufferevent_disable(c->bev, EV_READ);
		c->deaf = true;
	}
	return WAIT;
}

static enum next step_linger(struct http_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);

	(void)evbuffer_drain(in, evbuffer_get_length(in));
	return WAIT;
}

void http_exchange_advance(struct http_conn *c)
{
	static enum next (*const steps[])(struct http_conn * c) = {
		[PHASE_IDLE] = step_idle,    [PHASE_HEAD] = step_head,
		[PHASE_BODY] = step_body,    [PHASE_WORKING] = step_wait,
		[PHASE_WRITING] = step_wait, [PHASE_LINGER] = step_linger,
	};
	enum next next;

	do {
		next = steps[c->phase](c);
	} while (next == GO_ON);
	if (next == WAIT && c->eof && c->phase != PHASE_WORKING && c->phase != PHASE_WRITING)
		http_conn_close(c);
}

void http_exchange_written(struct http_conn *c)
{
	if (finish(c) == GO_ON)
		http_exchange_advance(c);
}

void http_exchange_answer(struct http_job *job)
{
	struct http_conn *c = job->conn;

	if (!c)
		http_job_free(job);
	else if (deliver(c) == GO_ON)
		http_exchange_advance(c);
}
