/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_proxy.h"

#include <errno.h>
#include <event2/buffer.h>
#include <stdlib.h>

#include "net/proxy_header.h"

/* The socket is read by hand: not an octet beyond the header may be taken, for TLS begins there. */
struct http_proxy {
	struct event *readable;
	size_t len; /* taken from the socket, all part of the header */
	uint8_t bytes[PROXY_HEADER_MAX];
};

bool http_proxy_is_trusted(const struct http_listener *listener, const struct address *peer)
{
	return address_among(peer, listener->proxies, listener->n_proxies);
}

static void refuse(struct http_conn *c, const struct err *err)
{
	log_warning(&c->loop->shared->log, "connection from a proxy refused",
		    LOG_STR("peer", c->peer), LOG_STR("listener", c->listener->name), LOG_ERR(err));
	http_conn_close(c);
}

/* The first octets of a request may look like those of a header: they were taken already. */
static void go_on(struct http_conn *c, size_t taken)
{
	struct http_proxy *p = c->proxy;

	c->proxy = NULL;
	(void)event_del(p->readable);
	http_conn_begin(c, span_of(p->bytes, taken));
	http_proxy_free(p);
}

/* Takes n more octets, which were seen to be there. */
static bool consume(struct http_conn *c, size_t n)
{
	struct http_proxy *p = c->proxy;

	if (recv(c->fd, p->bytes + p->len, n, 0) != (ssize_t)n)
		return false;
	p->len += n;
	return true;
}

static void end(struct http_conn *c, const struct proxy_header *h)
{
	struct http_proxy *p = c->proxy;

	if (!consume(c, h->len - p->len)) {
		http_conn_close(c);
		return;
	}
	if (!h->own)
		http_conn_set_client(c, &h->source, h->port);
	go_on(c, 0);
}

static void without(struct http_conn *c)
{
	struct err err = { 0 };

	if (c->listener->proxy_optional && !(c->listener->tls && c->proxy->len))
		go_on(c, c->proxy->len);
	else if (err_set(&err, ERR_BAD_REQUEST, "no PROXY header in front of the request"))
		refuse(c, &err);
}

/* n octets more lie in the socket. */
static void look(struct http_conn *c, size_t n)
{
	struct http_proxy *p = c->proxy;
	struct proxy_header h = { .state = PROXY_HEADER_PART };
	struct err err = { 0 };

	if (proxy_header_parse(span_of(p->bytes, p->len + n), &h, &err) != OK)
		refuse(c, &err);
	else if (h.state == PROXY_HEADER_WHOLE)
		end(c, &h);
	else if (h.state == PROXY_HEADER_NONE)
		without(c);
	else if (!consume(c, n))
		http_conn_close(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct http_conn *c = arg;
	struct http_proxy *p = c->proxy;
	ssize_t n = recv(fd, p->bytes + p->len, sizeof(p->bytes) - p->len, MSG_PEEK);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		look(c, (size_t)n);
	else
		http_conn_close(c);
}

void http_proxy_begin(struct http_conn *c)
{
	struct http_proxy *p = calloc(1, sizeof(*p));

	c->proxy = p;
	if (p)
		p->readable = event_new(c->loop->base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	if (!p || !p->readable || event_add(p->readable, NULL) != 0)
		http_conn_close(c);
	else
		http_conn_enter(c, PHASE_PROXY, c->loop->shared->limits.header_seconds);
}

void http_proxy_free(struct http_proxy *p)
{
	if (!p)
		return;
	if (p->readable)
		event_free(p->readable);
	free(p);
}
