/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/est: a private key on its way to a device, encrypted to a key of the device's. */
#ifndef EST_KEY_PACKAGE_H
#define EST_KEY_PACKAGE_H

#include "est/exchange.h"

/* Does the request name a key to encrypt to? */
bool est_key_package_is_wanted(const struct est_exchange *x);
/*
 * EnvelopedData of SignedData of AsymmetricKeyPackage (RFC 5958 4), appended. pkcs8:
 * PrivateKeyInfo. ERR_BAD_REQUEST: the key that is named is none of the request's and of the TLS
 * client's, or cannot be encrypted to.
 */
RESULT est_key_package_put(const struct est_exchange *x, struct span pkcs8, struct buf *out,
			   struct err *err);

#endif
