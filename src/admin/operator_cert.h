/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client certificate by which an operator is known: this one, by its fingerprint, or any of
 * that subject from that issuer, which the listener must have verified. Pure.
 */
#ifndef ADMIN_OPERATOR_CERT_H
#define ADMIN_OPERATOR_CERT_H

#include "pki/cert.h"

struct operator_cert {
	bool by_fingerprint;
	uint8_t sha256[32];
	struct buf subject; /* Name DER; empty: not by name. Owned, like issuer */
	struct buf issuer;
};
void operator_cert_clear(struct operator_cert *c);
/* Each as text; sha256 or both names, and NULL for what is not given. ERR_CONFIG: neither, wrong.
 */
RESULT operator_cert_parse(const char *sha256, const char *subject, const char *issuer,
			   struct operator_cert *out, struct err *err);

/* A certificate that somebody showed. */
struct operator_cert_seen {
	bool verified;
	struct cert cert; /* a view */
	uint8_t sha256[DIGEST_MAX];
};
/* ERR_NOT_FOUND: this is no certificate that we can read, and so nobody's. */
RESULT operator_cert_look(struct operator_cert_seen *out, struct crypto *c, struct span der,
			  struct err *err);
/* Is it this operator's? By its names alone, or by the fingerprint. */
bool operator_cert_is(const struct operator_cert *c, const struct operator_cert_seen *seen);
/* May it be used? ERR_DENIED: by its names, but it was not verified; not in validity. */
RESULT operator_cert_check(const struct operator_cert *c, const struct operator_cert_seen *seen,
			   int64_t now, struct err *err);

#endif
