/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/est: a private key on its way to a device, encrypted to a key of the device's. */
#ifndef EST_KEY_PACKAGE_H
#define EST_KEY_PACKAGE_H

#include "est/exchange.h"

/*
 * EnvelopedData of SignedData of AsymmetricKeyPackage (RFC 5958 4), appended. pkcs8:
 * PrivateKeyInfo. Errors as of est/key_recipient.h.
 */
RESULT est_key_package_put(struct est_exchange *x, struct span pkcs8, struct buf *out,
			   struct err *err);

#endif
