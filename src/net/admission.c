/* SPDX-License-Identifier: Apache-2.0 */
#include "net/admission.h"

#include <stdlib.h>

#include "net/refusals.h"

#define ADDRESSES 16384 /* that are counted at a time: 256 KiB */

struct admission {
	struct rate_table *rate; /* NULL: no limit */
	struct refusals *refusals;
	size_t n_rules;
	struct admission_rule rules[];
};

enum result admission_new(struct admission **out, const struct admission_config *config,
			  struct err *err)
{
	CLEANUP(admission_freep)
	struct admission *a = calloc(1, sizeof(*a) + config->n_rules * sizeof(config->rules[0]));

	if (!a)
		return err_nomem(err);
	a->n_rules = config->n_rules;
	if (a->n_rules)
		memcpy(a->rules, config->rules, a->n_rules * sizeof(a->rules[0]));
	if (config->rate.count)
		TRY(rate_table_new(&a->rate, config->rate, ADDRESSES, err));
	TRY(refusals_new(&a->refusals, err));
	*out = take(a);
	return OK;
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	rate_table_free(a->rate);
	refusals_free(a->refusals);
	free(a);
}

static bool is_allowed(const struct admission *a, const struct address *address)
{
	size_t i;

	for (i = 0; i < a->n_rules; i++)
		if (address_block_has(&a->rules[i].block, address))
			return a->rules[i].allow;
	return a->n_rules == 0;
}

enum admission_answer admission_check(struct admission *a, const struct address *address,
				      int64_t now_us, unsigned *wait, bool *tell)
{
	struct span key = address_key(address);
	bool allowed = is_allowed(a, address);

	*wait = allowed && a->rate ? rate_table_take(a->rate, key, now_us) : 0;
	*tell = false;
	if (allowed && !*wait)
		return ADMISSION_YES;
	*tell = refusals_tell(a->refusals, address, now_us);
	return allowed ? ADMISSION_TOO_MANY : ADMISSION_FORBIDDEN;
}
