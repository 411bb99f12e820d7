/* SPDX-License-Identifier: Apache-2.0 */
#include "base/meter.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE 64      /* octets of a cache line */
#define LANES_MAX 64 /* processors beyond share */

struct meter {
	size_t lanes;  /* a power of two */
	size_t stride; /* counters from one lane to the next, whole cache lines */
	void *memory;
	_Atomic uint64_t *counts; /* in it */
};

static size_t lanes_wanted(void)
{
	long n = sysconf(_SC_NPROCESSORS_CONF);
	size_t lanes = 1;

	while (lanes < LANES_MAX && (long)lanes < n)
		lanes *= 2;
	return lanes;
}

enum result meter_new(struct meter **out, size_t counters, struct err *err)
{
	const size_t line = LINE / sizeof(uint64_t);
	CLEANUP(meter_freep) struct meter *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	m->lanes = lanes_wanted();
	m->stride = (counters + line - 1) / line * line;
	m->memory = aligned_alloc(LINE, m->lanes * m->stride * sizeof(*m->counts));
	if (!m->memory)
		return err_nomem(err);
	memset(m->memory, 0, m->lanes * m->stride * sizeof(*m->counts));
	m->counts = m->memory;
	*out = take(m);
	return OK;
}

void meter_free(struct meter *m)
{
	if (!m)
		return;
	free(m->memory);
	free(m);
}

/* A thread may be moved to another processor in between: hence atomic, though hardly ever shared.
 */
void meter_add(struct meter *m, size_t counter, uint64_t n)
{
	int cpu;

	if (!m)
		return;
	cpu = sched_getcpu();
	atomic_fetch_add_explicit(
	    &m->counts[((cpu < 0 ? 0 : (size_t)cpu) & (m->lanes - 1)) * m->stride + counter], n,
	    memory_order_relaxed);
}

uint64_t meter_sum(const struct meter *m, size_t counter)
{
	uint64_t sum = 0;
	size_t lane;

	for (lane = 0; m && lane < m->lanes; lane++)
		sum += atomic_load_explicit(&m->counts[lane * m->stride + counter],
					    memory_order_relaxed);
	return sum;
}
