/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where a certificate of an authority is made: built, linted, then signed. */
#ifndef CA_ISSUE_H
#define CA_ISSUE_H

#include "pki/cert.h"

/*
 * Positive, without a leading zero (RFC 5280 4.1.2.2): 46 bits of the time in milliseconds, then 80
 * random ones. They rise, so that the store's index on them is appended to and not scattered over.
 */
#define ISSUE_SERIAL 16
#define ISSUE_SERIAL_TIME 6 /* octets of it that tell the time */
RESULT issue_serial(uint8_t out[ISSUE_SERIAL], struct err *err);

/*
 * Name of a certificate of the CA's own: the CA's without its CNs, and a CN (at most 64 octets:
 * ub-common-name) that says what it is.
 */
RESULT issue_subject(struct span ca_subject, const char *cn, struct buf *out, struct err *err);

/* The certificate into out. ERR_BAD_TEMPLATE: a rule of RFC 5280 is broken; nothing was signed. */
RESULT issue_certificate(const struct cert_template *t, struct key *issuer, struct crypto *c,
			 struct buf *out, struct err *err);

#endif
