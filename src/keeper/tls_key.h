/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS servers' private keys: files of the administrator's that only the keeper reads. The
 * server finds the key of a certificate under an id made of its public key.
 */
#ifndef KEEPER_TLS_KEY_H
#define KEEPER_TLS_KEY_H

#include "pki/crypto.h"

#define KEEPER_TLS_ID_MAX 64

/* "tls-" and the first 28 octets of the SPKI's SHA-256 in hexadecimal. */
RESULT keeper_tls_key_id(struct crypto *c, struct span spki, char id[KEEPER_TLS_ID_MAX],
			 struct err *err);
bool keeper_id_is_tls(struct span id);

/* Where the files are: each() calls use() with the path of each, and passes its errors on. */
typedef enum result keeper_tls_key_fn(void *ctx, const char *path, struct err *err);
struct keeper_tls_keys {
	RESULT (*each)(void *ctx, keeper_tls_key_fn *use, void *use_ctx, struct err *err);
	void *ctx;
};

#endif
