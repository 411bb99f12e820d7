/* SPDX-License-Identifier: Apache-2.0 */
/* What a TLS server signs in a handshake, told apart from all else that a key could be made to
 * sign. */
#ifndef KEEPER_RULE_TLS_H
#define KEEPER_RULE_TLS_H

#include "base/buf.h"
#include "base/err.h"

/*
 * TLS 1.3: the content of a server's CertificateVerify (RFC 8446 4.4.3). TLS 1.2: both randoms and
 * ServerECDHParams (RFC 8422 5.4). Anything else: ERR_DENIED. Pure.
 */
RESULT rule_tls_check(struct span message, struct err *err);
/* Such a content of no handshake, for who wants to see whether a key can be used. */
RESULT rule_tls_put_trial(struct buf *out, struct err *err);

#endif
