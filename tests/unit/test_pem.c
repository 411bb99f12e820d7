/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "pki/pem.h"

static void written_in_64_columns(void **state)
{
	uint8_t bytes[50] = { 0 };
	BUF out = BUF_INIT;

	(void)state;
	pem_put(&out, "THING", (struct span)SPAN_ARRAY(bytes));
	assert_string_equal(buf_cstr(&out),
			    "-----BEGIN THING-----\n"
			    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
			    "AAA=\n"
			    "-----END THING-----\n");
}

static void blocks_one_by_one(void **state)
{
	struct span text = SPAN_LIT("a comment\r\n"
				    "-----BEGIN THING-----\r\nZm9v\r\n-----END THING-----\r\n"
				    "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n"
				    "-----BEGIN THING-----\nYmFy\n-----END THING-----");
	BUF first = BUF_INIT, second = BUF_INIT, none = BUF_INIT;

	(void)state;
	assert_int_equal(pem_next(&text, "THING", &first, NULL), OK);
	assert_span_equal(buf_span(&first), SPAN_LIT("foo"));
	assert_int_equal(pem_next(&text, "THING", &second, NULL), OK);
	assert_span_equal(buf_span(&second), SPAN_LIT("bar"));
	assert_int_equal(pem_next(&text, "THING", &none, NULL), ERR_NOT_FOUND);
	assert_int_equal(none.len, 0);
}

static void hostile(void **state)
{
	static const struct {
		const char *text;
		enum result want;
	} rows[] = {
		{ "", ERR_NOT_FOUND },
		{ "-----BEGIN THIN", ERR_NOT_FOUND },
		{ "-----BEGIN THING-----", ERR_SYNTAX },
		{ "-----BEGIN THING-----\nAAAA\n-----END OTHER-----\n", ERR_SYNTAX },
		{ "-----BEGIN THING-----\nA!\n-----END THING-----\n", ERR_SYNTAX },
		{ "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n", ERR_NOT_FOUND },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct span text = span_str(rows[i].text), before = text;
		BUF out = BUF_INIT;

		assert_int_equal(pem_next(&text, "THING", &out, NULL), rows[i].want);
		assert_int_equal(out.len, 0);
		assert_ptr_equal(text.p, before.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_in_64_columns),
		cmocka_unit_test(blocks_one_by_one),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
