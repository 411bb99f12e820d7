/* SPDX-License-Identifier: Apache-2.0 */
/* The text that Prometheus reads, octet for octet; its own parser reads it in test_metrics.py. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "integrations/exposition.h"

static const char *const labels[] = { "a", "b", NULL };
static const struct exposition_family family = { "x_total", EXPOSITION_COUNTER,
						 "Two\nlines, a \\ and a \".", labels };
static const struct exposition_family bare = { "y", EXPOSITION_GAUGE, "Y.", NULL };
static const struct exposition_family times = { "t_seconds", EXPOSITION_HISTOGRAM, "T.", labels };

static void escapes_help_and_labels(void **state)
{
	static const char *const values[] = { "q\"b\\n\nend", "\303\244" };
	BUF out = BUF_INIT;

	(void)state;
	exposition_head(&family, &out);
	exposition_value(&family, values, 3, &out);
	assert_string_equal(buf_cstr(&out), "# HELP x_total Two\\nlines, a \\\\ and a \".\n"
					    "# TYPE x_total counter\n"
					    "x_total{a=\"q\\\"b\\\\n\\nend\",b=\"\303\244\"} 3\n");
}

static void writes_numbers_exactly(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "y 0\n" },
		{ -1, "y -1\n" },
		{ 9007199254740992.0, "y 9007199254740992\n" },
		{ 1.5, "y 1.5\n" },
		{ 0.000125, "y 0.000125\n" },
		{ NAN, "y NaN\n" },
		{ 1e300, "y 1e+300\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF out = BUF_INIT;

		exposition_value(&bare, NULL, rows[i].value, &out);
		assert_string_equal(buf_cstr(&out), rows[i].text);
	}
}

static void adds_buckets_up(void **state)
{
	static const char *const values[] = { "1", "2" };
	struct histogram h = { .count = 7, .sum = 1500000 };
	BUF out = BUF_INIT;
	const char *text;

	(void)state;
	h.buckets[0] = 2;
	h.buckets[1] = 1;
	h.buckets[HISTOGRAM_BOUNDS] = 4;
	exposition_histogram(&times, values, &h, &out);
	text = buf_cstr(&out);
	assert_non_null(strstr(text, "t_seconds_bucket{a=\"1\",b=\"2\",le=\"0.0001\"} 2\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{a=\"1\",b=\"2\",le=\"0.00025\"} 3\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{a=\"1\",b=\"2\",le=\"10\"} 3\n"));
	assert_non_null(strstr(text, "t_seconds_bucket{a=\"1\",b=\"2\",le=\"+Inf\"} 7\n"));
	assert_non_null(strstr(text, "t_seconds_sum{a=\"1\",b=\"2\"} 1.5\n"));
	assert_non_null(strstr(text, "t_seconds_count{a=\"1\",b=\"2\"} 7\n"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_help_and_labels),
		cmocka_unit_test(writes_numbers_exactly),
		cmocka_unit_test(adds_buckets_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
