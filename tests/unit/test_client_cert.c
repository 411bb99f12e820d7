/* SPDX-License-Identifier: Apache-2.0 */
/* Client certificates in header fields: what proxies send, and what hostile ones might. */
#include "unit.h"

#include "net/client_cert.h"

#define FIELD "Client-Cert"
#define PEM "-----BEGIN%20CERTIFICATE-----%0AAQI%3D%0A-----END%20CERTIFICATE-----"
#define EIGHT(one) one one one one one one one one

struct row {
	enum client_cert_format format;
	const char *own[2]; /* values of the field; NULL: not there */
	const char *chain[2];
	size_t n;         /* certificates, of which each has the octets 01 02 */
	const char *says; /* of one that is refused */
};

static enum result parse(const struct row *row, struct client_certs *out, struct err *err)
{
	struct http_request req = { .n_headers = 0 };
	size_t i;

	for (i = 0; i < 2; i++)
		if (row->own[i])
			req.headers[req.n_headers++] =
			    (struct http_header){ SPAN_LIT("client-CERT"), span_str(row->own[i]) };
	for (i = 0; i < 2; i++)
		if (row->chain[i])
			req.headers[req.n_headers++] =
			    (struct http_header){ SPAN_LIT("Client-Cert-chain"),
						  span_str(row->chain[i]) };
	req.headers[req.n_headers++] =
	    (struct http_header){ SPAN_LIT("Client-Cert-Chains"), SPAN_LIT("another") };
	assert_true(client_cert_is_there(&req, FIELD) == (req.n_headers > 1));
	return client_cert_parse(&req, FIELD, row->format, out, err);
}

static void try_row(const struct row *row, size_t number)
{
	struct client_certs certs = { .n = 0 };
	struct err err = { 0 };
	enum result r = parse(row, &certs, &err);
	size_t i;

	if ((r == OK) != !row->says || (row->says && !strstr(err.text, row->says)))
		fail_msg("row %zu: %s %s", number, err_name(r), err.text);
	assert_int_equal(certs.n, row->says ? 0 : row->n);
	for (i = 0; i < certs.n; i++)
		assert_span_equal(client_certs_get(&certs, i), SPAN_LIT("\x01\x02"));
	client_certs_clear(&certs);
}

#define TRY_ROWS(rows)                                                                             \
	do {                                                                                       \
		for (size_t i_ = 0; i_ < ARRAY_LEN(rows); i_++)                                    \
			try_row(&(rows)[i_], i_);                                                  \
	} while (0)

static void rfc9440(void **state)
{
	static const struct row rows[] = {
		{ 0, { NULL }, { NULL }, 0, NULL },
		{ 0, { ":AQI=:" }, { NULL }, 1, NULL },
		{ 0, { " :AQI=: " }, { ":AQI=:, :AQI=:" }, 3, NULL },
		{ 0, { ":AQI=:" }, { ":AQI=:", ":AQI=:" }, 3, NULL },
		{ 0, { ":AQI=:" }, { "" }, 1, NULL },
		{ 0, { ":AQI=:", ":AQI=:" }, { NULL }, 0, "twice" },
		{ 0, { NULL }, { ":AQI=:" }, 0, "RFC 9440 2.3" },
		{ 0, { "" }, { NULL }, 0, "no byte sequence" },
		{ 0, { "::" }, { NULL }, 0, "empty" },
		{ 0, { ":" }, { NULL }, 0, "no byte sequence" },
		{ 0, { "AQI=" }, { NULL }, 0, "no byte sequence" },
		{ 0, { ":AQI=:;a=1" }, { NULL }, 0, "no byte sequence" },
		{ 0, { ":AQI=:, :AQI=:" }, { NULL }, 0, "space in a byte sequence" },
		{ 0, { ":AQI=:,:AQI=:" }, { NULL }, 0, "unexpected byte" },
		{ 0, { ":AQI=:" }, { ":AQI=:," }, 0, "comma" },
		{ 0, { ":AQI=:" }, { ":AQI=:,,:AQI=:" }, 0, "no byte sequence" },
		{ 0, { ":AQI=:" }, { EIGHT(":AQI=:,") ":AQI=:" }, 0, "more than 8" },
		{ 0, { ":\xff\xfe:" }, { NULL }, 0, "unexpected byte" },
		{ 0, { PEM }, { NULL }, 0, "no byte sequence" },
	};

	(void)state;
	TRY_ROWS(rows);
}

