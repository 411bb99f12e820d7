/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The character string types of ASN.1, read as Unicode: UTF8String, BMPString (with surrogate
 * pairs, as Windows sends them), UniversalString, T61String (as Latin-1, which is what is sent),
 * and the ASCII ones: PrintableString, IA5String, VisibleString, NumericString. These are taken
 * with any ASCII character in them, for devices put '@' and '_' into PrintableStrings. Pure.
 */
#ifndef DER_TEXT_H
#define DER_TEXT_H

#include "base/buf.h"
#include "der/tag.h"

#define DER_TEXT_END (-1)
#define DER_TEXT_BAD (-2)

bool der_text_is_string(uint8_t tag);

/*
 * The next character of *text, which moves on; DER_TEXT_END behind the last one, DER_TEXT_BAD where
 * the octets are none (malformed or over-long UTF-8, a lone surrogate, beyond U+10FFFF) or NUL,
 * and for a tag that is no string.
 */
int32_t der_text_next(uint8_t tag, struct span *text);

/* Appends the whole as UTF-8. `what` names the field in errors (ERR_SYNTAX). */
RESULT der_text_utf8(uint8_t tag, struct span text, const char *what, struct buf *out,
		     struct err *err);

#endif
