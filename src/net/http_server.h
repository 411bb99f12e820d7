/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP server: event loops, one a core, in front of a bounded pool of worker threads in which the
 * handler runs and may block. Queue full: 503 with Retry-After. Every limit below is absolute: a
 * client that sends a byte a second loses its place when the deadline comes.
 *
 * Framing is strict (RFC 9112): refused with 400 are differing or repeated Content-Length, one that
 * is not plain digits, Content-Length together with Transfer-Encoding, white space before the
 * colon, obs-fold, HTTP/1.1 without Host (with the exception that `lenient_gets` makes for SCEP
 * devices).
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "base/log.h"
#include "net/client_cert.h"
#include "net/http.h"

struct http_limits {
	size_t header_bytes;     /* request line and headers; default 32 KiB (SCEP GETs are long) */
	size_t body_bytes;       /* default 1 MiB */
	unsigned header_seconds; /* from the first byte of a request (or accept) to the end of
				    headers; 10 */
	unsigned body_seconds;   /* from there to the end of the body; 30 */
	unsigned write_seconds;  /* to take the reply; 30 */
	unsigned idle_seconds;   /* keep-alive without a request; 60 */
	unsigned connections;    /* in all; beyond: accept and close; 10000 */
	unsigned connections_per_address; /* 0: no cap; default 256; Unix sockets exempt */
	unsigned queue;                   /* jobs waiting for a worker; default 1024 */
};

#define HTTP_LIMITS_DEFAULT                                                                        \
	((struct http_limits){ .header_bytes = 32768,                                              \
			       .body_bytes = 1 << 20,                                              \
			       .header_seconds = 10,                                               \
			       .body_seconds = 30,                                                 \
			       .write_seconds = 30,                                                \
			       .idle_seconds = 60,                                                 \
			       .connections = 10000,                                               \
			       .connections_per_address = 256,                                     \
			       .queue = 1024 })

struct tls_server;   /* net/tls.h */
struct tls_verifier; /* net/tls_verifier.h */

/*
 * Proxies that terminate TLS in front of a listener: what comes from them counts as TLS, and the
 * field has the client's certificates. What a TLS hop says of the proxy itself counts for nothing.
 * From others a request with such a field is refused.
 */
struct http_tls_proxy {
	const char *field; /* NULL: there are none */
	enum client_cert_format format;
	const struct address_block *trusted;
	size_t n_trusted;
	struct tls_verifier *verifier; /* borrowed */
};

struct http_listener {
	const char *name;
	int fd;                 /* listening socket (TCP or Unix), stays the caller's, who may close
				   it: the server has a copy, until it drains */
	bool lenient_gets;      /* take HTTP/1.0 (OCSP), and GETs without Host (SCEP) */
	struct tls_server *tls; /* NULL: plain; borrowed */
	/*
	 * Those that may say for whom they connect, by the PROXY protocol in front of everything:
	 * then that is the peer of the request. From nobody else a header is taken.
	 */
	const struct address_block *proxies;
	size_t n_proxies;
	struct http_tls_proxy tls_proxy;
	size_t body_bytes;   /* in the place of the limit; 0: that */
	bool proxy_optional; /* a proxy that sends no header is taken for the client */
};

/*
 * Runs in a worker thread, with its stack of 512 KiB. worker: state that no other request uses
 * meanwhile, from worker_new. Must not keep req.
 */
typedef void http_handler(void *ctx, void *worker, const struct http_request *req,
			  struct http_reply *reply);

/*
 * Runs in an event loop, before a worker is asked: must not wait. True: reply is filled, and goes
 * out at once; false: it is untouched.
 */
typedef bool http_quick(void *ctx, const struct http_request *req, struct http_reply *reply);

/* Runs in a worker thread: a request was refused before the handler saw it, for this reason. */
typedef void http_refused(void *ctx, const struct http_request *req, const char *reason);

struct http_server_config {
	const struct http_listener *listeners;
	size_t n_listeners;
	struct http_limits limits;
	unsigned loops;   /* event loops; 0: one a core */
	unsigned workers; /* worker threads; 0: four a core, at least eight */
	/* begun by workers at once, several each (base/crew.h); 0: six a core, at least 12 */
	unsigned requests;
	http_handler *handler;
	http_quick *quick;     /* NULL: none */
	http_refused *refused; /* NULL: nobody wants to know */
	void *ctx;
	/* makes and frees what a request has for itself while it is handled (a crypto context,
	 * say), and then another; from any thread, the first at the start */
	RESULT (*worker_new)(void *ctx, void **worker, struct err *err);
	void (*worker_free)(void *ctx, void *worker);
	struct log log;
	bool access_log; /* a line a request: method, path, status, bytes, microseconds, peer */
};

struct http_server;

/*
 * Starts all threads and returns; connections are taken from then on. The configuration is copied,
 * but for ctx and the listeners' tls. Listening sockets are made non-blocking. A limit of 0 takes
 * its default, except where 0 says something.
 */
RESULT http_server_start(struct http_server **out, const struct http_server_config *config,
			 struct err *err);
/*
 * Graceful: stops accepting, answers what is under way (Connection: close), waits at most
 * `seconds`, then cuts. Returns when all threads ended. Frees the server.
 */
void http_server_drain(struct http_server *server, unsigned seconds);

struct http_server_stats {
	unsigned connections;
	unsigned queued;
	uint64_t requests;
	uint64_t refused_busy;    /* 503 by a full queue */
	uint64_t refused_address; /* per-address cap */
	uint64_t timed_out;
};
void http_server_stats(const struct http_server *server, struct http_server_stats *out);

#endif
