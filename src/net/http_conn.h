/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection. http_conn.c: how it comes and goes, its caps and deadlines. http_exchange.c: what
 * is said on it. Only for its loop's thread.
 */
#ifndef NET_HTTP_CONN_H
#define NET_HTTP_CONN_H

#include <event2/bufferevent.h>

#include "net/http_loop.h"

/* Each phase but WORKING, which is the handler's, has one absolute deadline. */
enum http_phase {
	PHASE_PROXY, /* a trusted proxy has yet to say who the client is */
	PHASE_IDLE,  /* no byte of a request yet */
	PHASE_HEAD,
	PHASE_BODY,
	PHASE_WORKING, /* the job is with the pool */
	PHASE_WRITING,
	PHASE_LINGER, /* all said; what still comes is thrown away, so that no reset overtakes the
		       * reply on its way (RFC 9112 9.6) */
};

struct http_conn {
	LIST_ENTRY(http_conn) link;
	struct http_loop *loop;
	const struct http_listener *listener;
	int fd;                   /* until bev has it; then -1 */
	struct http_proxy *proxy; /* of PHASE_PROXY */
	struct bufferevent *bev;  /* from then on */
	struct tls_peer *tls;     /* from the first request on */
	enum http_phase phase;
	int64_t deadline_us;
	size_t scanned;               /* of the head that is coming in */
	struct http_chunked chunked;  /* of the body that is coming in */
	struct http_job *job;         /* from the end of the head to the reply */
	bool deaf;                    /* reading is switched off: too much came ahead of time */
	bool eof;                     /* the client will send no more */
	bool last;                    /* close when the reply is out */
	bool linger;                  /* and do it gently */
	struct sockaddr_storage addr; /* of the client, as a trusted proxy tells it */
	bool by_proxy;                /* from one that terminates TLS for the listener */
	bool counted;                 /* among the connections of addr */
	char peer[HTTP_PEER_MAX];
	struct address address;
	uint16_t peer_port;
	uint32_t peer_uid;
};

/* http_conn.c */

/* Takes an accepted socket, or closes it where a cap is reached or there is no memory. */
void http_conn_accept(struct http_loop *loop, const struct http_listener *listener, int fd,
		      const struct sockaddr_storage *addr);
/*
 * The client is known: its place among those of its address, and the exchange. early: what was
 * read already; nothing on a TLS listener. May close it.
 */
void http_conn_begin(struct http_conn *c, struct span early);
void http_conn_set_client(struct http_conn *c, const struct address *client, uint16_t port);
void http_conn_close(struct http_conn *c);
/* seconds: until the phase must be over. */
void http_conn_enter(struct http_conn *c, enum http_phase phase, unsigned seconds);
/* Closes what is past its deadline; when the loop drains also what is idle. */
void http_conn_sweep(struct http_loop *loop, int64_t now_us);
void http_conn_cut_all(struct http_loop *loop);

/* http_exchange.c */

/* Goes on as far as the bytes at hand allow. May close the connection. */
void http_exchange_advance(struct http_conn *c);
/* All that was to be written is out. May close the connection. */
void http_exchange_written(struct http_conn *c);
/* Sends a job's reply, if its client is still there; frees the job. */
void http_exchange_answer(struct http_job *job);

#endif
