/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "token/token.h"
#include "token/uri.h"

static void uris(void **state)
{
	/* written: NULL where it is as it was read */
	static const struct {
		const char *text;
		enum result want;
		const char *written;
	} rows[] = {
		{ "pkcs11:token=scepter", OK, NULL },
		{ "pkcs11:", OK, NULL },
		{ "pkcs11:token=The%20Software%20PKCS%2311%20Softtok;object=my-ca;id=%01%02", OK,
		  "pkcs11:token=The%20Software%20PKCS%2311%20Softtok;object=my-ca;id=%01%02" },
		{ "pkcs11:id=%69%95%3E;object=x;type=private;token=t", OK,
		  "pkcs11:token=t;object=x;id=i%95%3E" },
		{ "pkcs11:manufacturer=Snake%20Oil,%20Inc.;serial=;model=1.0", ERR_USAGE, NULL },
		{ "pkcs11:serial=0123;model=1.0;slot-id=327", OK, NULL },
		{ "pkcs11:token=t?pin-source=file:/etc/token_pin", OK,
		  "pkcs11:token=t?pin-source=file:%2Fetc%2Ftoken_pin" },
		{ "pkcs11:token=t?pin-source=/etc/token_pin", OK,
		  "pkcs11:token=t?pin-source=file:%2Fetc%2Ftoken_pin" },
		{ "pkcs11:token=t?pin-value=1234", ERR_USAGE, NULL },
		{ "pkcs11:token=t?pin-source=|/usr/lib/pinomatic", ERR_USAGE, NULL },
		{ "pkcs11:token=t?pin-source=pin", ERR_USAGE, NULL },
		{ "pkcs11:token=t?module-path=/usr/lib/evil.so", ERR_USAGE, NULL },
		{ "pkcs11:token=t;module-path=/usr/lib/evil.so", ERR_USAGE, NULL },
		{ "pkcs11:token=t?token=t", ERR_USAGE, NULL },
		{ "pkcs11:token=t;pin-source=file:/pin", ERR_USAGE, NULL },
		{ "pkcs11:token=a;token=b", ERR_USAGE, NULL },
		{ "pkcs11:token=a;type=cert", ERR_USAGE, NULL },
		{ "pkcs11:token=%4", ERR_USAGE, NULL },
		{ "pkcs11:token=%zz", ERR_USAGE, NULL },
		{ "pkcs11:token=a%00b", ERR_USAGE, NULL },
		{ "pkcs11:id=a%00b", OK, NULL },
		{ "pkcs11:token", ERR_USAGE, NULL },
		{ "pkcs11:=x", ERR_USAGE, NULL },
		{ "pkcs11:;", ERR_USAGE, NULL },
		{ "pkcs11:x-vendor=1", ERR_USAGE, NULL },
		{ "pkcs11:slot-id=-1", ERR_USAGE, NULL },
		{ "pkcs11:slot-id=99999999999", ERR_USAGE, NULL },
		{ "pkcs11:slot-id=", ERR_USAGE, NULL },
		{ "PKCS11:token=t", ERR_USAGE, NULL },
		{ "file:/key", ERR_USAGE, NULL },
		{ "", ERR_USAGE, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(token_uri_clear) struct token_uri uri = { .has_slot = false };
		struct err err = { 0 };
		BUF out = BUF_INIT;

		if (token_uri_parse(span_str(rows[i].text), &uri, &err) != rows[i].want)
			fail_msg("%s: %s", rows[i].text, err_text(&err));
		assert_null(strstr(err.text, "1234"));
		if (rows[i].want != OK)
			continue;
		assert_int_equal(token_uri_write(&uri, &out, NULL), OK);
		assert_string_equal(buf_cstr(&out),
				    rows[i].written ? rows[i].written : rows[i].text);
	}
}

static void long_ones(void **state)
{
	struct token_uri uri = { .has_slot = false };
	BUF text = BUF_INIT;

	(void)state;
	buf_put_str(&text, "pkcs11:token=");
	while (text.len <= TOKEN_URI_MAX)
		buf_put_byte(&text, 'x');
	assert_int_equal(token_uri_parse(buf_span(&text), &uri, NULL), ERR_USAGE);
}

#define SPKI                                                                                       \
	"302a300506032b6570032100c8fabc5c694adfd14ce1de4cc9d5c5bf4b8eb89f8b611b643ce0730e92fa01ed"

static void records(void **state)
{
	static const struct {
		const char *text;
		enum result want;
	} rows[] = {
		{ "uri pkcs11:token=t\npublic " SPKI "\n", OK },
		{ "uri tpm:\npublic " SPKI "\nblob 0102\n", OK },
		{ "uri pkcs11:token=t\n", ERR_SYNTAX },
		{ "public " SPKI "\n", ERR_SYNTAX },
		{ "uri pkcs11:token=t\npublic " SPKI, ERR_SYNTAX },
		{ "uri pkcs11:token=t\nuri pkcs11:\npublic " SPKI "\n", ERR_SYNTAX },
		{ "uri pkcs11:token=t\npublic xx\n", ERR_SYNTAX },
		{ "uri \npublic " SPKI "\n", ERR_SYNTAX },
		{ "\n", ERR_SYNTAX },
		{ "pin 1234\n", ERR_SYNTAX },
		{ "", ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(token_record_clear) struct token_record r = { 0 };
		struct err err = { 0 };
		BUF out = BUF_INIT;

		if (token_record_read(span_str(rows[i].text), &r, &err) != rows[i].want)
			fail_msg("row %zu: %s", i, err_text(&err));
		if (rows[i].want != OK)
			continue;
		assert_int_equal(token_record_write(&r, &out, NULL), OK);
		assert_string_equal(buf_cstr(&out), rows[i].text);
	}
}

static void without_module(void **state)
{
	const struct token_config none = { .pkcs11_module = NULL };
	const struct token_config bad = { .pkcs11_module = "/nonexistent/module.so" };
	/* a library, but not of that kind */
	const struct token_config other = { .pkcs11_module = "libm.so.6" };
	CLEANUP(token_record_clear) struct token_record r = { 0 };
	CLEANUP(tokens_freep) struct tokens *t = NULL, *no = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tokens_new(&no, &bad, NULL), ERR_CONFIG);
	assert_int_equal(tokens_new(&no, &other, NULL), ERR_CONFIG);
	assert_int_equal(tokens_new(&t, &none, NULL), OK);
	assert_int_equal(tokens_make(t, SPAN_LIT("pkcs11:token=t"), "ca",
				     (struct key_spec){ KEY_EC_P256, 256 }, &r, &err),
			 ERR_CONFIG);
	assert_non_null(strstr(err.text, "keys.pkcs11.module"));
	assert_int_equal(
	    tokens_make(t, SPAN_LIT("file"), "ca", (struct key_spec){ KEY_EC_P256, 256 }, &r, NULL),
	    ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris),
		cmocka_unit_test(long_ones),
		cmocka_unit_test(records),
		cmocka_unit_test(without_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
