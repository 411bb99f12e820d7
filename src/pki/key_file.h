/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys as bytes: what key_evp.h reads and writes them with. */
#ifndef PKI_KEY_FILE_H
#define PKI_KEY_FILE_H

#include "pki/crypto_evp.h"

#define KEY_FILE_MAX 65536

/* PEM or DER; other PEM blocks before it (EC PARAMETERS, a certificate) are passed over. */
RESULT key_file_read(EVP_PKEY **out, struct crypto *c, struct span pem_or_der,
		     const struct secret *passphrase, struct err *err);
/* Does it say of itself that it is encrypted? PEM only: our own files are. */
bool key_file_is_sealed(struct span pem);
/* PKCS#8 in PEM; encrypted if a passphrase is given. */
RESULT key_file_put_pem(const EVP_PKEY *pkey, struct crypto *c, const struct secret *passphrase,
			struct buf *out, struct err *err);
/* PKCS#8 in DER, not encrypted: out is to be wiped. */
RESULT key_file_put_der(const EVP_PKEY *pkey, struct buf *out, struct err *err);
/* SubjectPublicKeyInfo, an EC point uncompressed. */
RESULT key_file_put_spki(EVP_PKEY *pkey, struct buf *out, struct err *err);

#endif
