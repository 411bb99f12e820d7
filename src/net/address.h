/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IP addresses and blocks of them (RFC 4632, RFC 4291 2.3). An IPv4 address is kept as
 * ::ffff:192.0.2.1 (RFC 4291 2.5.5.2): however it came, it is the same one. Pure.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"
#include "base/span.h"

#define ADDRESS_TEXT_MAX 64

struct address { /* all zero: none, as of a Unix socket */
	uint8_t octets[16];
};

struct address_block {
	struct address first;
	unsigned bits; /* of the 128 */
};

struct address address_of_ipv4(const uint8_t octets[4]);
bool address_is_ipv4(const struct address *a);
bool address_is_none(const struct address *a);
/* False: of another family. */
bool address_of_socket(const struct sockaddr_storage *from, struct address *out, uint16_t *port);
void address_to_socket(const struct address *a, uint16_t port, struct sockaddr_storage *out);
/* "192.0.2.1", "2001:db8::1". */
void address_format(const struct address *a, char out[ADDRESS_TEXT_MAX]);
/*
 * What one host can hardly change: the IPv4 address, or the IPv6 /64, which it commands as a whole.
 * Borrowed from a.
 */
struct span address_key(const struct address *a);

/*
 * "192.0.2.0/24", "2001:db8::/32", a single address, or "all". ERR_SYNTAX, also where octets behind
 * the block's length are not zero: then one of the two is not what was meant.
 */
RESULT address_block_parse(const char *text, struct address_block *out, struct err *err);
bool address_block_has(const struct address_block *block, const struct address *a);
bool address_among(const struct address *a, const struct address_block *blocks, size_t n);

#endif
