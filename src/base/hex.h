/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include "base/buf.h"

/* Appends lower-case hexadecimal digits. */
void hex_put(struct buf *out, struct span bytes);
/* Appends the bytes; colons, spaces and either case are accepted. ERR_SYNTAX otherwise. */
RESULT hex_parse(struct span text, struct buf *out, struct err *err);

#endif
