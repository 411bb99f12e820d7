/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of RSA as PKCS#1 v1.5 pads them (RFC 8017). */
#ifndef PKI_PKCS1_H
#define PKI_PKCS1_H

#include "base/secret.h"
#include "pki/alg.h"

/* DigestInfo (9.2), whose parameters are NULL. */
void pkcs1_put_digest_info(struct buf *out, enum digest_alg alg, struct span digest);
/*
 * 00 01 ff .. ff 00 <DigestInfo>, as long as a modulus of `size` octets (9.2): what a signature is
 * when it is raised to the public exponent. ERR_LIMIT: the modulus is too short for it.
 */
RESULT pkcs1_put_signed(struct buf *out, size_t size, enum digest_alg alg, struct span digest,
			struct err *err);
/* 00 02 <8 or more random octets, none zero> 00 <plain> (7.2.1). ERR_LIMIT: plain is too long. */
RESULT pkcs1_put_encrypted(struct buf *out, size_t size, struct span plain, struct err *err);

#define PKCS1_KEY_MAX 32 /* no content cipher has a longer key */

/*
 * Content key out of an RSA block as decrypted, 00 02 <8 or more non-zero octets> 00 <key> (RFC
 * 8017 7.2.2), by implicit rejection: where the form is wrong, or the key empty or longer than any
 * cipher's, key keeps the PKCS1_KEY_MAX random octets that the caller put there and that length is
 * returned. What follows then fails like any wrong key (RFC 3218 2.3.2), and neither result, time
 * nor memory accesses tell who asks whether the padding was right (Bleichenbacher's oracle).
 * OpenSSL does as much only from 3.2 on, and with a length of its own choice.
 * block: as long as the modulus, PKCS1_KEY_MAX octets at the least.
 */
size_t pkcs1_unpad(struct span block, uint8_t key[PKCS1_KEY_MAX]);
/* The same with random octets of its own. */
RESULT pkcs1_open(struct span block, struct secret *out, struct err *err);

#endif
