/* SPDX-License-Identifier: Apache-2.0 */
/* A published revocation list: a file mapped into memory. Immutable, reference-counted. */
#ifndef CA_CRL_FILE_H
#define CA_CRL_FILE_H

#include "pki/crl.h"
#include "store/revocation.h"

struct crl_file {
	struct span der;
	struct store_crl record;
	uint8_t sha256[STORE_HASH];
};

/* Maps path and digests it; the record stays empty. ERR_NOT_FOUND: there is no such file. */
RESULT crl_file_open(struct crl_file **out, const char *path, struct crypto *c, struct err *err);
struct crl_file *crl_file_ref(struct crl_file *f);
/* From any thread. */
void crl_file_unref(struct crl_file *f);
DEFINE_CLEANUP(struct crl_file, crl_file_unref)

/*
 * Reads it as a verifier would: structure, each entry, signature, and that it says what the record
 * does. ERR_INTERNAL naming what disagrees.
 */
RESULT crl_file_check(const struct crl_file *f, const struct store_crl *record, struct span spki,
		      struct crypto *c, struct err *err);

#endif
