/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus text exposition format (version 0.0.4): a family's head, then all its samples.
 * Pure. Failures are the buf's (base/buf.h).
 */
#ifndef INTEGRATIONS_EXPOSITION_H
#define INTEGRATIONS_EXPOSITION_H

#include "base/buf.h"
#include "base/histogram.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_kind { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

struct exposition_family {
	const char *name;
	enum exposition_kind kind;
	const char *help;
	const char *const *labels; /* names, ended by NULL; NULL: none */
};

void exposition_head(const struct exposition_family *f, struct buf *out);
/* values: of the family's labels, in their order; any UTF-8. NULL where there are none. */
void exposition_value(const struct exposition_family *f, const char *const values[], double value,
		      struct buf *out);
/* Of durations: in seconds. */
void exposition_histogram(const struct exposition_family *f, const char *const values[],
			  const struct histogram *h, struct buf *out);

#endif
