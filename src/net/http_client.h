/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests of the device side and of scepterctl, by libcurl. One thread an object. */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include "base/buf.h"

struct http_client_config {
	const char *unix_socket; /* connect here whatever the URL's host; NULL: by the URL */
	const char *ca_file;     /* PEM trust anchors for https; NULL: the system's */
	struct span ca_pem;      /* the same as bytes, in its place; empty: none */
	bool anyone;             /* whoever answers will do: no secrets, then */
	struct span cert_pem;    /* of a client that shows a certificate over TLS, and... */
	struct span key_pem;     /* ...its private key, wiped with the client */
	const char *user;        /* of HTTP Basic; NULL: none */
	struct span password;
	unsigned connect_seconds; /* 0: 10 */
	unsigned total_seconds;   /* 0: 60 */
	size_t body_max;          /* of the reply; 0: 4 MiB */
	const char *user_agent;   /* NULL: "scepter/VERSION" */
	/* Asked now and then, at least each second or so; true ends the request. NULL: nobody. */
	bool (*cancelled)(void *ctx);
	void *ctx;
};

struct http_client;

struct http_client_request {
	const char *method; /* "GET", "POST", "DELETE" */
	const char *url;
	const char *content_type; /* of the body; NULL: none */
	struct span body;
	/* Conditions (RFC 9110 13.1), as etag and last_modified of an earlier reply had it; NULL or
	   empty: none. */
	const char *if_none_match;
	const char *if_modified_since;
	/* Redirections within the URL's own origin (RFC 6454 4) are followed, with the method, the
	   body and the credentials of the request; others, and without this all, are the reply. */
	bool follow;
};

struct http_client_reply {
	long status;
	char content_type[128]; /* lower case, parameters cut off */
	long retry_after;       /* seconds; -1: absent */
	bool fresh;             /* by a connection of its own */
	char etag[256];         /* of the body (RFC 9110 8.8); empty: none, or too long */
	char last_modified[64]; /* the same */
	struct buf location;    /* where a redirection points, absolute; empty: nowhere */
	struct buf body;
};

RESULT http_client_new(struct http_client **out, const struct http_client_config *config,
		       struct err *err);
void http_client_free(struct http_client *c);
DEFINE_CLEANUP(struct http_client, http_client_free)

/* Any HTTP status is OK here; ERR_IO, ERR_TIMEOUT or ERR_LIMIT when no whole reply came. */
RESULT http_client_do(struct http_client *c, const struct http_client_request *req,
		      struct http_client_reply *reply, struct err *err);
/*
 * What binds something to the connection that the last request went by (RFC 5929 tls-unique, RFC
 * 9266 tls-exporter); empty: it was none of TLS, or has no such. The next request goes by the same
 * connection as a rule: *reply.fresh says whether it did not.
 */
struct span http_client_binding(const struct http_client *c);
void http_client_reply_clear(struct http_client_reply *reply);

#endif
