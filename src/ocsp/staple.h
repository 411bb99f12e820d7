/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response that a TLS server staples to its own certificate (RFC 6066 8): made by a CA of this
 * server, or fetched from another's responder and checked as a client would. No I/O but the store's
 * and the keeper's.
 */
#ifndef OCSP_STAPLE_H
#define OCSP_STAPLE_H

#include "ocsp/answer.h"

/*
 * Appends the response. issuer: the generation that has issued cert. ERR_NOT_FOUND: that is not on
 * record; else as ocsp_answer().
 */
RESULT ocsp_staple_make(const struct ocsp_source *s, struct crypto *c,
			const struct authority_ca *issuer, const struct cert *cert,
			struct ocsp_said *said, struct buf *out, struct err *err);

/* Another's certificate, with the one that has signed it. */
struct ocsp_foreign {
	const struct cert *cert;
	const struct cert *issuer;
};
/* Appends the OCSPRequest. */
RESULT ocsp_staple_request(const struct ocsp_foreign *f, struct crypto *c, struct buf *out,
			   struct err *err);
/*
 * Is response about f, in time, and by f's issuer or whom that has delegated (RFC 6960 3.2)? Then
 * *said: what it says, and when the next is to be asked for. One without nextUpdate holds an hour.
 */
RESULT ocsp_staple_check(const struct ocsp_foreign *f, struct crypto *c, struct span response,
			 int64_t now, struct ocsp_said *said, struct err *err);

#endif
