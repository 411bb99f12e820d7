/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <time.h>

#include "ca/anomaly.h"

#define MONDAY 1795392000 /* 2026-11-23T00:00:00Z */
#define HOUR 3600
#define DAY (24 * HOUR)

static const struct span demo = SPAN_LIT("demo "), other = SPAN_LIT("other ");

static void hours_from_text(void **state)
{
	static const struct {
		const char *text;
		unsigned days; /* 0: refused */
		int from, to;
	} rows[] = {
		{ "mon-fri 07:00-19:30", 0x3e, 420, 1170 },
		{ "Sat 00:00-24:00", 0x40, 0, 1440 },
		{ "fri-mon 08:05-12:00", 0x63, 485, 720 },
		{ "sun-sat 08:00-12:00", 0x7f, 480, 720 },
		{ "mon-mon 08:00-12:00", 0x02, 480, 720 },
		{ "", 0, 0, 0 },
		{ "mon", 0, 0, 0 },
		{ "mon ", 0, 0, 0 },
		{ "mon 07:00", 0, 0, 0 },
		{ "mon 07:00-", 0, 0, 0 },
		{ "mon 7:00-19:00", 0, 0, 0 },
		{ "mon 07:00-07:00", 0, 0, 0 },
		{ "mon 19:00-07:00", 0, 0, 0 },
		{ "mon 07:60-19:00", 0, 0, 0 },
		{ "mon 07:00-24:01", 0, 0, 0 },
		{ "mon 07:00-99:00", 0, 0, 0 },
		{ "mon 07.00-19.00", 0, 0, 0 },
		{ "mon 07:00-19:00x", 0, 0, 0 },
		{ "mon- 07:00-19:00", 0, 0, 0 },
		{ "-fri 07:00-19:00", 0, 0, 0 },
		{ "mon,tue 07:00-19:00", 0, 0, 0 },
		{ "monday 07:00-19:00", 0, 0, 0 },
		{ "07:00-19:00", 0, 0, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct anomaly_hours h = { 0 };
		enum result r = anomaly_hours_parse(rows[i].text, &h, NULL);

		if ((r == OK) != (rows[i].days != 0) || h.days != rows[i].days ||
		    h.from != rows[i].from || h.to != rows[i].to)
			fail_msg("\"%s\": %x %d %d", rows[i].text, h.days, h.from, h.to);
	}
}

static void more_than_usual_once_a_window(void **state)
{
	const struct anomaly_config config = { .rates = { [ANOMALY_FAILURES] = { 3, 60 } },
					       .window = 600 };
	CLEANUP(anomalies_freep) struct anomalies *a = NULL;
	int i;

	(void)state;
	assert_int_equal(anomalies_new(&a, &config, NULL), OK);
	for (i = 0; i < 3; i++)
		assert_false(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY));
	assert_true(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY));
	for (i = 0; i < 100; i++)
		assert_false(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY + i));
	assert_false(anomalies_see(a, ANOMALY_FAILURES, other, MONDAY));
	assert_false(anomalies_see(a, ANOMALY_ISSUANCE, demo, MONDAY)); /* not looked for */
	assert_false(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY + 700));
	for (i = 0; i < 2; i++)
		assert_false(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY + 700));
	assert_true(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY + 700));
	/* a clock that was set back does not silence it for ever */
	for (i = 0; i < 3; i++)
		assert_false(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY - DAY));
	assert_true(anomalies_see(a, ANOMALY_FAILURES, demo, MONDAY - DAY));
}

static void outside_of_all_hours(void **state)
{
	static const struct {
		int64_t at;
		bool raised;
	} rows[] = {
		{ MONDAY + 8 * HOUR, false },           { MONDAY + 7 * HOUR - 1, true },
		{ MONDAY + 19 * HOUR - 1, false },      { MONDAY + 19 * HOUR, true },
		{ MONDAY + 5 * DAY + 9 * HOUR, false }, { MONDAY + 5 * DAY + 12 * HOUR, true },
		{ MONDAY + 6 * DAY + 9 * HOUR, true },
	};
	struct anomaly_config config = { .window = 1, .n_hours = 2 };
	CLEANUP(anomalies_freep) struct anomalies *a = NULL;
	size_t i;

	(void)state;
	(void)setenv("TZ", "UTC", 1);
	tzset();
	assert_int_equal(anomaly_hours_parse("mon-fri 07:00-19:00", &config.hours[0], NULL), OK);
	assert_int_equal(anomaly_hours_parse("sat 08:00-12:00", &config.hours[1], NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		anomalies_free(a);
		a = NULL;
		assert_int_equal(anomalies_new(&a, &config, NULL), OK);
		if (anomalies_see(a, ANOMALY_HOURS, demo, rows[i].at) != rows[i].raised)
			fail_msg("row %zu", i);
	}
	/* the hours are those of the server's time zone */
	(void)setenv("TZ", "XYZ+5", 1);
	tzset();
	assert_true(anomalies_see(a, ANOMALY_HOURS, other, MONDAY + 8 * HOUR));
	assert_false(anomalies_see(a, ANOMALY_HOURS, other, MONDAY + 20 * HOUR));
	assert_false(anomalies_see(a, ANOMALY_CHALLENGE, other, MONDAY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_from_text),
		cmocka_unit_test(more_than_usual_once_a_window),
		cmocka_unit_test(outside_of_all_hours),
	};

	return cmocka_run_group_tests_name("anomaly", tests, NULL, NULL);
}
