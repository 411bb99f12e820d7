/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMIMECapabilities (RFC 8551 2.5.2, RFC 5753 8): what somebody can decrypt, of what we encrypt
 * with. Pure.
 */
#ifndef PKI_SMIME_CAPS_H
#define PKI_SMIME_CAPS_H

#include "pki/key_wrap.h"

struct smime_caps {
	bool has_transport;
	struct transport_alg transport; /* the first that was named */
	unsigned wraps;                 /* bits 1 << enum wrap_alg, alone or behind ECDH */
	enum cipher_alg cipher;         /* the strongest AES of them; CIPHER_NONE: none */
};

/* value: the SEQUENCE, whole. What is unknown in it is passed over. */
RESULT smime_caps_read(struct span value, struct smime_caps *out, struct err *err);
/* The strongest; WRAP_NONE: there is none. */
enum wrap_alg smime_caps_wrap(const struct smime_caps *caps);
/* All that we decrypt ourselves: RSA (PKCS#1 v1.5, OAEP), ECDH, AES and its key wrap. */
void smime_caps_put(struct buf *out);

#endif
