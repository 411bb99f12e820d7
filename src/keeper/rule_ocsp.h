/* SPDX-License-Identifier: Apache-2.0 */
/* Is this what an OCSP responder signs: a ResponseData (RFC 6960 4.2.1)? Pure. */
#ifndef KEEPER_RULE_OCSP_H
#define KEEPER_RULE_OCSP_H

#include "base/err.h"
#include "base/span.h"

RESULT rule_ocsp_check(struct span message, struct err *err);

#endif
