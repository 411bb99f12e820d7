/* SPDX-License-Identifier: Apache-2.0 */
/* Meters, histograms and tallies: nothing that is counted gets lost, and no label gets too many. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/histogram.h"
#include "base/tally.h"

#define THREADS 4
#define EACH 200000

static void *add_many(void *arg)
{
	struct meter *m = arg;
	size_t i;

	for (i = 0; i < EACH; i++)
		meter_add(m, i % 3, 2);
	return NULL;
}

static void counts_from_many_threads(void **state)
{
	CLEANUP(meter_freep) struct meter *m = NULL;
	pthread_t threads[THREADS];
	uint64_t sum = 0;
	size_t i;

	(void)state;
	assert_int_equal(meter_new(&m, 3, NULL), OK);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, add_many, m), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (i = 0; i < 3; i++)
		sum += meter_sum(m, i);
	assert_int_equal(sum, 2 * THREADS * EACH);
	meter_add(NULL, 0, 1);
	assert_int_equal(meter_sum(NULL, 0), 0);
}

static void puts_durations_into_buckets(void **state)
{
	static const struct {
		int64_t us;
		size_t bucket;
	} rows[] = {
		{ -5, 0 },
		{ 0, 0 },
		{ 100, 0 },
		{ 101, 1 },
		{ 250, 1 },
		{ 999999, 12 },
		{ 10000000, HISTOGRAM_BOUNDS - 1 },
		{ 10000001, HISTOGRAM_BOUNDS },
		{ INT64_MAX / 4, HISTOGRAM_BOUNDS },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(meter_freep) struct meter *m = NULL;
		struct histogram h;

		/* behind a counter of somebody else's */
		assert_int_equal(meter_new(&m, HISTOGRAM_COUNTERS + 1, NULL), OK);
		histogram_add(m, 1, rows[i].us);
		histogram_read(m, 1, &h);
		assert_int_equal(h.count, 1);
		assert_int_equal(h.buckets[rows[i].bucket], 1);
		assert_int_equal(h.sum, rows[i].us < 0 ? 0 : rows[i].us);
		assert_int_equal(meter_sum(m, 0), 0);
	}
}

static void finds_the_same_meter_again(void **state)
{
	CLEANUP(tally_freep) struct tally *t = NULL;
	char name[] = "demo";
	const char *const one[] = { name, "a" }, *const two[] = { "demo", "a" };
	const char *const shifted[] = { "dem", "oa" };
	struct meter *m;

	(void)state;
	assert_int_equal(tally_new(&t, 2, 1, 10, NULL), OK);
	m = tally_get(t, one);
	assert_non_null(m);
	memset(name, 'x', 4); /* the caller's text is its own */
	assert_ptr_equal(tally_get(t, two), m);
	assert_ptr_not_equal(tally_get(t, shifted), m);
	assert_null(tally_get(NULL, two));
}

struct seen {
	size_t n;
	uint64_t sum;
	bool other;
};

static void see(void *ctx, const char *const labels[], const struct meter *m)
{
	struct seen *seen = ctx;

	seen->n++;
	seen->sum += meter_sum(m, 0);
	seen->other |= strcmp(labels[0], TALLY_OTHER) == 0;
}

static void *tally_many(void *arg)
{
	char text[32];
	const char *const labels[] = { text };
	size_t i;

	for (i = 0; i < 20000; i++) {
		(void)snprintf(text, sizeof(text), "l%zu", i % 500);
		meter_add(tally_get(arg, labels), 0, 1);
	}
	return NULL;
}

static void is_bounded_and_loses_nothing(void **state)
{
	CLEANUP(tally_freep) struct tally *t = NULL;
	struct seen seen = { 0 };
	pthread_t threads[THREADS];
	size_t i;

	(void)state;
	assert_int_equal(tally_new(&t, 1, 1, 100, NULL), OK);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, tally_many, t), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	tally_each(t, see, &seen);
	assert_int_equal(seen.n, 101);
	assert_int_equal(seen.sum, THREADS * 20000);
	assert_true(seen.other);
	tally_each(NULL, see, &seen);
}

static void refuses_too_many_labels(void **state)
{
	struct tally *t = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(tally_new(&t, TALLY_LABELS_MAX + 1, 1, 1, &err), ERR_LIMIT);
	assert_null(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_from_many_threads),
		cmocka_unit_test(puts_durations_into_buckets),
		cmocka_unit_test(finds_the_same_meter_again),
		cmocka_unit_test(is_bounded_and_loses_nothing),
		cmocka_unit_test(refuses_too_many_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
