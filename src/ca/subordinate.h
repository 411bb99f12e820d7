/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA below another: the certificate that one has signed is imported with the chain above it. The
 * generation that awaited it gets its registration authority, and takes over when it was planned
 * to, at the earliest when the certificate begins and at once where that time is past.
 */
#ifndef CA_SUBORDINATE_H
#define CA_SUBORDINATE_H

#include "ca/authority.h"

struct subordinate {
	struct store *store;
	struct keeper_client *keeper;
	struct crypto *c; /* the calling thread's */
	int64_t now;
	const char *name;  /* of the CA */
	struct span chain; /* PEM, or one DER certificate after the other; in any order */
	const char *actor; /* for the event */
};

/*
 * Durable when OK; the authorities must be read anew to see it. ERR_CONFLICT: the CA awaits no
 * certificate. ERR_BAD_TEMPLATE: the chain will not do; the text names the certificate, the clause
 * of RFC 5280 and what disagrees.
 */
RESULT subordinate_import(const struct subordinate *s, struct err *err);

#endif
