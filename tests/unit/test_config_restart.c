/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload can take over, and what wants a restart. */
#include "config_fixture.h"

static void knows_what_takes_a_restart(void **state)
{
	static const struct {
		const char *text;
		const char *want; /* NULL: can be taken over */
	} rows[] = {
		{ GOOD, NULL },
		{ GOOD "log: {level: debug}\n", NULL },
		{ HEAD HTTP, NULL },
		{ HEAD HTTP "  limits: {drain_seconds: 3}\n", NULL },
		{ HEAD HTTP "  limits: {queue: 7}\n", "http.limits" },
		{ HEAD HTTP "  loops: 7\n", "http.loops" },
		{ HEAD HTTP "  workers: 7\n", "http.workers" },
		{ HEAD HTTP "    - {name: b, address: 127.0.0.1, port: 1}\n", "http.listeners" },
		{ GOOD "log: {access: false}\n", "log.access" },
		{ GOOD "audit: {checkpoint_seconds: 7}\n", "audit" },
		{ GOOD "metrics: {port: 0}\n", "metrics" },
		{ GOOD "metrics: {socket: ./m}\n", "metrics" },
		{ GOOD "log: {outputs: [{type: stderr}]}\n", NULL },
		{ GOOD "log: {outputs: [{type: journald}]}\n", "log.outputs" },
		{ GOOD "admin: {socket: ./e}\n", "admin.socket" },
		{ "data: ./e\n" HTTP "admin: {socket: ./d/admin.sock}\n", "data" },
		{ GOOD "user: nobody\nkeeper_user: daemon\n", "user" },
	};
	const struct config *old = NULL;
	BUF complaints = BUF_INIT;
	size_t i;

	assert_int_equal(load(*state, GOOD, &old, &complaints), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *fresh = NULL;
		const char *got;

		assert_int_equal(load(*state, rows[i].text, &fresh, &complaints), OK);
		got = config_needs_restart(old, fresh);
		if (!got != !rows[i].want || (got && strcmp(got, rows[i].want) != 0))
			fail_msg("%s: %s", rows[i].text, got ? got : "none");
		config_unref(fresh);
	}
	config_unref(config_ref(old));
	config_unref(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(knows_what_takes_a_restart, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