static void pem(void **state)
{
	static const struct row rows[] = {
		{ CLIENT_CERT_PEM, { NULL }, { NULL }, 0, NULL },
		{ CLIENT_CERT_PEM, { "" }, { NULL }, 0, NULL }, /* as nginx before 1.13.5 */
		{ CLIENT_CERT_PEM, { PEM "%0A" }, { NULL }, 1, NULL },
		{ CLIENT_CERT_PEM, { PEM "%0A" PEM }, { NULL }, 2, NULL },
		/* a chain in another field is not of this format */
		{ CLIENT_CERT_PEM, { PEM }, { "x" }, 1, NULL },
		{ CLIENT_CERT_PEM, { PEM, PEM }, { NULL }, 0, "twice" },
		{ CLIENT_CERT_PEM, { "AQI=" }, { NULL }, 0, "not PEM" },
		{ CLIENT_CERT_PEM, { "x" PEM }, { NULL }, 0, "not PEM" },
		{ CLIENT_CERT_PEM, { PEM "x" }, { NULL }, 0, "not PEM" },
		{ CLIENT_CERT_PEM, { "-----BEGIN%20CERTIFICATE-----" }, { NULL }, 0, "not PEM" },
		{ CLIENT_CERT_PEM,
		  { "-----BEGIN%20CERTIFICATE----------END%20CERTIFICATE-----" },
		  { NULL },
		  0,
		  "empty" },
		{ CLIENT_CERT_PEM, { "%0" }, { NULL }, 0, "%" },
		{ CLIENT_CERT_PEM, { EIGHT(PEM) PEM }, { NULL }, 0, "more than 8" },
		{ CLIENT_CERT_PEM,
		  { "-----BEGIN%20PRIVATE%20KEY-----%0AAQI%3D%0A-----END%20PRIVATE%20KEY-----" },
		  { NULL },
		  0,
		  "not PEM" },
	};

	(void)state;
	TRY_ROWS(rows);
}

static void der(void **state)
{
	static const struct row rows[] = {
		{ CLIENT_CERT_DER, { NULL }, { NULL }, 0, NULL },
		{ CLIENT_CERT_DER, { "" }, { NULL }, 0, NULL }, /* as HAProxy */
		{ CLIENT_CERT_DER, { "AQI=" }, { NULL }, 1, NULL },
		{ CLIENT_CERT_DER, { "AQI%3D" }, { NULL }, 1, NULL },
		{ CLIENT_CERT_DER, { "AQI=,AQI=, AQI" }, { NULL }, 3, NULL },
		{ CLIENT_CERT_DER, { "AQI=", "AQI=" }, { NULL }, 0, "twice" },
		{ CLIENT_CERT_DER, { "AQI=," }, { NULL }, 0, "comma" },
		{ CLIENT_CERT_DER, { ",AQI=" }, { NULL }, 0, "empty" },
		{ CLIENT_CERT_DER, { "A" }, { NULL }, 0, "base64" },
		{ CLIENT_CERT_DER, { "(null)" }, { NULL }, 0, "unexpected byte" },
		{ CLIENT_CERT_DER, { EIGHT("AQI=,") "AQI=" }, { NULL }, 0, "more than 8" },
	};

	(void)state;
	TRY_ROWS(rows);
}

static void oversize(void **state)
{
	const struct row row = { CLIENT_CERT_DER, { NULL }, { NULL }, 0, "more than 32768" };
	struct row large = row;
	BUF text = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 11000; i++)
		buf_put_str(&text, "AAAA");
	large.own[0] = buf_cstr(&text);
	try_row(&large, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc9440),
		cmocka_unit_test(pem),
		cmocka_unit_test(der),
		cmocka_unit_test(oversize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
