/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#define IPV4_BITS 96 /* of ::ffff:0.0.0.0/96, in which all of IPv4 is */

static const uint8_t ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct address address_of_ipv4(const uint8_t octets[4])
{
	struct address a;

	memcpy(a.octets, ipv4_prefix, sizeof(ipv4_prefix));
	memcpy(a.octets + sizeof(ipv4_prefix), octets, 4);
	return a;
}

bool address_is_ipv4(const struct address *a)
{
	return memcmp(a->octets, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

bool address_is_none(const struct address *a)
{
	static const struct address none;

	return memcmp(a, &none, sizeof(none)) == 0;
}

bool address_of_socket(const struct sockaddr_storage *from, struct address *out, uint16_t *port)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *in = (const struct sockaddr_in *)from;

	if (from->ss_family == AF_INET)
		*out = address_of_ipv4((const uint8_t *)&in->sin_addr);
	else if (from->ss_family == AF_INET6)
		memcpy(out->octets, &in6->sin6_addr, sizeof(out->octets));
	else
		return false;
	/* both kinds have the port in the same place */
	*port = ntohs(in->sin_port);
	return true;
}

void address_to_socket(const struct address *a, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->octets, sizeof(a->octets));
}

void address_format(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	bool ipv4 = address_is_ipv4(a);

	if (!inet_ntop(ipv4 ? AF_INET : AF_INET6, a->octets + (ipv4 ? sizeof(ipv4_prefix) : 0), out,
		       ADDRESS_TEXT_MAX))
		out[0] = '\0';
}

struct span address_key(const struct address *a)
{
	return span_of(a->octets, address_is_ipv4(a) ? 16 : 8);
}

/* ---- blocks ---- */

static bool parse_address(const char *text, struct address *out)
{
	uint8_t ipv4[4];

	if (inet_pton(AF_INET, text, ipv4) == 1) {
		*out = address_of_ipv4(ipv4);
		return true;
	}
	return inet_pton(AF_INET6, text, out->octets) == 1;
}

/* Decimal, without sign and leading zeros. */
static bool parse_length(const char *text, unsigned max, unsigned *out)
{
	size_t n = strspn(text, "0123456789");
	unsigned long value = strtoul(text, NULL, 10);

	if (n == 0 || n > 3 || text[n] || (n > 1 && text[0] == '0') || value > max)
		return false;
	*out = (unsigned)value;
	return true;
}

static bool same_bits(const struct address *a, const struct address *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a->octets, b->octets, whole) == 0 &&
	       (rest == 0 || (a->octets[whole] ^ b->octets[whole]) >> (8 - rest) == 0);
}

static bool is_zero_behind(const struct address *a, unsigned bits)
{
	unsigned i;

	for (i = bits; i < 128; i++)
		if (a->octets[i / 8] >> (7 - i % 8) & 1)
			return false;
	return true;
}

enum result address_block_parse(const char *text, struct address_block *out, struct err *err)
{
	struct address_block block = { .bits = 128 };
	char address[ADDRESS_TEXT_MAX];
	size_t len = strcspn(text, "/");
	unsigned base;

	if (strcmp(text, "all") == 0) {
		*out = (struct address_block){ .bits = 0 };
		return OK;
	}
	(void)snprintf(address, sizeof(address), "%.*s", len < sizeof(address) ? (int)len : 0,
		       text);
	if (!parse_address(address, &block.first))
		return err_set(err, ERR_SYNTAX,
			       "\"%s\" is no address or block of them: write 192.0.2.0/24, "
			       "2001:db8::/32, 192.0.2.1 or all",
			       text);
	base = strchr(address, ':') ? 0 : IPV4_BITS;
	if (text[len] && !parse_length(text + len + 1, 128 - base, &block.bits))
		return err_set(err, ERR_SYNTAX, "\"%s\": the length behind the slash is 0 to %u",
			       text, 128 - base);
	if (text[len])
		block.bits += base;
	if (!is_zero_behind(&block.first, block.bits))
		return err_set(err, ERR_SYNTAX,
			       "\"%s\": bits behind the length are set; make it longer, or set "
			       "them to 0",
			       text);
	*out = block;
	return OK;
}

bool address_block_has(const struct address_block *block, const struct address *a)
{
	return same_bits(&block->first, a, block->bits);
}

bool address_among(const struct address *a, const struct address_block *blocks, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (address_block_has(&blocks[i], a))
			return true;
	return false;
}
