/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key: SubjectPublicKeyInfo read with src/der, then used by its kind (pki/rsa_public.h,
 * pki/ec_public.h, OpenSSL as it comes). Belongs to the thread of its struct crypto, and is freed
 * before that.
 */
#ifndef PKI_PUBKEY_H
#define PKI_PUBKEY_H

#include "pki/crypto.h"

/* What can be said of a key without making it: cheap, pure. */
struct pubkey_info {
	enum key_kind kind;
	unsigned bits;    /* RSA modulus; 256/384/521; of others the public key */
	struct span spki; /* borrowed: the whole SubjectPublicKeyInfo */
	struct span key;  /* borrowed: content of subjectPublicKey (for SHA-1 key identifiers) */
};

struct pubkey;

/*
 * ERR_BAD_ALG for kinds that Scepter does not know; RSA of 1024 to 8192 bits with an odd exponent
 * >= 3 of at most 64 bits; EC points uncompressed.
 */
RESULT pubkey_inspect(struct span spki, struct pubkey_info *out, struct err *err);

/* One key, though it be encoded in two ways (parameters NULL or absent)? */
bool pubkey_same(struct span a, struct span b);

#define PUBKEY_HASH 32
/*
 * By what a key is known: SHA-256 of its SubjectPublicKeyInfo, the same one though it be encoded in
 * two ways. What is no key that Scepter knows has the hash of its octets.
 */
RESULT pubkey_hash(struct crypto *c, struct span spki, uint8_t out[PUBKEY_HASH], struct err *err);

/* spki is borrowed for the life of the key. */
RESULT pubkey_new(struct pubkey **out, struct crypto *c, struct span spki, struct err *err);
void pubkey_free(struct pubkey *k);
DEFINE_CLEANUP(struct pubkey, pubkey_free)
const struct pubkey_info *pubkey_info(const struct pubkey *k);

/* A signature that does not verify: ERR_BAD_CHECK. ECDSA signatures in DER form. */
RESULT pubkey_verify(struct pubkey *k, struct crypto *c, struct sig_alg alg, struct span message,
		     struct span signature, struct err *err);
/* Over two parts one behind the other (spares a copy of signedAttrs with its SET tag). */
RESULT pubkey_verify2(struct pubkey *k, struct crypto *c, struct sig_alg alg, struct span part1,
		      struct span part2, struct span signature, struct err *err);
/* RSA key transport. */
RESULT pubkey_encrypt(struct pubkey *k, struct crypto *c, const struct transport_alg *alg,
		      struct span plain, struct buf *out, struct err *err);

#endif
