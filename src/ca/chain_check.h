/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/ca: the certificates above a CA, put in order and verified (RFC 5280 6.1, as far
 * as a CA's own chain needs it). Pure but for the signatures.
 */
#ifndef CA_CHAIN_CHECK_H
#define CA_CHAIN_CHECK_H

#include "pki/cert.h"

#define CHAIN_CHECK_MAX 16

struct chain_check {
	struct buf *ders; /* owned */
	struct cert certs[CHAIN_CHECK_MAX];
	size_t n;
	/* after chain_check_order: the CA's own first, then each above the one before it */
	size_t order[CHAIN_CHECK_MAX];
	size_t length;
};

/* From PEM, or DER one after the other. ERR_SYNTAX, ERR_LIMIT. */
RESULT chain_check_read(struct chain_check *k, struct span bytes, struct err *err);
void chain_check_clear(struct chain_check *k);
/*
 * From the certificate of that key upwards, as far as the certificates lead: to a root, or to where
 * they end. ERR_BAD_TEMPLATE naming what is wrong.
 */
RESULT chain_check_order(struct chain_check *k, struct crypto *c, struct span spki, int64_t now,
			 struct err *err);

#endif
