/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/drive.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

struct connection {
	int fd; /* -1: closed */
	size_t request;
	size_t sent;
	int64_t start;
	struct buf out; /* head and body of the request under way */
	struct buf in;
};

struct drive {
	const struct drive_config *config;
	struct drive_result *result;
	int epoll;
	size_t next; /* request to be sent next */
	size_t done;
	struct connection *connections;
};

static void close_connection(struct connection *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

static RESULT open_connection(struct drive *d, struct connection *c, struct err *err)
{
	const struct sockaddr_in *to = &d->config->address;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return err_errno(err, errno, "socket");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (const struct sockaddr *)to, sizeof(*to)) != 0 && errno != EINPROGRESS)
		return err_errno(err, errno, "connect");
	if (epoll_ctl(d->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		return err_errno(err, errno, "epoll_ctl");
	return OK;
}

static void send_more(struct connection *c)
{
	while (c->fd >= 0 && c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				close_connection(c);
			return;
		}
		c->sent += (size_t)n;
	}
}

/* Gives the connection its next request, if there is one. */
static RESULT begin(struct drive *d, struct connection *c, struct err *err)
{
	const struct drive_config *config = d->config;
	const struct buf *body;

	if (d->next == config->count) {
		close_connection(c);
		return OK;
	}
	c->request = d->next++;
	c->start = clock_mono_us();
	c->sent = 0;
	body = &config->requests[c->request % config->n_requests];
	buf_reset(&c->in);
	buf_reset(&c->out);
	if (!config->whole)
		buf_printf(
		    &c->out,
		    "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-pki-message\r\n"
		    "Content-Length: %zu\r\n%s\r\n",
		    config->path, body->len, config->fresh ? "Connection: close\r\n" : "");
	buf_put(&c->out, buf_span(body));
	TRY(buf_check(&c->out, err));
	if (c->fd < 0)
		TRY(open_connection(d, c, err));
	else
		send_more(c);
	return OK;
}

static size_t find(struct span in, const char *what, size_t len)
{
	const uint8_t *p = memmem(in.p, in.len, what, len);

	return p ? (size_t)(p - in.p) : in.len;
}

static bool header_value(struct span head, const char *name, char *value, size_t size)
{
	size_t n = strlen(name);

	while (head.len) {
		size_t end = find(head, "\r\n", 2);

		if (end > n && strncasecmp((const char *)head.p, name, n) == 0) {
			(void)snprintf(value, size, "%.*s", (int)(end - n),
				       (const char *)head.p + n);
			return true;
		}
		head = span_sub(head, end + 2, SIZE_MAX);
	}
	return false;
}

/* Walks over the chunks; true when the last one is there. */
static bool chunks_complete(struct span body)
{
	for (;;) {
		size_t line = find(body, "\r\n", 2), size;

		if (line == body.len)
			return false;
		size = strtoul((const char *)body.p, NULL, 16);
		if (size == 0)
			return body.len >= line + 4;
		if (body.len < line + 2 + size + 2)
			return false;
		body = span_sub(body, line + 2 + size + 2, SIZE_MAX);
	}
}

static bool answer_complete(struct span in)
{
	size_t end = find(in, "\r\n\r\n", 4);
	struct span head = span_sub(in, 0, end), body = span_sub(in, end + 4, SIZE_MAX);
	char value[64];

	if (end == in.len)
		return false;
	if (header_value(head, "Content-Length:", value, sizeof(value)))
		return body.len >= strtoul(value, NULL, 10);
	if (header_value(head, "Transfer-Encoding:", value, sizeof(value)))
		return chunks_complete(body);
	return false; /* it ends with the connection */
}

/* pkiStatus (2.16.840.1.113733.1.9.3) with the PrintableString "0" */
static const char success[] = "\x60\x86\x48\x01\x86\xf8\x45\x01\x09\x03\x31\x03\x13\x01\x30";

static void count(struct drive *d, struct connection *c)
{
	struct span in = buf_span(&c->in);
	struct drive_result *r = d->result;

	if (in.len >= 12 && memcmp(in.p + 9, "503", 3) == 0)
		r->busy++;
	else if (in.len < 12 || memcmp(in.p + 9, "200", 3) != 0)
		r->broken++;
	else if (d->config->whole || find(in, success, sizeof(success) - 1) < in.len)
		r->issued++;
	else
		r->refused++;
	r->latencies[r->n_latencies++] = clock_mono_us() - c->start;
	d->done++;
}

static RESULT end(struct drive *d, struct connection *c, struct err *err)
{
	char value[64];
	struct span head = span_sub(buf_span(&c->in), 0, find(buf_span(&c->in), "\r\n\r\n", 4));

	count(d, c);
	if (d->config->fresh ||
	    (header_value(head, "Connection:", value, sizeof(value)) && strcasestr(value, "close")))
		close_connection(c);
	return begin(d, c, err);
}

static RESULT receive(struct drive *d, struct connection *c, struct err *err)
{
	while (c->fd >= 0) {
		uint8_t chunk[16384];
		ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);

		if (n > 0) {
			buf_put(&c->in, span_of(chunk, (size_t)n));
			if (answer_complete(buf_span(&c->in)))
				return end(d, c, err);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return OK;
		close_connection(c);
		return end(d, c, err);
	}
	return OK;
}

static RESULT loop(struct drive *d, struct err *err)
{
	struct epoll_event events[256];
	unsigned i;

	for (i = 0; i < d->config->connections; i++)
		TRY(begin(d, &d->connections[i], err));
	while (d->done < d->config->count) {
		int n = epoll_wait(d->epoll, events, ARRAY_LEN(events), 30000), k;

		if (n == 0)
			return err_set(err, ERR_TIMEOUT, "no answer for 30 s, %zu of %zu done",
				       d->done, d->config->count);
		for (k = 0; k < n; k++) {
			struct connection *c = events[k].data.ptr;

			send_more(c);
			TRY(receive(d, c, err));
		}
	}
	return OK;
}

enum result drive_run(const struct drive_config *config, struct drive_result *out, struct err *err)
{
	struct drive d = { .config = config, .result = out };
	enum result r;
	unsigned i;

	d.epoll = epoll_create1(EPOLL_CLOEXEC);
	d.connections = calloc(config->connections, sizeof(*d.connections));
	if (d.epoll < 0 || !d.connections)
		return err_nomem(err);
	for (i = 0; i < config->connections; i++)
		d.connections[i].fd = -1;
	out->micros = -clock_mono_us();
	r = loop(&d, err);
	out->micros += clock_mono_us();
	for (i = 0; i < config->connections; i++) {
		close_connection(&d.connections[i]);
		buf_clear(&d.connections[i].in);
		buf_clear(&d.connections[i].out);
	}
	free(d.connections);
	(void)close(d.epoll);
	return r;
}
