/* SPDX-License-Identifier: Apache-2.0 */
#include "net/proxy_header.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define TEXT_MAX 107 /* of a version 1 header, its end included */
#define FIXED 16     /* octets in front of version 2's addresses */
#define TLV_HEAD 3
#define TLV_CRC32C 0x03

static const struct span text_signature = SPAN_LIT("PROXY ");
static const struct span binary_signature = SPAN_LIT("\r\n\r\n\0\r\nQUIT\n");

/* As far as both go. */
static bool begins_as(struct span bytes, struct span signature)
{
	size_t n = bytes.len < signature.len ? bytes.len : signature.len;

	return n == 0 || memcmp(bytes.p, signature.p, n) == 0;
}

/* ---- version 1: a line of text ---- */

/* The field up to the next blank, or the line's end; text moves behind it. */
static struct span next_field(struct span *text)
{
	struct span field = span_sub(*text, 0, span_find(*text, ' '));

	*text = span_sub(*text, field.len + 1, SIZE_MAX);
	return field;
}

static bool parse_address(struct span field, int family, struct address *out)
{
	char text[ADDRESS_TEXT_MAX];
	uint8_t ipv4[4];

	if (field.len == 0 || field.len >= sizeof(text) || memchr(field.p, 0, field.len))
		return false;
	memcpy(text, field.p, field.len);
	text[field.len] = '\0';
	if (family == AF_INET6)
		return inet_pton(AF_INET6, text, out->octets) == 1;
	if (inet_pton(AF_INET, text, ipv4) != 1)
		return false;
	*out = address_of_ipv4(ipv4);
	return true;
}

static bool parse_port(struct span field, uint16_t *out)
{
	uint32_t n = 0;
	size_t i;

	if (field.len == 0 || field.len > 5 || (field.len > 1 && field.p[0] == '0'))
		return false;
	for (i = 0; i < field.len; i++) {
		if (field.p[i] < '0' || field.p[i] > '9')
			return false;
		n = n * 10 + field.p[i] - '0';
	}
	*out = (uint16_t)n;
	return n <= UINT16_MAX;
}

/* "TCP4 192.0.2.1 198.51.100.1 56324 443", of which the second of each pair is the proxy's. */
static bool parse_fields(struct span text, struct proxy_header *h)
{
	struct span protocol = next_field(&text), source = next_field(&text),
		    here = next_field(&text), port = next_field(&text);
	int family = span_eq_str(protocol, "TCP4")   ? AF_INET
		     : span_eq_str(protocol, "TCP6") ? AF_INET6
						     : AF_UNSPEC;
	struct address other;
	uint16_t other_port;

	return family != AF_UNSPEC && parse_address(source, family, &h->source) &&
	       parse_address(here, family, &other) && parse_port(port, &h->port) &&
	       parse_port(text, &other_port);
}

static RESULT parse_text(struct span bytes, struct proxy_header *h, struct err *err)
{
	struct span line = span_sub(bytes, 0, TEXT_MAX);
	size_t end = span_find(line, '\n');

	if (end == line.len && line.len < TEXT_MAX)
		return OK;
	line = span_sub(line, 0, end + 1);
	if (line.len < text_signature.len + 2 || !span_eq_str(span_sub(line, end - 1, 2), "\r\n"))
		return err_set(err, ERR_SYNTAX,
			       "PROXY protocol 2.1: no CRLF within %d octets, or a bare LF",
			       TEXT_MAX);
	h->state = PROXY_HEADER_WHOLE;
	h->len = line.len;
	line = span_sub(line, text_signature.len, line.len - text_signature.len - 2);
	h->own = begins_as(line, SPAN_LIT("UNKNOWN")) && line.len >= 7 &&
		 (line.len == 7 || line.p[7] == ' ');
	if (!h->own && !parse_fields(line, h))
		return err_set(err, ERR_SYNTAX,
			       "PROXY protocol 2.1: \"%.*s\" is not TCP4, TCP6 or UNKNOWN with two "
			       "addresses and two ports",
			       (int)line.len, (const char *)line.p);
	return OK;
}

/* ---- version 2: octets ---- */

