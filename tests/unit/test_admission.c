/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "net/admission.h"

#define SECOND 1000000

static struct address_block block(const char *text)
{
	struct address_block b = { .bits = 0 };

	assert_int_equal(address_block_parse(text, &b, NULL), OK);
	return b;
}

static enum admission_answer ask(struct admission *a, const char *address, int64_t now, bool *tell)
{
	struct address_block from = block(address);
	unsigned wait;

	return admission_check(a, &from.first, now, &wait, tell);
}

static void first_match_wins(void **state)
{
	static const struct {
		const char *address;
		enum admission_answer want;
	} rows[] = {
		{ "192.0.2.66", ADMISSION_FORBIDDEN },   { "192.0.2.65", ADMISSION_YES },
		{ "192.0.3.1", ADMISSION_FORBIDDEN },    { "2001:db8::1", ADMISSION_YES },
		{ "2001:db8:1::", ADMISSION_FORBIDDEN }, { "::ffff:192.0.2.1", ADMISSION_YES },
	};
	const struct admission_rule rules[] = { { false, block("192.0.2.66") },
						{ true, block("192.0.2.0/24") },
						{ false, block("2001:db8:1::/48") },
						{ true, block("2001:db8::/32") } };
	const struct admission_config config = { .rules = rules, .n_rules = ARRAY_LEN(rules) };
	CLEANUP(admission_freep) struct admission *a = NULL;
	const struct address unix_socket = { { 0 } };
	unsigned wait;
	bool tell;
	size_t i;

	(void)state;
	assert_int_equal(admission_new(&a, &config, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (ask(a, rows[i].address, 1, &tell) != rows[i].want)
			fail_msg("%s", rows[i].address);
	assert_int_equal(admission_check(a, &unix_socket, 1, &wait, &tell), ADMISSION_FORBIDDEN);
}

/* An IPv6 host has a /64 for itself: it counts as one. */
static void limit_is_per_host(void **state)
{
	const struct admission_config config = { .rate = { 2, 60 } };
	CLEANUP(admission_freep) struct admission *a = NULL;
	bool tell;

	(void)state;
	assert_int_equal(admission_new(&a, &config, NULL), OK);
	assert_int_equal(ask(a, "2001:db8::1", 1, &tell), ADMISSION_YES);
	assert_int_equal(ask(a, "2001:db8::2", 1, &tell), ADMISSION_YES);
	assert_int_equal(ask(a, "2001:db8::3", 1, &tell), ADMISSION_TOO_MANY);
	assert_true(tell);
	assert_int_equal(ask(a, "2001:db8::4", 1, &tell), ADMISSION_TOO_MANY);
	assert_false(tell);
	assert_int_equal(ask(a, "2001:db8:0:1::1", 1, &tell), ADMISSION_YES);
	assert_int_equal(ask(a, "192.0.2.1", 1, &tell), ADMISSION_YES);
	assert_int_equal(ask(a, "192.0.2.2", 1, &tell), ADMISSION_YES);
	assert_int_equal(ask(a, "2001:db8::5", 31 * SECOND, &tell), ADMISSION_YES);
	assert_int_equal(ask(a, "2001:db8::5", 31 * SECOND, &tell), ADMISSION_TOO_MANY);
	assert_false(tell);
	assert_int_equal(ask(a, "2001:db8::5", 600 * SECOND, &tell), ADMISSION_YES);
}

/* Refused requests do not push the address's own time further off. */
static void refused_ones_do_not_count(void **state)
{
	const struct admission_config config = { .rate = { 1, 10 } };
	CLEANUP(admission_freep) struct admission *a = NULL;
	bool tell;
	int i;

	(void)state;
	assert_int_equal(admission_new(&a, &config, NULL), OK);
	assert_int_equal(ask(a, "192.0.2.1", 1, &tell), ADMISSION_YES);
	for (i = 0; i < 100; i++)
		assert_int_equal(ask(a, "192.0.2.1", 1, &tell), ADMISSION_TOO_MANY);
	assert_int_equal(ask(a, "192.0.2.1", 1 + 10 * SECOND, &tell), ADMISSION_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_match_wins),
		cmocka_unit_test(limit_is_per_host),
		cmocka_unit_test(refused_ones_do_not_count),
	};

	return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
