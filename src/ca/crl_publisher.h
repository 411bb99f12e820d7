/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the revocation lists of all CAs up to date, those of each generation of keys until its own
 * certificate ends, in a thread of its own: on schedule, and soon
 * after a revocation. It finds revocations by looking into the store, so that it need not be told,
 * and waits a little for more of them: a list is never made as part of a revocation. Thread-safe.
 */
#ifndef CA_CRL_PUBLISHER_H
#define CA_CRL_PUBLISHER_H

#include "ca/crl_make.h"

struct crl_publisher;

struct crl_publisher_config {
	struct store *store;
	const struct clock *clock;
	struct log log;
	unsigned look_ms;     /* how often it looks; 0: 1000 */
	unsigned debounce_ms; /* from the first revocation that it sees to the new list; 0: 2000 */
	/* The authorities of now; the publisher gives the reference back. */
	struct authority *(*authority)(void *ctx);
	void *ctx;
};

/* Starts the thread; it has nothing to do until it gets plans. */
RESULT crl_publisher_new(struct crl_publisher **out, const struct crl_publisher_config *config,
			 struct err *err);
/* Ends the thread after the list that it is at. */
void crl_publisher_free(struct crl_publisher *p);
DEFINE_CLEANUP(struct crl_publisher, crl_publisher_free)

/*
 * From now on these, at most one a CA. Copied; directories are made. Lists that lie there and are
 * what the store has recorded are served at once. Waits for a list that is being made.
 */
RESULT crl_publisher_set(struct crl_publisher *p, const struct crl_plan *plans, size_t n,
			 struct err *err);
/* Makes all lists of the CA now. ERR_NOT_FOUND: there is no plan for it, or no such CA. */
RESULT crl_publisher_rebuild(struct crl_publisher *p, const char *ca, struct crypto *c,
			     struct err *err);

/*
 * A reference to a list of one generation of the CA, by its name ("full.crl"); NULL: none of this
 * name, or not made yet.
 */
struct crl_file *crl_publisher_get(struct crl_publisher *p, const char *ca, unsigned generation,
				   struct span name);

#endif
