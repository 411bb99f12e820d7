/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key on one of the NIST curves. To make one with OpenSSL costs nearly as much as to
 * verify a signature by it, so a freed one stays with the struct crypto as its spare, and the next
 * key of the curve is that one with another point.
 */
#ifndef PKI_EC_PUBLIC_H
#define PKI_EC_PUBLIC_H

#include "pki/crypto_evp.h"

/* Belongs to the thread of its struct crypto, and is freed before that. */
struct ec_public;

/* point: uncompressed. ERR_BAD_ALG: it is not on the curve. */
RESULT ec_public_new(struct ec_public **out, struct crypto *c, enum key_kind kind,
		     struct span point, struct err *err);
void ec_public_free(struct ec_public *k);
DEFINE_CLEANUP(struct ec_public, ec_public_free)

/* ECDSA over a message's digest, the signature in DER form. ERR_BAD_CHECK: it does not verify. */
RESULT ec_public_verify(struct ec_public *k, enum digest_alg alg, struct span digest,
			struct span signature, struct err *err);
/* Borrowed: as the peer of a key agreement. */
EVP_PKEY *ec_public_pkey(struct ec_public *k);

/* Of the crypto's spare, when that ends. */
void ec_public_destroy(struct ec_public *k);

#endif
