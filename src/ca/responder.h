/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA's OCSP responder (RFC 6960 4.2.2.2): a key of its own at the keeper, which signs responses
 * and nothing else, and a certificate of the CA that says so. The certificate is short-lived and
 * bears id-pkix-ocsp-nocheck, so that nobody has to ask whether it is revoked.
 */
#ifndef CA_RESPONDER_H
#define CA_RESPONDER_H

#include "ca/authority.h"

/* Has the CA none, or one of which most of its time is over? */
bool responder_is_due(const struct authority_ca *ca, int64_t now);
/* May it still sign? */
bool responder_is_valid(const struct authority_ca *ca, int64_t now);

/* A new certificate, and a key where there is none for the CA's generation. Durable when OK; the
 * authorities must be read anew to see it. */
RESULT responder_renew(struct store *store, struct keeper_client *keeper, struct crypto *c,
		       int64_t now, const struct authority_ca *ca, struct err *err);

#endif
