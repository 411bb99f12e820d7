/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A struct key in the shape that the TLS library wants: an EVP_PKEY whose public part is ordinary
 * and whose signatures are asked of the key, whole messages with KEY_FOR_TLS. So a TLS server's
 * private key can live where the others do.
 */
#ifndef PKI_KEY_PKEY_H
#define PKI_KEY_PKEY_H

#include "pki/key.h"

struct key_pkey;

/* RSA or EC keys. The key is borrowed and must be thread-safe; it outlives the key_pkey. */
RESULT key_pkey_new(struct key_pkey **out, struct key *key, struct err *err);
/* No EVP_PKEY that it gave may still be in use. */
void key_pkey_free(struct key_pkey *k);
DEFINE_CLEANUP(struct key_pkey, key_pkey_free)

/* The EVP_PKEY, borrowed. */
void *key_pkey_get(struct key_pkey *k);

#endif
