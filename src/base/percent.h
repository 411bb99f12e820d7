/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding of URLs (RFC 3986 2.1). '+' is '+' in both directions. */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include "base/buf.h"

/* Appends the bytes; all that is not an unreserved character is encoded. */
void percent_put(struct buf *out, struct span bytes);
/* Appends the decoded bytes. A '%' without two digits: ERR_SYNTAX, naming the offset. */
RESULT percent_parse(struct span text, struct buf *out, struct err *err);

#endif
