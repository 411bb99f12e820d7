/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The primitives, from OpenSSL. A struct crypto holds a library context of its own with digests and
 * ciphers fetched once: make one per thread (a shared one contends), never share it.
 */
#ifndef PKI_CRYPTO_H
#define PKI_CRYPTO_H

#include "base/buf.h"
#include "base/secret.h"
#include "pki/alg.h"

struct crypto;

/* legacy: load the provider that has DES and MD5, if the installation has one. */
RESULT crypto_new(struct crypto **out, bool legacy, struct err *err);
void crypto_free(struct crypto *c);
DEFINE_CLEANUP(struct crypto, crypto_free)

/* Digest of the parts one behind the other, into out[digest_size(alg)]. ERR_BAD_ALG if not there.
 */
RESULT crypto_digest(struct crypto *c, enum digest_alg alg, const struct span *parts, size_t n,
		     uint8_t out[DIGEST_MAX], struct err *err);

/* The same of bytes that come one after another; independent of c's other work meanwhile. */
struct crypto_hash;
RESULT crypto_hash_new(struct crypto_hash **out, struct crypto *c, enum digest_alg alg,
		       struct err *err);
RESULT crypto_hash_add(struct crypto_hash *h, struct span bytes, struct err *err);
/* Once, at the end. */
RESULT crypto_hash_end(struct crypto_hash *h, uint8_t out[DIGEST_MAX], struct err *err);
void crypto_hash_free(struct crypto_hash *h);
DEFINE_CLEANUP(struct crypto_hash, crypto_hash_free)

/* CBC with PKCS#7 padding; key and iv must have the cipher's size. A wrong padding: ERR_BAD_CHECK.
 */
RESULT crypto_encrypt(struct crypto *c, enum cipher_alg alg, struct span key, struct span iv,
		      struct span plain, struct buf *out, struct err *err);
RESULT crypto_decrypt(struct crypto *c, enum cipher_alg alg, struct span key, struct span iv,
		      struct span cipher, struct buf *out, struct err *err);
/* The same without padding: whole blocks (for RFC 3211 key wrap). */
RESULT crypto_encrypt_blocks(struct crypto *c, enum cipher_alg alg, struct span key, struct span iv,
			     struct span plain, struct buf *out, struct err *err);
RESULT crypto_decrypt_blocks(struct crypto *c, enum cipher_alg alg, struct span key, struct span iv,
			     struct span cipher, struct buf *out, struct err *err);

/* PBKDF2 (RFC 8018 5.2) with HMAC of the digest. */
RESULT crypto_pbkdf2(struct crypto *c, enum digest_alg prf, struct span password, struct span salt,
		     uint32_t iterations, uint8_t *out, size_t out_len, struct err *err);
/*
 * scrypt (RFC 7914), for stored static challenges. It takes long: another thread may make it while
 * c's own goes on with c.
 */
RESULT crypto_scrypt(struct crypto *c, struct span password, struct span salt, uint64_t n,
		     uint32_t r, uint32_t p, uint8_t *out, size_t out_len, struct err *err);
RESULT crypto_hmac(struct crypto *c, enum digest_alg alg, struct span key, struct span data,
		   uint8_t out[DIGEST_MAX], struct err *err);

#endif
