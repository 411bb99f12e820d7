/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/ca: the revocation lists of one generation of a CA, as they are served, and when
 * they are to be made anew. Locking is the publisher's.
 */
#ifndef CA_CRL_SHELF_H
#define CA_CRL_SHELF_H

#include "ca/crl_make.h"

struct crl_shelf {
	unsigned generation;
	struct crl_plan plan; /* of the generation; owned */
	struct crl_file **set;
	int64_t changed_us;    /* when a change was first seen that no list tells; 0: none */
	int64_t incomplete_us; /* the same of the complete list alone */
	int64_t not_before_us;
};

/* Makes the directory, too. */
RESULT crl_shelf_init(struct crl_shelf *s, const struct crl_plan *plan, unsigned generation,
		      struct err *err);
void crl_shelf_clear(struct crl_shelf *s);
/* What lies there from before, if it is the very list that the store has on record. */
void crl_shelf_load(struct crl_shelf *s, struct store *store, const struct log *log);

typedef enum result crl_make_fn(const struct crl_maker *m, struct crl_file **set, struct err *err);
/*
 * What is to be done now; NULL: nothing. change: the latest in the store, which must have been seen
 * for debounce_ms.
 */
crl_make_fn *crl_shelf_due(struct crl_shelf *s, unsigned debounce_ms, int64_t now, int64_t change);

#endif
