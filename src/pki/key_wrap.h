/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES key wrap (RFC 3394), and what agrees on a key to wrap with: ECDH with the KDF of ANSI X9.63
 * and SHA-256, as RFC 5753 has it for CMS.
 */
#ifndef PKI_KEY_WRAP_H
#define PKI_KEY_WRAP_H

#include "pki/crypto.h"

enum wrap_alg { WRAP_NONE, WRAP_AES128, WRAP_AES192, WRAP_AES256 };
#define WRAP_KEY_MAX 32

size_t wrap_key_size(enum wrap_alg alg);
/* The one whose key has that many octets; WRAP_NONE: there is none. */
enum wrap_alg wrap_alg_for(size_t key_size);
/* AlgorithmIdentifier, whose parameters are absent (RFC 3565 2.3.2). Another: ERR_BAD_ALG. */
RESULT wrap_alg_read(struct der_reader *r, const char *what, enum wrap_alg *out, struct err *err);
void wrap_alg_put(struct buf *out, enum wrap_alg alg);

/* Appended: 8 octets more than key, which is a multiple of 8 and at least 16. */
RESULT wrap_key(struct crypto *c, enum wrap_alg alg, struct span kek, struct span key,
		struct buf *out, struct err *err);
/* ERR_BAD_CHECK: another key has wrapped it, or it was changed. */
RESULT wrap_key_open(struct crypto *c, enum wrap_alg alg, struct span kek, struct span wrapped,
		     struct secret *out, struct err *err);

/* ANSI X9.63 with SHA-256 of a secret that was agreed on. */
RESULT wrap_derive(struct crypto *c, struct span shared, struct span info, uint8_t *out,
		   size_t out_len, struct err *err);

#endif
