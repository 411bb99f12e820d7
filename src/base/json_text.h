/* SPDX-License-Identifier: Apache-2.0 */
/* The little of JSON (RFC 8259) that writing needs. Whole documents are jansson's work. */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include "base/buf.h"

/*
 * Appends the content of a JSON string, without its quotation marks. A byte that is no UTF-8 is
 * taken as Latin-1, so that the result is always JSON.
 */
void json_text_put(struct buf *out, struct span text);

#endif