/* RFC 3720 B.4, over the header with zeros in the place of the checksum. */
static uint32_t crc32c(uint32_t crc, uint8_t octet)
{
	unsigned bit;

	crc ^= octet;
	for (bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	return crc;
}

static bool checksum_fits(struct span header, size_t at)
{
	uint32_t crc = UINT32_MAX, want = 0;
	size_t i;

	for (i = 0; i < header.len; i++) {
		bool is_sum = i >= at && i < at + 4;

		crc = crc32c(crc, is_sum ? 0 : header.p[i]);
		if (is_sum)
			want = want << 8 | header.p[i];
	}
	return (crc ^ UINT32_MAX) == want;
}

/* The extensions: their structure, and the checksum if it is among them. */
static RESULT check_extensions(struct span header, size_t at, struct err *err)
{
	size_t len;

	for (; at < header.len; at += TLV_HEAD + len) {
		if (header.len - at < TLV_HEAD)
			return err_set(err, ERR_SYNTAX,
				       "PROXY protocol 2.2: %zu octets behind the last TLV",
				       header.len - at);
		len = (size_t)header.p[at + 1] << 8 | header.p[at + 2];
		if (len > header.len - at - TLV_HEAD)
			return err_set(err, ERR_SYNTAX,
				       "PROXY protocol 2.2: TLV %u of %zu octets, of which %zu are "
				       "there",
				       header.p[at], len, header.len - at - TLV_HEAD);
		if (header.p[at] == TLV_CRC32C &&
		    (len != 4 || !checksum_fits(header, at + TLV_HEAD)))
			return err_set(err, ERR_SYNTAX,
				       "PROXY protocol 2.2.3: the checksum is wrong");
	}
	return OK;
}

/* Family and transport: where the addresses end. */
static const struct {
	uint8_t family;
	uint8_t addresses; /* octets */
	bool is_ip;
} families[] = {
	{ 0x00, 0, false },   /* unspecified */
	{ 0x11, 12, true },   /* TCP over IPv4 */
	{ 0x21, 36, true },   /* TCP over IPv6 */
	{ 0x31, 216, false }, /* a Unix socket */
};

static void read_addresses(struct span header, struct proxy_header *h)
{
	const uint8_t *at = header.p + FIXED;
	size_t octets = header.p[13] == 0x11 ? 4 : 16;

	if (octets == 4)
		h->source = address_of_ipv4(at);
	else
		memcpy(h->source.octets, at, 16);
	at += 2 * octets;
	h->port = (uint16_t)(at[0] << 8 | at[1]);
}

static RESULT read_binary(struct span header, struct proxy_header *h, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].family == header.p[13])
			break;
	/* health checks say LOCAL, and then nothing else in it counts */
	h->own = header.p[12] == 0x20;
	if (h->own)
		return OK;
	if (i == ARRAY_LEN(families) || header.len - FIXED < families[i].addresses)
		return err_set(err, ERR_SYNTAX,
			       "PROXY protocol 2.2: family and transport %02x with %zu octets",
			       header.p[13], header.len - FIXED);
	h->own = !families[i].is_ip;
	if (families[i].is_ip)
		read_addresses(header, h);
	return check_extensions(header, FIXED + families[i].addresses, err);
}

static RESULT parse_binary(struct span bytes, struct proxy_header *h, struct err *err)
{
	size_t len;

	if (bytes.len < FIXED)
		return OK;
	len = FIXED + ((size_t)bytes.p[14] << 8 | bytes.p[15]);
	if (bytes.p[12] != 0x20 && bytes.p[12] != 0x21)
		return err_set(err, ERR_SYNTAX,
			       "PROXY protocol 2.2: version and command %02x are neither LOCAL nor "
			       "PROXY of version 2",
			       bytes.p[12]);
	if (len > PROXY_HEADER_MAX)
		return err_set(err, ERR_LIMIT, "PROXY header of %zu octets, the limit is %d", len,
			       PROXY_HEADER_MAX);
	if (bytes.len < len)
		return OK;
	h->state = PROXY_HEADER_WHOLE;
	h->len = len;
	return read_binary(span_sub(bytes, 0, len), h, err);
}

enum result proxy_header_parse(struct span bytes, struct proxy_header *out, struct err *err)
{
	struct proxy_header h = { .state = PROXY_HEADER_PART };
	bool text = begins_as(bytes, text_signature), binary = begins_as(bytes, binary_signature);

	if (!text && !binary)
		h.state = PROXY_HEADER_NONE;
	else if (text && bytes.len >= text_signature.len)
		TRY(parse_text(bytes, &h, err));
	else if (binary)
		TRY(parse_binary(bytes, &h, err));
	*out = h;
	return OK;
}
