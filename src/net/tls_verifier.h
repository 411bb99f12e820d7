/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verifies the certificates of a TLS client that a proxy tells of, as a handshake of our own would:
 * the same depth, the same purpose. Thread-safe.
 */
#ifndef NET_TLS_VERIFIER_H
#define NET_TLS_VERIFIER_H

#include "base/err.h"
#include "base/span.h"

struct tls_verifier;

/* client_ca: PEM file of CAs to trust; NULL: nobody is, until tls_verifier_trust(). */
RESULT tls_verifier_new(struct tls_verifier **out, const char *client_ca, struct err *err);
void tls_verifier_free(struct tls_verifier *v);
/* In place of whom it trusts; on failure they stay. */
RESULT tls_verifier_load(struct tls_verifier *v, const char *client_ca, struct err *err);
RESULT tls_verifier_trust(struct tls_verifier *v, const struct span *cas, size_t n,
			  struct err *err);
/*
 * certs: DER, the client's own first, at least one. *verified: it leads to one that is trusted, for
 * TLS clients, and all of them are in validity now. ERR_SYNTAX: no certificates.
 */
RESULT tls_verifier_check(struct tls_verifier *v, const struct span *certs, size_t n,
			  bool *verified, struct err *err);

#endif
