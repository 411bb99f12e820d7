/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

static const int64_t bounds[HISTOGRAM_BOUNDS] = {
	100,   250,    500,    1000,   2500,    5000,    10000,   25000,
	50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

int64_t histogram_bound(size_t i)
{
	return bounds[i];
}

static size_t bucket_of(int64_t us)
{
	size_t low = 0, high = HISTOGRAM_BOUNDS;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (us <= bounds[middle])
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

void histogram_add(struct meter *m, size_t first, int64_t us)
{
	if (us < 0)
		us = 0;
	meter_add(m, first + bucket_of(us), 1);
	meter_add(m, first + HISTOGRAM_BOUNDS + 1, (uint64_t)us);
}

void histogram_read(const struct meter *m, size_t first, struct histogram *out)
{
	struct histogram h = { .sum = meter_sum(m, first + HISTOGRAM_BOUNDS + 1) };
	size_t i;

	for (i = 0; i <= HISTOGRAM_BOUNDS; i++) {
		h.buckets[i] = meter_sum(m, first + i);
		h.count += h.buckets[i];
	}
	*out = h;
}
