/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of RFC 5280 that a TBSCertificate must meet before it is signed. Pure.
 */
#ifndef PKI_LINT_H
#define PKI_LINT_H

#include "base/err.h"
#include "base/span.h"

/* ERR_BAD_TEMPLATE naming the first clause that is broken: "RFC 5280 4.1.2.2: serialNumber ...". */
RESULT lint_tbs(struct span tbs, struct err *err);
/*
 * RA certificate against how SCEP clients use it: signing needs digitalSignature, encryption
 * keyEncipherment and an RSA key (Windows and Intune loop otherwise).
 */
RESULT lint_ra(struct span cert_der, bool signs, bool decrypts, struct err *err);

#endif
