/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wall-clock time that tests can set. Times are seconds since 1970 UTC (int64_t), as in all of
 * Scepter. Thread-safe.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"

struct clock {
	_Atomic int64_t fixed;  /* 0: the system's time */
	_Atomic int64_t offset; /* seconds added to the system's time */
};

#define CLOCK_SYSTEM ((struct clock){ 0, 0 })

int64_t clock_now(const struct clock *c);
/* Stops the clock at t (t > 0), or lets it go on (t = 0). */
void clock_fix(struct clock *c, int64_t t);
void clock_shift(struct clock *c, int64_t seconds);

/* Milliseconds since 1970 UTC of the system's own clock, which tests do not set. */
uint64_t clock_real_ms(void);
/* Microseconds of CLOCK_MONOTONIC, for durations. */
int64_t clock_mono_us(void);

#define CLOCK_TEXT_MAX 32
/* "2026-11-21T20:44:00Z" into text. */
void clock_format(int64_t t, char text[CLOCK_TEXT_MAX]);
/* The same back, or a day alone: its beginning. ERR_SYNTAX otherwise. */
RESULT clock_parse(const char *text, int64_t *t, struct err *err);
/* "90s" "15m" "24h" "30d" "52w" "2y" (365 d), in seconds. ERR_SYNTAX otherwise. */
RESULT clock_parse_duration(const char *text, int64_t *seconds, struct err *err);

#endif
