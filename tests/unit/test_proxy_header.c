/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the PROXY protocol as proxies send them, and as nobody should. */
#include "unit.h"

#include "net/proxy_header.h"

static void expect(size_t row, struct span bytes, enum result want, const struct proxy_header *like,
		   const char *source)
{
	struct proxy_header h = { .state = PROXY_HEADER_PART };
	char text[ADDRESS_TEXT_MAX] = "";
	struct err err = { 0 };
	enum result r = proxy_header_parse(bytes, &h, &err);

	if (r != want)
		fail_msg("row %zu: %s: %s", row, err_name(r), err_text(&err));
	if (r != OK)
		return;
	if (source && !h.own)
		address_format(&h.source, text);
	if (h.state != like->state || h.own != like->own || h.len != like->len ||
	    h.port != like->port || strcmp(text, source ? source : "") != 0)
		fail_msg("row %zu: state %d, %zu octets, %s port %u", row, (int)h.state, h.len,
			 text, h.port);
}

#define NONE                                                                                       \
	{                                                                                          \
		.state = PROXY_HEADER_NONE                                                         \
	}
#define PART                                                                                       \
	{                                                                                          \
		.state = PROXY_HEADER_PART                                                         \
	}
#define OWN(n)                                                                                     \
	{                                                                                          \
		.state = PROXY_HEADER_WHOLE, .len = (n), .own = true                               \
	}
#define FROM(n, p)                                                                                 \
	{                                                                                          \
		.state = PROXY_HEADER_WHOLE, .len = (n), .port = (p)                               \
	}

