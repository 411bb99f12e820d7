/* SPDX-License-Identifier: Apache-2.0 */
/* cacerts (RFC 7030 4.1): whom devices of this endpoint are to trust. Everyone may ask. */
#include "est/exchange.h"

void est_cacerts(struct est_exchange *x, struct http_reply *reply)
{
	struct span certs[] = { buf_span(&x->ca->ca.der) };

	est_reply_certs(x, certs, ARRAY_LEN(certs), reply);
}
