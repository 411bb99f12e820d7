/* SPDX-License-Identifier: Apache-2.0 */
/* Serial numbers: what RFC 5280 and the CA/Browser Forum want of them, and that they rise. */
#include "unit.h"

#include <string.h>
#include <time.h>

#include "ca/issue.h"

#define MANY 4096

static void are_positive_and_of_one_length(void **state)
{
	uint8_t serial[ISSUE_SERIAL];
	size_t i;

	(void)state;
	for (i = 0; i < MANY; i++) {
		assert_int_equal(issue_serial(serial, NULL), OK);
		assert_int_equal(serial[0] & 0xc0, 0x40);
	}
}

static void rise_with_the_time(void **state)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	uint8_t before[ISSUE_SERIAL], after[ISSUE_SERIAL];
	size_t i;

	(void)state;
	for (i = 0; i < 20; i++) {
		assert_int_equal(issue_serial(before, NULL), OK);
		(void)nanosleep(&pause, NULL);
		assert_int_equal(issue_serial(after, NULL), OK);
		assert_true(memcmp(before, after, ISSUE_SERIAL) < 0);
	}
}

/* 64 bits at least from a CSPRNG: each bit behind the time is set in about half of them. */
static void have_enough_random_bits(void **state)
{
	unsigned set[8 * (ISSUE_SERIAL - ISSUE_SERIAL_TIME)] = { 0 };
	uint8_t serial[ISSUE_SERIAL];
	size_t i, bit;

	(void)state;
	assert_true(ARRAY_LEN(set) >= 64);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(issue_serial(serial, NULL), OK);
		for (bit = 0; bit < ARRAY_LEN(set); bit++)
			set[bit] += serial[ISSUE_SERIAL_TIME + bit / 8] >> bit % 8 & 1;
	}
	for (bit = 0; bit < ARRAY_LEN(set); bit++)
		assert_in_range(set[bit], MANY / 2 - 400, MANY / 2 + 400);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_positive_and_of_one_length),
		cmocka_unit_test(rise_with_the_time),
		cmocka_unit_test(have_enough_random_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
