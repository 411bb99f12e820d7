/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

/* Appends base64 (RFC 4648 4) with padding; width > 0 breaks lines with \n after that many columns.
 */
void base64_put(struct buf *out, struct span bytes, size_t width);

/*
 * Appends the decoded bytes. White space is skipped, '-' and '_' (URL alphabet) mean '+' and '/',
 * padding may be missing. Anything else: ERR_SYNTAX, naming the offset.
 */
RESULT base64_parse(struct span text, struct buf *out, struct err *err);

#endif
