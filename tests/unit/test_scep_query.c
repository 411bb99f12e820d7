/* SPDX-License-Identifier: Apache-2.0 */
/* SCEP URLs as devices write them (the texts are theirs; the bytes were checked with base64(1)). */
#include "scep/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void operations(void **state)
{
	static const struct {
		const char *query;
		enum result result;
		enum scep_operation operation;
		const char *message; /* NULL: there is none */
	} row[] = {
		{ "operation=GetCACaps", OK, SCEP_OP_GET_CA_CAPS, NULL },
		{ "operation=getcacaps", OK, SCEP_OP_GET_CA_CAPS, NULL },
		{ "operation=GETCACERT&message=", OK, SCEP_OP_GET_CA_CERT, "" },
		{ "message=x&operation=GetCACert", OK, SCEP_OP_GET_CA_CERT, "x" },
		{ "operation=GetNextCACert", OK, SCEP_OP_GET_NEXT_CA_CERT, NULL },
		{ "operation=pkioperation&message=AA%2B", OK, SCEP_OP_PKI_OPERATION, "AA+" },
		{ "OPERATION=PKIOperation&Message=a", OK, SCEP_OP_PKI_OPERATION, "a" },
		{ "operation=Get%43ACert", OK, SCEP_OP_GET_CA_CERT, NULL },
		{ "", OK, SCEP_OP_NONE, NULL },
		{ "&&=&a", OK, SCEP_OP_NONE, NULL },
		{ "operation=GetCACert&other=1&message=m", OK, SCEP_OP_GET_CA_CERT, "m" },
		{ "operation=GetCACert&message", OK, SCEP_OP_GET_CA_CERT, "" },
		{ "operation=GetCACert&messages=m", OK, SCEP_OP_GET_CA_CERT, NULL },
		{ "operation", ERR_BAD_REQUEST, 0, NULL },
		{ "operation=", ERR_BAD_REQUEST, 0, NULL },
		{ "operation=GetCACertX", ERR_BAD_REQUEST, 0, NULL },
		{ "operation=GetCACap", ERR_BAD_REQUEST, 0, NULL },
		{ "operation=GetCACert%00", ERR_BAD_REQUEST, 0, NULL },
		{ "operation=GetCACert&operation=PKIOperation", ERR_BAD_REQUEST, 0, NULL },
		{ "operation=GetCACert&message=a&message=b", ERR_BAD_REQUEST, 0, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct scep_query q = { 0 };
		enum result r = scep_query_parse(span_str(row[i].query), &q, NULL);

		if (r != row[i].result)
			fail_msg("row %zu \"%s\": result %d", i, row[i].query, r);
		if (r != OK)
			continue;
		assert_int_equal(q.operation, row[i].operation);
		assert_int_equal(q.has_message, row[i].message != NULL);
		if (row[i].message)
			assert_string_equal(buf_cstr(&q.message), row[i].message);
		scep_query_clear(&q);
	}
}

static void point_02_ca_identifier_is_any_text(void **state)
{
	static const struct {
		const char *query;
		const char *identifier;
	} row[] = {
		{ "operation=GetCACert&message=CAIdentifier", "CAIdentifier" },
		{ "operation=GetCACert&message=default", "default" },
		{ "operation=GetCACert&message=TP-self-signed-12", "TP-self-signed-12" },
		{ "operation=GetCACert&message=my%20CA", "my CA" },
		{ "operation=GetCACert&message=100%", "100%" },
		{ "operation=GetCACert&message=%zz%4", "%zz%4" },
		{ "operation=GetCACert&message=a=b?c/d+e", "a=b?c/d+e" },
		{ "operation=GetCACert&message=%C3%BCber", "\xc3\xbc"
							   "ber" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct scep_query q = { 0 };

		assert_int_equal(scep_query_parse(span_str(row[i].query), &q, NULL), OK);
		assert_int_equal(q.operation, SCEP_OP_GET_CA_CERT);
		assert_string_equal(buf_cstr(&q.message), row[i].identifier);
		scep_query_clear(&q);
	}
}

/* fb ff fe 3e 3f 00: base64 "+//+Pj8A"; with one octet fewer "+//+Pj8=". */
static void point_01_message_in_every_base64_form(void **state)
{
	static const struct {
		const char *message; /* as it stands in the URL */
		struct span bytes;
		enum result result;
	} row[] = {
		{ "%2B%2F%2F%2BPj8A", SPAN_LIT("\xfb\xff\xfe\x3e\x3f\x00"), OK },
		{ "+//+Pj8A", SPAN_LIT("\xfb\xff\xfe\x3e\x3f\x00"), OK }, /* macOS */
		{ "+//+Pj8%3D", SPAN_LIT("\xfb\xff\xfe\x3e\x3f"), OK },   /* iOS */
		{ "+//+Pj8=", SPAN_LIT("\xfb\xff\xfe\x3e\x3f"), OK },
		{ "+//+Pj8", SPAN_LIT("\xfb\xff\xfe\x3e\x3f"), OK },
		{ "%20//%20Pj8A", SPAN_LIT("\xfb\xff\xfe\x3e\x3f\x00"), OK },
		{ "-__-Pj8A", SPAN_LIT("\xfb\xff\xfe\x3e\x3f\x00"), OK },
		{ "%2B//%0A%2BPj%0D%0A8A%0a", SPAN_LIT("\xfb\xff\xfe\x3e\x3f\x00"), OK },
		{ "+//+Pj8%3d%0A", SPAN_LIT("\xfb\xff\xfe\x3e\x3f"), OK },
		{ "", SPAN_LIT(""), OK },
		{ "%252B//%252BPj8A", SPAN_LIT(""), ERR_SYNTAX }, /* decoded once, not twice */
		{ "+//+P", SPAN_LIT(""), ERR_SYNTAX },
		{ "+//+Pj8===", SPAN_LIT(""), ERR_SYNTAX },
		{ "+//=Pj8A", SPAN_LIT(""), ERR_SYNTAX },
		{ "+//+%00j8A", SPAN_LIT(""), ERR_SYNTAX },
		{ "<html>", SPAN_LIT(""), ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct scep_query q = { 0 };
		char query[128];
		BUF bytes = BUF_INIT;

		(void)snprintf(query, sizeof(query), "operation=PKIOperation&message=%s",
			       row[i].message);
		assert_int_equal(scep_query_parse(span_str(query), &q, NULL), OK);
		if (scep_query_decode_message(buf_span(&q.message), &bytes, NULL) != row[i].result)
			fail_msg("row %zu: %s", i, row[i].message);
		assert_true(span_eq(buf_span(&bytes), row[i].bytes));
		scep_query_clear(&q);
	}
}

static void client_escapes_what_rfc_3986_reserves(void **state)
{
	BUF out = BUF_INIT;

	(void)state;
	assert_int_equal(scep_query_encode_message(SPAN_LIT("\xfb\xff\xfe\x3e\x3f"), &out, NULL),
			 OK);
	assert_string_equal(buf_cstr(&out), "%2B%2F%2F%2BPj8%3D");
}

static void unknown_operation_is_named_and_harmless(void **state)
{
	struct scep_query q = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(scep_query_parse(SPAN_LIT("operation=Get%0ACrl%22"), &q, &err),
			 ERR_BAD_REQUEST);
	assert_string_equal(err_text(&err), "RFC 8894 4.1: operation \"Get?Crl?\" is unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations),
		cmocka_unit_test(point_02_ca_identifier_is_any_text),
		cmocka_unit_test(point_01_message_in_every_base64_form),
		cmocka_unit_test(client_escapes_what_rfc_3986_reserves),
		cmocka_unit_test(unknown_operation_is_named_and_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
