/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registration authority whose certificates end before the CA's gets new ones in time. Its keys
 * stay, so that requests that were encrypted for the old certificates open still.
 */
#ifndef CA_RA_RENEWAL_H
#define CA_RA_RENEWAL_H

#include "ca/authority.h"

/* Does one of them end soon: is only a third of its time left, or less than 30 days? */
bool ra_renewal_is_due(const struct authority_ca *ca, int64_t now);

/* Those that are due. Durable when OK; the authorities must be read anew to see it. */
RESULT ra_renewal_make(struct store *store, struct keeper_client *keeper, struct crypto *c,
		       int64_t now, const struct authority_ca *ca, struct err *err);

#endif
