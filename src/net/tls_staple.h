/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OCSP response that goes with a server's certificate to clients that ask for one (RFC 6066 8),
 * as long as it is in time. Thread-safe: an event loop hands out what another thread has put.
 */
#ifndef NET_TLS_STAPLE_H
#define NET_TLS_STAPLE_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/span.h"

struct tls_staple;

/* Empty. It is to outlive the connections made of ctx. */
RESULT tls_staple_new(struct tls_staple **out, SSL_CTX *ctx, struct err *err);
void tls_staple_free(struct tls_staple *s);
/* In place of what is there; until: when it is to be dropped (clock_now()). Empty: none. */
RESULT tls_staple_put(struct tls_staple *s, struct span response, int64_t until, struct err *err);

#endif
