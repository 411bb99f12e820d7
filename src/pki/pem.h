/* SPDX-License-Identifier: Apache-2.0 */
/* PEM armour (RFC 7468). Pure. */
#ifndef PKI_PEM_H
#define PKI_PEM_H

#include "base/buf.h"

/* Appends -----BEGIN label----- ... in 64 columns. */
void pem_put(struct buf *out, const char *label, struct span der);
/*
 * The next block labelled `label` from *text on, its bytes appended to out; *text moves behind it.
 * ERR_NOT_FOUND when there is none.
 */
RESULT pem_next(struct span *text, const char *label, struct buf *out, struct err *err);

#endif
