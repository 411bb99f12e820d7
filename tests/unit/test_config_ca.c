/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of CAs. */
#include "config_fixture.h"

static void takes_what_is_said(void **state)
{
	const struct config *c = NULL;
	BUF complaints = BUF_INIT;

	if (load(*state, GOOD "cas: [{name: demo, auto_rollover: 30d}, {name: b}]\n", &c,
		 &complaints) != OK)
		fail_msg("%s", buf_cstr(&complaints));
	assert_int_equal(c->n_cas, 2);
	assert_string_equal(c->cas[0].name, "demo");
	assert_int_equal(c->cas[0].auto_rollover, 30 * 86400);
	assert_int_equal(c->cas[1].auto_rollover, 0);
	config_unref(c);
}

static void refuses_the_rest(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* behind the file's name */
	} rows[] = {
		{ GOOD "cas: [{name: demo, auto_rollover: soon}]\n",
		  ":16: cas[0].auto_rollover: \"soon\" is not a duration: write a number and one "
		  "of s m h d w y, as in 90d\n" },
		{ GOOD "cas: [{name: demo, auto_rollover: 0d}]\n",
		  ":16: cas[0].auto_rollover: must be longer than nothing, as in 30d; remove it to "
		  "have none\n" },
		{ GOOD "cas: [{name: Demo}]\n",
		  ":16: cas[0].name: \"Demo\" is no CA's name: a-z, 0-9 and -\n" },
		{ GOOD "cas: [{name: a}, {name: a}]\n",
		  ":16: cas[1].name: \"a\" is the name of cas[0] already\n" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *c = NULL;
		BUF complaints = BUF_INIT;

		assert_int_equal(load(*state, rows[i].text, &c, &complaints), ERR_CONFIG);
		assert_non_null(strstr(buf_cstr(&complaints), rows[i].want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_said),
		cmocka_unit_test(refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
