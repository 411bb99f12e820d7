/* SPDX-License-Identifier: Apache-2.0 */
/* scepter decode: in whatever dress a capture comes, the object in it is the same. */
#include "unit.h"

#include "cli/scepter/decode_input.h"

#define INPUT CLEANUP(decode_input_clear) struct decode_input

/* The object, base64: begins as ASN.1 does. */
#define B64 "MAMCAQU="
static const struct span object = { (const uint8_t *)"\x30\x03\x02\x01\x05", 5 };

static void forms(void **state)
{
	static const struct {
		struct span text;
		const char *form;
	} row[] = {
		{ SPAN_LIT("\x30\x03\x02\x01\x05"), "DER or BER" },
		{ SPAN_LIT(B64), "base64" },
		{ SPAN_LIT(" \n" B64 "\n"), "base64" },
		{ SPAN_LIT("MAMC\r\nAQU"), "base64" },
		{ SPAN_LIT("3003020105"), "hexadecimal digits" },
		{ SPAN_LIT("30:03:02:01:05\n"), "hexadecimal digits" },
		{ SPAN_LIT("-----BEGIN CERTIFICATE-----\n" B64 "\n-----END CERTIFICATE-----\n"),
		  "PEM" },
		{ SPAN_LIT("Bag\n-----BEGIN PKCS7-----\n" B64 "\n-----END PKCS7-----\n"), "PEM" },
		{ SPAN_LIT("http://ca/scep?operation=PKIOperation&message=MAMCAQU%3D"), "URL" },
		{ SPAN_LIT("?message=" B64 "&operation=pkioperation"), "URL" },
		{ SPAN_LIT("GET /x?operation=PKIOperation&message=" B64 " HTTP/1.0\n"), "URL" },
		{ SPAN_LIT("GET /x?operation=PKIOperation&message=" B64 " HTTP/1.0\r\nHost: "
			   "x\r\n\r\n"),
		  "HTTP request" },
		{ SPAN_LIT("192.0.2.1 - - [21/Nov/2026] \"GET "
			   "/x?operation=PKIOperation&message=" B64 " HTTP/1.1\" 200 17\n"),
		  "URL" },
		{ SPAN_LIT("POST /x?operation=PKIOperation HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
			   "\x30\x03\x02\x01\x05"),
		  "HTTP request" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		INPUT in = { .form = "" };
		struct err err = { 0 };

		if (decode_input_read(row[i].text, &in, &err) != OK)
			fail_msg("row %zu: %s", i, err_text(&err));
		assert_string_equal(in.form, row[i].form);
		if (!span_eq(buf_span(&in.bytes), object))
			fail_msg("row %zu (%s): other bytes", i, row[i].form);
	}
}

static void identifier_of_a_question(void **state)
{
	INPUT in = { .form = "" };

	(void)state;
	assert_int_equal(decode_input_read(SPAN_LIT("GET /pkiclient.exe?operation=GetCACert&"
						    "message=my%20CA HTTP/1.0\r\n\r\n"),
					   &in, NULL),
			 OK);
	assert_int_equal(in.query.operation, SCEP_OP_GET_CA_CERT);
	assert_string_equal(buf_cstr(&in.query.message), "my CA");
	assert_int_equal(in.bytes.len, 0);
}

static void what_is_none_of_them(void **state)
{
	static const char *const row[] = {
		"",
		" \n",
		"<html>",
		"-----BEGIN RSA PRIVATE KEY-----\nMAMCAQU=\n-----END RSA PRIVATE KEY-----\n",
		"-----BEGIN CERTIFICATE-----\nMAMCAQU=\n",
		"?operation=PKIOperation&message=!",
		"?operation=Nonsense",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		INPUT in = { .form = "" };

		assert_int_not_equal(decode_input_read(span_str(row[i]), &in, NULL), OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(identifier_of_a_question),
		cmocka_unit_test(what_is_none_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
