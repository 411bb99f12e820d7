/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters that many threads add to and somebody reads now and then. Each processor has a copy of
 * its own, on cache lines of its own: an addition takes no lock and waits for no other processor.
 * Reading adds the copies up. Thread-safe.
 */
#ifndef BASE_METER_H
#define BASE_METER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct meter;

/* So many counters, all 0. */
RESULT meter_new(struct meter **out, size_t counters, struct err *err);
void meter_free(struct meter *m);
DEFINE_CLEANUP(struct meter, meter_free)

/* NULL counts nothing. counter: 0 to counters - 1. */
void meter_add(struct meter *m, size_t counter, uint64_t n);
/* What was added while it reads may or may not be in it; it never falls. NULL: 0. */
uint64_t meter_sum(const struct meter *m, size_t counter);

#endif
