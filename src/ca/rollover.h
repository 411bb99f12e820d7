/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA gets its next generation of keys: new keys, a new certificate and a registration authority
 * of its own, and the cross certificates that lead from either generation to the other
 * (RFC 4210 4.4). It takes over at a time that is fixed then; nobody has to be there.
 *
 * A CA whose certificate another has signed gets a request instead, and takes over when its answer
 * has been imported (ca/subordinate.h).
 */
#ifndef CA_ROLLOVER_H
#define CA_ROLLOVER_H

#include "ca/authority.h"

struct rollover {
	struct store *store;
	struct keeper_client *keeper;
	struct crypto *c; /* the calling thread's */
	int64_t now;
	const struct authority_ca *ca; /* the generation in charge */
	int64_t at;                    /* when the next takes over; 0: when that one ends */
	struct key_spec key;           /* KEY_NONE: as the one in charge has */
	const char *actor;             /* for the event */
};

/*
 * Durable when OK; the authorities must be read anew to see it. ERR_CONFLICT: one is under way
 * already. ERR_USAGE: the time or the key will not do.
 */
RESULT rollover_make(const struct rollover *r, struct err *err);

/*
 * The generation that is planned takes over at r->at instead (r->key counts for nothing). If that
 * is before its certificate begins, the same key gets a new one, as does its registration
 * authority. ERR_CONFLICT: none is planned. ERR_USAGE: the time will not do.
 */
RESULT rollover_move(const struct rollover *r, struct err *err);
/*
 * It is gone for good, its keys are never used, and its number is not given out again.
 * ERR_CONFLICT: none is planned, or devices have certificates of it.
 */
RESULT rollover_cancel(const struct rollover *r, struct err *err);

/* Does this CA (in charge) need its next generation now? lead: seconds before it ends; 0: never. */
bool rollover_is_due(const struct authority_ca *ca, int64_t lead, int64_t now);

/* Puts on record that ca, which is in charge, has taken over; once. */
RESULT rollover_begin(struct store *store, const struct authority_ca *ca, int64_t now,
		      struct err *err);

#endif
