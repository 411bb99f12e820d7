/* SPDX-License-Identifier: Apache-2.0 */
/* RSA moduli that anybody can factor, by what shows without trying to. Pure. */
#ifndef PKI_RSA_WEAK_H
#define PKI_RSA_WEAK_H

#include "base/err.h"
#include "base/span.h"

/*
 * key: RSAPublicKey, whole. ERR_BAD_ALG: its modulus has a factor of at most 167, or the
 * fingerprint of keys made by Infineon's library (ROCA, CVE-2017-15361). Some microseconds.
 */
RESULT rsa_weak_check(struct span key, struct err *err);

#endif
