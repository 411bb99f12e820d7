/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to serverkeygen (RFC 7030 4.4.2): multipart/mixed of a private key, bare or in an
 * envelope, and the certificate. Pure.
 */
#ifndef EST_KEY_REPLY_H
#define EST_KEY_REPLY_H

#include "base/buf.h"

#define EST_BOUNDARY "scepter-est-key-and-certificate"
#define EST_TYPE_KEY_REPLY "multipart/mixed; boundary=" EST_BOUNDARY

struct est_key_reply {
	bool encrypted;   /* key is CMS EnvelopedData; else PKCS#8 PrivateKeyInfo */
	struct span key;  /* DER */
	struct span cert; /* DER of the SignedData, certificates only */
};

void est_key_reply_put(struct buf *out, const struct est_key_reply *reply);

/* The same as received, in any order of its parts: DER appended to key and certs. */
RESULT est_key_reply_parse(struct span body, bool *encrypted, struct buf *key, struct buf *certs,
			   struct err *err);

#endif
