/* SPDX-License-Identifier: Apache-2.0 */
/* RSAES-OAEP with the public key (RFC 8017 7.1.1), by the library: few ask for it. */
#ifndef PKI_RSA_OAEP_H
#define PKI_RSA_OAEP_H

#include "pki/rsa_public.h"

/* What the modulus does not hold with these digests: an error. */
RESULT rsa_oaep_encrypt(struct crypto *c, const struct rsa_parts *parts,
			const struct transport_alg *alg, struct span plain, struct buf *out,
			struct err *err);

#endif
