/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/throttle.h"

#include <stdlib.h>

#define SLOTS 16384 /* challenges or identities that are counted at a time: 256 KiB each */

struct throttle {
	struct throttle_config config;
	struct rate_table *tables[THROTTLE_COUNT_]; /* NULL: no rate */
};

enum result throttle_new(struct throttle **out, const struct throttle_config *config,
			 struct err *err)
{
	CLEANUP(throttle_freep) struct throttle *l = calloc(1, sizeof(*l));
	size_t i;

	if (!l)
		return err_nomem(err);
	l->config = *config;
	for (i = 0; i < THROTTLE_COUNT_; i++)
		if (config->requests[i].count)
			TRY(rate_table_new(&l->tables[i], config->requests[i], SLOTS, err));
	*out = take(l);
	return OK;
}

void throttle_free(struct throttle *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < THROTTLE_COUNT_; i++)
		rate_table_free(l->tables[i]);
	free(l);
}

const struct throttle_config *throttle_config(const struct throttle *l)
{
	return &l->config;
}

unsigned throttle_take(struct throttle *l, enum throttle_whose whose, struct span key,
		       int64_t now_us)
{
	return l->tables[whose] ? rate_table_take(l->tables[whose], key, now_us) : 0;
}
