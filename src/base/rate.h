/* SPDX-License-Identifier: Apache-2.0 */
/*
 * So many in so long, by key: token buckets in a table of fixed size. A bucket is one number, the
 * time at which it will be full again; who finds no room takes that of whoever used his least.
 * Thread-safe.
 */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include "base/err.h"
#include "base/span.h"

struct rate {
	unsigned count; /* at once, and again within seconds; 0: no bound */
	int64_t seconds;
};

/* "60/m", "3/30d": a number from 1 to 1000000 and a time as of clock_parse_duration, of which the
 * 1 may be left out. ERR_SYNTAX. */
RESULT rate_parse(const char *text, struct rate *out, struct err *err);

struct rate_table;

/* slots: how many keys there is room for; 16 octets each. rate must have a bound. */
RESULT rate_table_new(struct rate_table **out, struct rate rate, size_t slots, struct err *err);
void rate_table_free(struct rate_table *t);
DEFINE_CLEANUP(struct rate_table, rate_table_free)

/*
 * Takes a token from the key's bucket. 0: there was one; otherwise the seconds until there is.
 * now_us: of a clock that does not go back.
 */
MUST_USE unsigned rate_table_take(struct rate_table *t, struct span key, int64_t now_us);
/* The same without taking it. */
MUST_USE unsigned rate_table_look(struct rate_table *t, struct span key, int64_t now_us);

#endif
