/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meters by labels ("endpoint demo, PKCSReq, success"), made when labels are first seen and kept
 * from then on. To find one takes no lock; to make one does. Their number is bounded: what comes
 * beyond goes to one whose labels are all TALLY_OTHER. Thread-safe.
 */
#ifndef BASE_TALLY_H
#define BASE_TALLY_H

#include "base/meter.h"

#define TALLY_LABELS_MAX 5
#define TALLY_OTHER "other"

struct tally;

/* labels: how many each has; counters: of each meter; most: how many there may be. */
RESULT tally_new(struct tally **out, size_t labels, size_t counters, size_t most, struct err *err);
void tally_free(struct tally *t);
DEFINE_CLEANUP(struct tally, tally_free)

/* Borrowed; the labels are copied. NULL: no memory, or t is NULL. */
struct meter *tally_get(struct tally *t, const char *const labels[]);

/* All of them, those made last first. labels are as many as the tally has. */
typedef void tally_fn(void *ctx, const char *const labels[], const struct meter *m);
void tally_each(const struct tally *t, tally_fn *fn, void *ctx);

#endif
