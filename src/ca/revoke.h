/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a certificate back: for good, on hold, and from hold again. Each is an event. */
#ifndef CA_REVOKE_H
#define CA_REVOKE_H

#include "pki/crl.h"
#include "store/revocation.h"

struct revoke_context { /* of the server; shared by threads */
	struct store *store;
	const struct clock *clock;
	const struct log *log;
};

struct revoke_request {
	const char *ca;
	struct span serial; /* INTEGER content octets */
	enum crl_reason reason;
	int64_t invalid_since; /* when the key is believed to have been lost; 0: not told */
	const char *actor;     /* who decides, for the record */
};

/*
 * Durable when OK; the revocation lists and the responder follow. CRL_CERTIFICATE_HOLD may be
 * released or become a revocation for good, and any other reason CRL_KEY_COMPROMISE, which blocks
 * the key (store/key_block.h). ERR_NOT_FOUND: the CA has not issued it. ERR_CONFLICT:
 * it is revoked already. ERR_BAD_REQUEST: not a reason to revoke a certificate of a device.
 */
RESULT revoke_cert(const struct revoke_context *ctx, const struct revoke_request *req,
		   struct err *err);
/* ERR_CONFLICT: it is not on hold. */
RESULT revoke_release(const struct revoke_context *ctx, const char *ca, struct span serial,
		      const char *actor, struct err *err);

#endif
