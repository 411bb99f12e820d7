/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RSA with the public key, PKCS#1 v1.5 (RFC 8017), on OpenSSL's integers. Every SCEP request takes
 * three such operations, and around each the library's general interface costs more than the
 * arithmetic itself. What has a secret exponent goes through that interface.
 */
#ifndef PKI_RSA_PUBLIC_H
#define PKI_RSA_PUBLIC_H

#include "pki/crypto.h"

#define RSA_BITS_MAX 8192
#define RSA_EXPONENT_MAX 8 /* octets: a longer one would only serve to keep us busy */

/* RSAPublicKey (RFC 8017 A.1.1): magnitudes without sign octet, borrowed. */
struct rsa_parts {
	struct span n;
	struct span e;
};

RESULT rsa_public_read(struct span key, struct rsa_parts *out, struct err *err);

/* Belongs to the thread of its struct crypto, and is freed before that. */
struct rsa_public;

/* n is odd and has at most RSA_BITS_MAX bits, e at most RSA_EXPONENT_MAX octets. */
RESULT rsa_public_new(struct rsa_public **out, struct crypto *c, const struct rsa_parts *parts,
		      struct err *err);
void rsa_public_free(struct rsa_public *k);
DEFINE_CLEANUP(struct rsa_public, rsa_public_free)

/* RSASSA-PKCS1-v1_5 (8.2.2) of a message's digest. ERR_BAD_CHECK: it does not verify. */
RESULT rsa_public_verify(struct rsa_public *k, enum digest_alg alg, struct span digest,
			 struct span signature, struct err *err);
/* RSAES-PKCS1-v1_5 (7.2.1). ERR_LIMIT: plain is longer than the modulus less 11 octets. */
RESULT rsa_public_encrypt(struct rsa_public *k, struct span plain, struct buf *out,
			  struct err *err);

#endif
