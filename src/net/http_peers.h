/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is connected, and how often: the cap on connections per address. An IPv6 peer counts by its
 * /64, which one host commands as a whole. Thread-safe.
 */
#ifndef NET_HTTP_PEERS_H
#define NET_HTTP_PEERS_H

#include <sys/socket.h>

#include "base/err.h"
#include "base/span.h"

struct http_peers;

/* cap: connections an address may have; 0: no cap. */
RESULT http_peers_new(struct http_peers **out, unsigned cap, struct err *err);
void http_peers_free(struct http_peers *peers);

/*
 * Counts one more connection of the address; false if it has its cap already (or there is no
 * memory). Unix sockets always may. Each true is to be paid back by http_peers_leave.
 */
MUST_USE bool http_peers_enter(struct http_peers *peers, const struct sockaddr_storage *addr);
void http_peers_leave(struct http_peers *peers, const struct sockaddr_storage *addr);

#endif
