/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of key_pkey.c's OpenSSL provider: key management and signatures. */
#ifndef PKI_KEY_REMOTE_H
#define PKI_KEY_REMOTE_H

#include <openssl/core.h>

#include "pki/crypto_evp.h"
#include "pki/key.h"

#define KEY_REMOTE_PROVIDER "scepter-keys"
/* Of EVP_PKEY_fromdata: a pointer to a struct key_remote. */
#define KEY_REMOTE_PARAM "scepter-key"

struct key_remote {
	struct key *key;
	EVP_PKEY *pub; /* the public part, at the default provider */
};

/* What the provider's functions get as keydata; it only refers. */
struct key_remote_handle {
	struct key_remote *remote;
};

extern const OSSL_DISPATCH key_remote_rsa_keymgmt[];
extern const OSSL_DISPATCH key_remote_ec_keymgmt[];
extern const OSSL_DISPATCH key_remote_signature[];

#endif
