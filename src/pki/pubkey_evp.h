/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a struct pubkey, for those files of src/pki that use keys with OpenSSL. */
#ifndef PKI_PUBKEY_EVP_H
#define PKI_PUBKEY_EVP_H

#include <openssl/evp.h>

#include "pki/pubkey.h"

/* Borrowed. NULL of a key that is none on a curve: no other agrees on anything. */
EVP_PKEY *pubkey_evp(struct pubkey *k);

#endif
