/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sender.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"

#define URL_MAX 512

/* libcurl connects, for TLS too, and then steps aside. */
struct sender {
	CURL *curl; /* NULL: datagrams */
	int fd;     /* of datagrams */
	unsigned timeout_ms;
	char name[URL_MAX]; /* for errors */
};

void sender_close(struct sender *s)
{
	if (!s)
		return;
	curl_easy_cleanup(s->curl);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

/* ---- datagrams ---- */

static enum result connect_any(struct sender *s, const struct addrinfo *list, struct err *err)
{
	const struct addrinfo *a;

	for (a = list; a; a = a->ai_next) {
		s->fd = socket(a->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (s->fd >= 0 && connect(s->fd, a->ai_addr, a->ai_addrlen) == 0)
			return OK;
		if (s->fd >= 0)
			(void)close(s->fd);
		s->fd = -1;
	}
	return err_errno(err, errno, "%s", s->name);
}

static enum result open_datagrams(struct sender *s, const struct sender_config *c, struct err *err)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	char port[8];
	enum result r;
	int e;

	(void)snprintf(port, sizeof(port), "%u", c->port);
	e = getaddrinfo(c->host, port, &hints, &list);
	if (e)
		return err_set(err, ERR_IO, "%s: %s", s->name, gai_strerror(e));
	r = connect_any(s, list, err);
	freeaddrinfo(list);
	return r;
}

static enum result send_datagram(const struct sender *s, struct span bytes, struct err *err)
{
	/* the error of the one before, which nobody took, comes first: then once more */
	if (send(s->fd, bytes.p, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	    send(s->fd, bytes.p, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return OK;
	return err_errno(err, errno, "%s", s->name);
}

/* ---- streams ---- */

static enum result fail(const struct sender *s, CURLcode code, struct err *err)
{
	return err_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_IO, "%s: %s",
		       s->name, curl_easy_strerror(code));
}

static CURLcode set_options(CURL *curl, const char *url, const struct sender_config *c)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);

	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)c->timeout_ms);
	if (code == CURLE_OK && c->ca_file)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, c->ca_file);
	return code;
}

static enum result open_stream(struct sender *s, const struct sender_config *c, struct err *err)
{
	const char *scheme = c->transport == SENDER_TLS ? "https" : "http";
	bool literal = strchr(c->host, ':') != NULL;
	char url[URL_MAX];
	CURLcode code;

	if (snprintf(url, sizeof(url), "%s://%s%s%s:%u", scheme, literal ? "[" : "", c->host,
		     literal ? "]" : "", c->port) >= (int)sizeof(url))
		return err_set(err, ERR_LIMIT, "%s: name too long", s->name);
	s->curl = curl_easy_init();
	if (!s->curl)
		return err_nomem(err);
	code = set_options(s->curl, url, c);
	if (code == CURLE_OK)
		code = curl_easy_perform(s->curl);
	return code == CURLE_OK ? OK : fail(s, code, err);
}

/* A collector says nothing: what comes from it is its good-bye. */
static bool has_left(const struct sender *s)
{
	char byte;
	size_t n = 0;
	CURLcode code = curl_easy_recv(s->curl, &byte, 1, &n);

	return code != CURLE_AGAIN && (code != CURLE_OK || n == 0);
}

static enum result wait_writable(const struct sender *s, int64_t until_us, struct err *err)
{
	int64_t left = (until_us - clock_mono_us()) / 1000;
	curl_socket_t fd = CURL_SOCKET_BAD;
	struct pollfd p;

	if (curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || left <= 0)
		return err_set(err, ERR_TIMEOUT, "%s: takes nothing for %u ms", s->name,
			       s->timeout_ms);
	p = (struct pollfd){ .fd = fd, .events = POLLOUT };
	if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
		return err_errno(err, errno, "%s", s->name);
	return OK;
}

static enum result send_stream(const struct sender *s, struct span bytes, struct err *err)
{
	int64_t until = clock_mono_us() + s->timeout_ms * 1000LL;

	if (has_left(s))
		return err_set(err, ERR_IO, "%s: the collector closed the connection", s->name);
	while (bytes.len) {
		size_t n = 0;
		CURLcode code = curl_easy_send(s->curl, bytes.p, bytes.len, &n);

		if (code == CURLE_AGAIN)
			TRY(wait_writable(s, until, err));
		else if (code != CURLE_OK)
			return fail(s, code, err);
		bytes = span_sub(bytes, n, SIZE_MAX);
	}
	return OK;
}

/* ---- both ---- */

enum result sender_open(struct sender **out, const struct sender_config *config, struct err *err)
{
	static const char *const names[] = { "udp", "tcp", "tls" };
	CLEANUP(sender_closep) struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	s->fd = -1;
	s->timeout_ms = config->timeout_ms;
	(void)snprintf(s->name, sizeof(s->name), "collector %s:%s:%u", names[config->transport],
		       config->host, config->port);
	TRY(config->transport == SENDER_UDP ? open_datagrams(s, config, err)
					    : open_stream(s, config, err));
	*out = take(s);
	return OK;
}

enum result sender_send(struct sender *s, struct span bytes, struct err *err)
{
	return s->curl ? send_stream(s, bytes, err) : send_datagram(s, bytes, err);
}
