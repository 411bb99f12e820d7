/* SPDX-License-Identifier: Apache-2.0 */
/* The CAs whose client certificates a listener trusts. Immutable once filled. */
#ifndef NET_TLS_TRUST_H
#define NET_TLS_TRUST_H

#include <openssl/ssl.h>

#include "base/err.h"
#include "base/span.h"

#define TLS_TRUST_DEPTH 4 /* CAs between a client's certificate and one that is trusted */

struct tls_trust;

/* Trusts nobody yet. */
RESULT tls_trust_new(struct tls_trust **out, struct err *err);
void tls_trust_free(struct tls_trust *t);
DEFINE_CLEANUP(struct tls_trust, tls_trust_free)
/* The certificates of a PEM file, at least one. */
RESULT tls_trust_add_file(struct tls_trust *t, const char *path, struct err *err);
RESULT tls_trust_add_der(struct tls_trust *t, struct span der, struct err *err);
/* A reference of its own. */
X509_STORE *tls_trust_store(const struct tls_trust *t);
/*
 * For one connection, which keeps what it needs of it. tell: the client hears the CAs' names, and
 * may then keep a certificate of another to itself. False: no memory.
 */
MUST_USE bool tls_trust_apply(const struct tls_trust *t, bool tell, SSL *ssl);

#endif
