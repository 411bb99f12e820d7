/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "base/rate.h"
#include "base/siphash.h"

/* Made with: openssl mac -macopt hexkey:000102..0f -macopt size:8 -in FILE SIPHASH */
static void siphash_as_openssl_has_it(void **state)
{
	static const struct {
		size_t len; /* octets 00 01 02 ... */
		const char *want;
	} rows[] = {
		{ 0, "310E0EDD47DB6F72" },  { 1, "FD67DC93C539F874" }, { 7, "37D1018BF50002AB" },
		{ 8, "6224939A79F5F593" },  { 9, "B0E4A90BDF82009E" }, { 15, "E545BE4961CA29A1" },
		{ 63, "724506EB4C328A95" },
	};
	static const uint64_t key[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
	uint8_t bytes[64], got[8];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF want = unit_hex(rows[i].want);
		uint64_t hash = siphash(key, span_of(bytes, rows[i].len));

		for (j = 0; j < sizeof(got); j++)
			got[j] = (uint8_t)(hash >> 8 * j);
		assert_memory_equal(got, want.data, sizeof(got));
	}
}

static void rates_from_text(void **state)
{
	static const struct {
		const char *text;
		unsigned count; /* 0: refused */
		int64_t seconds;
	} rows[] = {
		{ "60/m", 60, 60 },
		{ "1/s", 1, 1 },
		{ "3/30d", 3, 30 * 86400 },
		{ "1000000/2y", 1000000, 2 * 365 * 86400 },
		{ "10/10m", 10, 600 },
		{ "", 0, 0 },
		{ "60", 0, 0 },
		{ "60/", 0, 0 },
		{ "/m", 0, 0 },
		{ "0/m", 0, 0 },
		{ "01/m", 0, 0 },
		{ "-1/m", 0, 0 },
		{ "+1/m", 0, 0 },
		{ " 1/m", 0, 0 },
		{ "1000001/m", 0, 0 },
		{ "99999999999999999999/m", 0, 0 },
		{ "5/0s", 0, 0 },
		{ "5/m/m", 0, 0 },
		{ "5/minute", 0, 0 },
		{ "5/-1m", 0, 0 },
		{ "5/mmmmmmmmmmmmmmmmm", 0, 0 },
		{ "5 / m", 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct rate rate = { 0 };
		enum result r = rate_parse(rows[i].text, &rate, NULL);

		if ((r == OK) != (rows[i].count != 0) || rate.count != rows[i].count ||
		    rate.seconds != rows[i].seconds)
			fail_msg("\"%s\": %s, %u in %lld", rows[i].text, err_name(r), rate.count,
				 (long long)rate.seconds);
	}
}

/* Four a minute: four at once, then one every 15 seconds. */
static void a_bucket_empties_and_fills(void **state)
{
	static const struct {
		int64_t at; /* seconds */
		bool look;
		unsigned wait;
	} rows[] = {
		{ 100, false, 0 },  { 100, false, 0 },  { 100, false, 0 },  { 100, true, 0 },
		{ 100, false, 0 },  { 100, true, 15 },  { 100, false, 15 }, { 101, false, 14 },
		{ 114, false, 1 },  { 115, true, 0 },   { 115, false, 0 },  { 115, false, 15 },
		{ 145, false, 0 },  { 145, false, 0 },  { 145, false, 15 }, { 1000, false, 0 },
		{ 1000, false, 0 }, { 1000, false, 0 }, { 1000, false, 0 }, { 1000, false, 15 },
	};
	CLEANUP(rate_table_freep) struct rate_table *t = NULL;
	const struct span key = SPAN_LIT("somebody");
	size_t i;

	(void)state;
	assert_int_equal(rate_table_new(&t, (struct rate){ 4, 60 }, 100, NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t now = rows[i].at * 1000000;
		unsigned wait =
		    rows[i].look ? rate_table_look(t, key, now) : rate_table_take(t, key, now);

		if (wait != rows[i].wait)
			fail_msg("row %zu: wait %u, not %u", i, wait, rows[i].wait);
	}
	assert_int_equal(rate_table_take(t, SPAN_LIT("somebody else"), 1000000000), 0);
	assert_int_equal(rate_table_take(t, SPAN_NONE, 1000000000), 0);
}

/* Thousands come once each; whoever used up his own stays out meanwhile, as long as he is last in
 * line to lose his place. */
static void strangers_do_not_help_who_is_over(void **state)
{
	CLEANUP(rate_table_freep) struct rate_table *t = NULL;
	const struct span greedy = SPAN_LIT("greedy");
	char name[32];
	int i;

	(void)state;
	assert_int_equal(rate_table_new(&t, (struct rate){ 10, 60 }, 64, NULL), OK);
	for (i = 0; i < 10; i++)
		assert_int_equal(rate_table_take(t, greedy, 1), 0);
	for (i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "stranger %d", i);
		assert_int_equal(rate_table_take(t, span_str(name), 2), 0);
	}
	assert_int_not_equal(rate_table_take(t, greedy, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_as_openssl_has_it),
		cmocka_unit_test(rates_from_text),
		cmocka_unit_test(a_bucket_empties_and_fills),
		cmocka_unit_test(strangers_do_not_help_who_is_over),
	};

	return cmocka_run_group_tests_name("rate", tests, NULL, NULL);
}
