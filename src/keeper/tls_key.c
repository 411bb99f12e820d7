/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/tls_key.h"

#include <stdio.h>

#include "base/hex.h"

#define PREFIX "tls-"
#define ID_OCTETS 28 /* what fits a key id of 63 characters, and is no less than SHA-224 */

enum result keeper_tls_key_id(struct crypto *c, struct span spki, char id[KEEPER_TLS_ID_MAX],
			      struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	BUF hex = BUF_INIT;

	TRY(crypto_digest(c, DIGEST_SHA256, &spki, 1, digest, err));
	hex_put(&hex, span_of(digest, ID_OCTETS));
	TRY(buf_check(&hex, err));
	(void)snprintf(id, KEEPER_TLS_ID_MAX, PREFIX "%.*s", (int)hex.len, (const char *)hex.data);
	return OK;
}

bool keeper_id_is_tls(struct span id)
{
	return span_eq(span_sub(id, 0, sizeof(PREFIX) - 1), SPAN_LIT(PREFIX));
}
