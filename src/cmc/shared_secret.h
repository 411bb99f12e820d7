/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is proven with a secret that both sides know: who asks (identityProof and its version 2, RFC
 * 5272 6.2), and that it is they who have the key that is to be certified (popLinkWitness and its
 * version 2, 6.3.1).
 */
#ifndef CMC_SHARED_SECRET_H
#define CMC_SHARED_SECRET_H

#include "pki/crypto.h"

struct cmc_witness {
	enum digest_alg hash; /* makes the key of the secret */
	enum digest_alg mac;  /* HMAC with it */
	struct span value;
};

/* IdentityProofV2 and PopLinkWitnessV2, whole; of version 1 the OCTET STRING, whole: SHA-1. */
RESULT cmc_witness_read_v2(struct span der, const char *what, struct cmc_witness *out,
			   struct err *err);
RESULT cmc_witness_read_v1(struct span der, const char *what, struct cmc_witness *out,
			   struct err *err);

/* What it is made of: identification (UTF-8, may be empty) stands behind the secret. */
struct cmc_shared_secret {
	struct span secret;
	struct span identification;
};
/* ERR_BAD_CHECK: it was made with another secret, or of another message. */
RESULT cmc_witness_check(const struct cmc_witness *w, struct crypto *c,
			 const struct cmc_shared_secret *secret, struct span message,
			 struct err *err);
/* IdentityProofV2 or PopLinkWitnessV2, whole, with SHA-256 for hash and MAC. Appended. */
RESULT cmc_witness_put_v2(struct buf *out, struct crypto *c, const struct cmc_shared_secret *secret,
			  struct span message, struct err *err);

#endif
