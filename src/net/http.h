/* SPDX-License-Identifier: Apache-2.0 */
/* What a request and a reply are to those who handle them; nothing of the server's insides. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "base/log.h"
#include "net/address.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OTHER };

#define HTTP_HEADERS_MAX 64
#define HTTP_PEER_MAX ADDRESS_TEXT_MAX

struct http_header {
	struct span name;
	struct span value;
};

/* All spans borrowed; valid until the handler returns. */
struct http_request {
	enum http_method method;
	bool http10;
	struct span path;  /* as received, not decoded, without query */
	struct span query; /* behind '?', as received ('+' stays '+') */
	struct span body;
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	const char *listener;     /* the listener's configured name */
	char peer[HTTP_PEER_MAX]; /* "192.0.2.1", "2001:db8::1", "unix" */
	struct address address;   /* the same; none of a Unix socket */
	uint16_t peer_port;
	bool tls;          /* or by a proxy that terminates it... */
	bool by_proxy;     /* ...and tells of the client's certificates: then there is no binding */
	uint32_t peer_uid; /* of a Unix socket's peer; UINT32_MAX otherwise */
	const struct span *client_certs; /* DER, leaf first; none: NULL */
	size_t n_client_certs;
	bool client_verified;        /* they lead to a CA that the listener trusts, and are in
					validity; nobody has looked whether they are revoked */
	struct span channel_binding; /* see net/tls_peer.h; empty: none */
	struct log_lines *lines; /* for log_hold(): written before the reply is sent; may be NULL */
};

/* Bytes that someone else owns, and that many replies may send at once. */
struct http_lent {
	struct span bytes;
	void (*release)(void *owner); /* from any thread, when this reply needs them no more */
	void *owner;
};

#define HTTP_REPLY_HEADERS_MAX 8

/* What a request was and came to, in its protocol's words, for who counts them. All static strings
 * of a small set; NULL: nothing to say beyond the status. */
struct http_label {
	const char *operation; /* "PKCSReq" */
	const char *outcome;   /* "success", "pending", "failure" */
	const char *reason;    /* of a failure: "badRequest" */
};

/* Handlers fill it; the server sends and clears it. */
struct http_reply {
	int status;               /* 0: the handler forgot; sent as 500 */
	const char *content_type; /* static string */
	struct {
		const char *name; /* static string */
		char value[256];
	} headers[HTTP_REPLY_HEADERS_MAX];
	size_t n_headers;
	struct buf body;
	struct http_lent lent; /* release set: sent instead of body */
	struct http_label label;
};

static inline struct span http_reply_body(const struct http_reply *reply)
{
	return reply->lent.release ? reply->lent.bytes : buf_span(&reply->body);
}

/* Value of a header, without case; empty if absent. */
struct span http_header(const struct http_request *req, const char *name);
void http_reply_header(struct http_reply *reply, const char *name, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* status, text/plain and one line of text. */
void http_reply_text(struct http_reply *reply, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
const char *http_status_text(int status);
void http_reply_clear(struct http_reply *reply);

#endif
