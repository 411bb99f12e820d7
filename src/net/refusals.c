/* SPDX-License-Identifier: Apache-2.0 */
#include "net/refusals.h"

#include <stdlib.h>

#include "base/rate.h"

#define ADDRESSES 4096
#define SECONDS 600
#define MOST 60

struct refusals {
	struct rate_table *by_address;
	struct rate_table *all;
};

enum result refusals_new(struct refusals **out, struct err *err)
{
	CLEANUP(refusals_freep) struct refusals *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(err);
	TRY(rate_table_new(&r->by_address, (struct rate){ 1, SECONDS }, ADDRESSES, err));
	TRY(rate_table_new(&r->all, (struct rate){ MOST, SECONDS }, 1, err));
	*out = take(r);
	return OK;
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	rate_table_free(r->by_address);
	rate_table_free(r->all);
	free(r);
}

bool refusals_tell(struct refusals *r, const struct address *address, int64_t now_us)
{
	return rate_table_take(r->by_address, address_key(address), now_us) == 0 &&
	       rate_table_take(r->all, SPAN_NONE, now_us) == 0;
}
