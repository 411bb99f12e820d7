/* SPDX-License-Identifier: Apache-2.0 */
/* What is inside a struct crypto, for those files of src/pki that make keys with OpenSSL. */
#ifndef PKI_CRYPTO_EVP_H
#define PKI_CRYPTO_EVP_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "pki/crypto.h"

OSSL_LIB_CTX *crypto_libctx(struct crypto *c);
/* NULL if the installation has not got it. */
const EVP_MD *crypto_md(struct crypto *c, enum digest_alg alg);
const EVP_CIPHER *crypto_cipher(struct crypto *c, enum cipher_alg alg);
/* Ready for EVP_PKEY_fromdata, any number of times; NULL if there is no such key type. */
EVP_PKEY_CTX *crypto_import_ctx(struct crypto *c, enum key_kind kind);
/* Room for what calculations need on their way; of public numbers, for it is wiped late. */
BN_CTX *crypto_numbers(struct crypto *c);
/* Where the next key of this curve is found, if there is one. For ec_public.c alone. */
struct ec_public;
struct ec_public **crypto_spare_ec(struct crypto *c, enum key_kind kind);

/* err_set with OpenSSL's own reason behind the text, and its error queue emptied. */
RESULT crypto_fail(struct err *err, enum result code, const char *what);

DEFINE_CLEANUP(EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free)

/* OpenSSL's parameters are not const, though these it only reads. */
static inline OSSL_PARAM crypto_param_octets(const char *name, struct span s)
{
	return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)s.p, s.len);
}

static inline OSSL_PARAM crypto_param_text(const char *name, const char *text)
{
	return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)text, 0);
}

#endif
