/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection from a trusted proxy, until its header has told who the client is. Only for the
 * loop's thread.
 */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

#include "net/http_conn.h"

struct http_proxy;

bool http_proxy_is_trusted(const struct http_listener *listener, const struct address *peer);
/* Waits for the header, then goes on with http_conn_begin(). May close the connection. */
void http_proxy_begin(struct http_conn *c);
void http_proxy_free(struct http_proxy *p);

#endif
