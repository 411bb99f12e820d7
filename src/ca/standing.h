/* SPDX-License-Identifier: Apache-2.0 */
/* Is a certificate that somebody shows one that this CA has issued, and does it hold now? */
#ifndef CA_STANDING_H
#define CA_STANDING_H

#include "ca/authority.h"

/* ERR_BAD_CERT_ID: the CA has not issued that very certificate. */
RESULT ca_standing_check_issued(struct store *store, const struct authority_ca *ca,
				const struct cert *cert, struct err *err);
/*
 * The certificate is compared with the record, octet by octet, so that its signature need not be
 * verified. ERR_BAD_CERT_ID: the CA has not issued it. ERR_DENIED: it is revoked, on hold or not in
 * its validity.
 */
RESULT ca_standing_check(struct store *store, const struct authority_ca *ca,
			 const struct cert *cert, int64_t now, struct err *err);

#endif
