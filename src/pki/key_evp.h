/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys in this process, and their files (PKCS#8 PEM or DER; old PEM forms are read too).
 * A key belongs to the crypto that it was made in: it is used with that one, in its thread, and
 * freed before it. What it prepares for one kind of signature or decryption it keeps for the next.
 */
#ifndef PKI_KEY_EVP_H
#define PKI_KEY_EVP_H

#include "pki/key.h"

/* "rsa2048" "rsa3072" "rsa4096" "p256" "p384" "p521" "ed25519", with OpenSSL 3.5 "ml-dsa-44"
 * "ml-dsa-65" "ml-dsa-87". */
struct key_spec {
	enum key_kind kind;
	unsigned bits;
};

RESULT key_spec_parse(const char *text, struct key_spec *out, struct err *err);
RESULT key_evp_generate(struct key **out, struct crypto *c, struct key_spec spec, struct err *err);
/* passphrase may be NULL (none); an encrypted file then gives ERR_DENIED. */
RESULT key_evp_from_bytes(struct key **out, struct crypto *c, struct span pem_or_der,
			  const struct secret *passphrase, struct err *err);
RESULT key_evp_load(struct key **out, struct crypto *c, const char *path,
		    const struct secret *passphrase, struct err *err);
/* PKCS#8 PEM, encrypted (PBES2: scrypt, AES-256-CBC) where a passphrase is given. */
RESULT key_evp_export(struct key *k, const struct secret *passphrase, struct buf *pem,
		      struct err *err);
/*
 * ECDH: what this key and whoever holds the other, of the same curve, can both work out.
 * ERR_BAD_ALG: of another curve, or of a kind that agrees on nothing.
 */
RESULT key_evp_agree(struct key *k, struct crypto *c, struct span peer_spki, struct secret *out,
		     struct err *err);
/* The same key in another thread's crypto. */
RESULT key_evp_copy(struct key **out, struct crypto *c, const struct key *from, struct err *err);

#endif
