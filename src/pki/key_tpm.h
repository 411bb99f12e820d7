/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of a TPM 2.0, by OpenSSL's provider for it (tpm2-openssl). One connection for the process,
 * used by one thread at a time; made anew when the TPM, or what is between, went away. A key is a
 * blob that the TPM encrypted for itself (PEM, "TSS2 PRIVATE KEY"), or a handle under which it
 * keeps the key. Thread-safe.
 */
#ifndef PKI_KEY_TPM_H
#define PKI_KEY_TPM_H

#include "pki/key_evp.h"

struct key_tpm;

/*
 * tcti: how the TPM is reached, as tss2-tctildr has it: "device:/dev/tpmrm0". Asks nothing of it
 * yet. Sets environment variables of the process, which has one thread still.
 */
RESULT key_tpm_new(struct key_tpm **out, const char *tcti, struct err *err);
void key_tpm_free(struct key_tpm *t);
DEFINE_CLEANUP(struct key_tpm, key_tpm_free)

/* What follows gives ERR_BUSY where there is no TPM, or it refuses. */
RESULT key_tpm_generate(struct key_tpm *t, struct key_spec spec, struct buf *blob, struct err *err);

/* One of both. Borrowed. */
struct key_tpm_ref {
	struct span blob;
	const char *handle; /* "0x81000001" */
};
RESULT key_tpm_public(struct key_tpm *t, const struct key_tpm_ref *key, struct buf *spki,
		      struct err *err);
/* RSA and EC keys; as key_sign, of a digest. */
RESULT key_tpm_sign(struct key_tpm *t, const struct key_tpm_ref *key, struct sig_alg alg,
		    struct span digest, struct buf *out, struct err *err);
/* As key_decrypt; the TPM looks at the padding, and a random key stands for one that is wrong. */
RESULT key_tpm_decrypt(struct key_tpm *t, const struct key_tpm_ref *key,
		       const struct transport_alg *alg, struct span cipher, struct secret *out,
		       struct err *err);

#endif
