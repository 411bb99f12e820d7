/* SPDX-License-Identifier: Apache-2.0 */
/* How long things take: durations counted by size, in counters of a meter. Thread-safe. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include "base/meter.h"

#define HISTOGRAM_BOUNDS 16
/* Counters that one takes in a meter: a bucket a bound, one for what is longer, and the sum. */
#define HISTOGRAM_COUNTERS (HISTOGRAM_BOUNDS + 2)

/* Bucket i < HISTOGRAM_BOUNDS holds what took at most so many microseconds, and more than the
 * bound before: 100 us to 10 s. */
int64_t histogram_bound(size_t i);

/* first: its first counter in m, which may be NULL. */
void histogram_add(struct meter *m, size_t first, int64_t us);

struct histogram {
	uint64_t buckets[HISTOGRAM_BOUNDS + 1]; /* each alone, not those before it */
	uint64_t count;
	uint64_t sum; /* microseconds */
};
void histogram_read(const struct meter *m, size_t first, struct histogram *out);

#endif
