/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PROXY protocol, versions 1 and 2 (proxy-protocol.txt of HAProxy, "2. The PROXY protocol
 * header"): what a proxy says of the connection that it passes on, in front of everything else,
 * TLS included. Pure.
 */
#ifndef NET_PROXY_HEADER_H
#define NET_PROXY_HEADER_H

#include "net/address.h"

#define PROXY_HEADER_MAX                                                                           \
	4096 /* octets that we read; a header without extensions has 232 at most                   \
	      */

enum proxy_header_state {
	PROXY_HEADER_PART,  /* so far it could be one: more is needed to tell */
	PROXY_HEADER_WHOLE, /* the first len octets are */
	PROXY_HEADER_NONE,  /* it is something else */
};

struct proxy_header {
	enum proxy_header_state state;
	size_t len;
	bool own; /* the proxy speaks for itself (LOCAL), or names no IP address (UNKNOWN): the
		     connection's own address holds */
	struct address source; /* of the client; with port */
	uint16_t port;
};

/*
 * bytes: what has come of the connection so far. ERR_SYNTAX: begins as a header, but is malformed
 * (an impossible address, a wrong checksum). ERR_LIMIT: longer than PROXY_HEADER_MAX.
 */
RESULT proxy_header_parse(struct span bytes, struct proxy_header *out, struct err *err);

#endif
