/* SPDX-License-Identifier: Apache-2.0 */
/* Is a certificate that somebody shows one that this CA has issued, and does it hold now? */
#ifndef CA_STANDING_H
#define CA_STANDING_H

#include "ca/authority.h"

/* ERR_BAD_CERT_ID: the CA has not issued that very certificate. */
RESULT ca_standing_check_issued(struct store *store, const struct authority_ca *ca,
				const struct cert *cert, struct err *err);
/* ERR_DENIED: its key was reported as compromised, be the certificate itself revoked or not. */
RESULT ca_standing_check_key(struct store *store, struct crypto *c, const struct cert *cert,
			     struct err *err);
/*
 * The certificate is compared with the record, octet by octet, so that its signature need not be
 * verified. ERR_BAD_CERT_ID: the CA has not issued it. ERR_DENIED: it is revoked, on hold or not in
 * its validity, or its key was reported as compromised.
 */
struct ca_standing {
	struct store *store;
	struct crypto *c; /* the calling thread's */
	int64_t now;
};
RESULT ca_standing_check(const struct ca_standing *s, const struct authority_ca *ca,
			 const struct cert *cert, struct err *err);

#endif