static void version_1(void **state)
{
	static const struct {
		const char *text;
		enum result want;
		struct proxy_header like;
		const char *source;
	} rows[] = {
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\nGET /", OK, FROM(47, 56324),
		  "203.0.113.7" },
		{ "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", OK, FROM(56, 65535),
		  "255.255.255.255" },
		{ "PROXY TCP6 2001:db8::7 2001:db8::1 1 0\r\n", OK, FROM(40, 1), "2001:db8::7" },
		{ "PROXY TCP6 ::ffff:203.0.113.7 ::1 1 0\r\n", OK, FROM(39, 1), "203.0.113.7" },
		{ "PROXY UNKNOWN\r\n", OK, OWN(15), NULL },
		{ "PROXY UNKNOWN whatever it says\r\n", OK, OWN(32), NULL },
		{ "", OK, PART, NULL },
		{ "P", OK, PART, NULL },
		{ "PROXY", OK, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r", OK, PART, NULL },
		{ "POST / HTTP/1.1\r\n", OK, NONE, NULL },
		{ "PUT / HTTP/1.1\r\n", OK, NONE, NULL },
		{ "proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", OK, NONE, NULL },
		{ "\x16\x03\x01", OK, NONE, NULL },
		{ "PROXY UNKNOWNS\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY \r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 56324 443 \r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4  203.0.113.7 198.51.100.1 56324 443\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 56324\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 65536 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 01 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 198.51.100.1 -1 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.256 198.51.100.1 1 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 203.0.113.7 evil.example 1 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP4 2001:db8::7 2001:db8::1 1 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY TCP6 203.0.113.7 198.51.100.1 1 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY UDP4 203.0.113.7 198.51.100.1 1 1\r\n", ERR_SYNTAX, PART, NULL },
		{ "PROXY UNKNOWN 3456789.123456789.123456789.123456789.123456789.123456789.12345678"
		  "9.123456789.123456789.1234567\r\n",
		  ERR_SYNTAX, PART, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		expect(i, span_str(rows[i].text), rows[i].want, &rows[i].like, rows[i].source);
}

#define SIG "0d0a0d0a000d0a515549540a"
#define TCP4 "cb007107c6336401dc0401bb"
#define TCP6                                                                                       \
	"20010db8000000000000000000000007"                                                         \
	"20010db8000000000000000000000001"                                                         \
	"dc0401bb"
#define Z16 "00000000000000000000000000000000"
#define Z108 Z16 Z16 Z16 Z16 Z16 Z16 "000000000000000000000000"

static void version_2(void **state)
{
	static const struct {
		const char *hex;
		enum result want;
		struct proxy_header like;
		const char *source;
	} rows[] = {
		{ SIG "2111000c" TCP4, OK, FROM(28, 56324), "203.0.113.7" },
		{ SIG "2111000c" TCP4 "474554", OK, FROM(28, 56324), "203.0.113.7" },
		{ SIG "21210024" TCP6, OK, FROM(52, 56324), "2001:db8::7" },
		{ SIG "21110018" TCP4 "0100026832"
		      "030004e12498ad",
		  OK, FROM(40, 56324), "203.0.113.7" }, /* ALPN, and a right checksum */
		{ SIG "2111000f" TCP4 "040000", OK, FROM(31, 56324), "203.0.113.7" }, /* NOOP */
		{ SIG "213100d8" Z108 Z108, OK, OWN(232), NULL },
		{ SIG "21000000", OK, OWN(16), NULL },
		{ SIG "20000000", OK, OWN(16), NULL },
		{ SIG "20110003ffffff", OK, OWN(19), NULL },
		{ SIG "20ff0000", OK, OWN(16), NULL },
		{ SIG "2111000c", OK, PART, NULL },
		{ "0d0a0d0a00", OK, PART, NULL },
		{ "0d0a0d0a01", OK, NONE, NULL },
		{ "0d0a0d0a474554", OK, NONE, NULL },
		{ SIG "1111000c" TCP4, ERR_SYNTAX, PART, NULL }, /* version 1 in octets */
		{ SIG "3111000c" TCP4, ERR_SYNTAX, PART, NULL },
		{ SIG "2211000c" TCP4, ERR_SYNTAX, PART, NULL }, /* command 2 */
		{ SIG "2112000c" TCP4, ERR_SYNTAX, PART, NULL }, /* UDP */
		{ SIG "2113000c" TCP4, ERR_SYNTAX, PART, NULL },
		{ SIG "2141000c" TCP4, ERR_SYNTAX, PART, NULL }, /* family 4 */
		{ SIG "2111000b"
		      "cb007107c6336401dc0401",
		  ERR_SYNTAX, PART, NULL },
		{ SIG "21210023"
		      "20010db800000000000000000000000720010db8000000000000000000000001"
		      "dc0401",
		  ERR_SYNTAX, PART, NULL },
		{ SIG "2111000e" TCP4 "0400", ERR_SYNTAX, PART, NULL },
		{ SIG "21110010" TCP4 "04000200", ERR_SYNTAX, PART, NULL },
		{ SIG "2111000f" TCP4 "04ffff", ERR_SYNTAX, PART, NULL },
		{ SIG "21110018" TCP4 "0100026832"
		      "030004e12498ae",
		  ERR_SYNTAX, PART, NULL },
		{ SIG "21110012" TCP4 "0300030000e1", ERR_SYNTAX, PART, NULL },
		{ SIG "2111ffff", ERR_LIMIT, PART, NULL },
		{ SIG "2011ffff", ERR_LIMIT, PART, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF bytes = unit_hex(rows[i].hex);

		expect(i, buf_span(&bytes), rows[i].want, &rows[i].like, rows[i].source);
	}
}

/* However it is cut, it is not taken for something else. */
static void parts_are_parts(void **state)
{
	static const char *const rows[] = { SIG "21110018" TCP4 "0100026832030004e12498ad",
					    SIG "21210024" TCP6 };
	static const struct proxy_header part = PART;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF whole = unit_hex(rows[i]);

		for (n = 0; n < whole.len; n++) {
			uint8_t *cut = malloc(n ? n : 1);

			assert_non_null(cut);
			memcpy(cut, whole.data, n);
			expect(n, span_of(cut, n), OK, &part, NULL);
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1),
		cmocka_unit_test(version_2),
		cmocka_unit_test(parts_are_parts),
	};

	return cmocka_run_group_tests_name("proxy_header", tests, NULL, NULL);
}
