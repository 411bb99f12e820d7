/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may come to an endpoint at all: by address, and how often. Asked before anything else is done
 * for a request. Immutable but for what it counts; thread-safe.
 */
#ifndef NET_ADMISSION_H
#define NET_ADMISSION_H

#include "base/rate.h"
#include "net/http.h"

struct admission_rule {
	bool allow;
	struct address_block block;
};

struct admission_config {
	const struct admission_rule *rules; /* the first that has the address counts; copied */
	size_t n_rules;                     /* 0: everyone; else who is in none is refused */
	struct rate rate;                   /* requests of an address */
};

struct admission;

RESULT admission_new(struct admission **out, const struct admission_config *config,
		     struct err *err);
void admission_free(struct admission *a);
DEFINE_CLEANUP(struct admission, admission_free)

enum admission_answer { ADMISSION_YES, ADMISSION_FORBIDDEN, ADMISSION_TOO_MANY };

/*
 * now_us: clock_mono_us(). *wait: of ADMISSION_TOO_MANY, the seconds until the address may come
 * again. *tell: this refusal is for the record (net/refusals.h).
 */
enum admission_answer admission_check(struct admission *a, const struct address *address,
				      int64_t now_us, unsigned *wait, bool *tell);

#endif
