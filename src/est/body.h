/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EST bodies on the wire: DER in base64, whatever Content-Transfer-Encoding says (RFC 8951 3.1).
 * Any lines are read, and so are PEM and bare DER, which the field sends as well. Pure.
 */
#ifndef EST_BODY_H
#define EST_BODY_H

#include "base/buf.h"

#define EST_TYPE_PKCS10 "application/pkcs10"
#define EST_TYPE_CERTS "application/pkcs7-mime; smime-type=certs-only"
#define EST_TYPE_CSRATTRS "application/csrattrs"
#define EST_TYPE_CMC "application/pkcs7-mime"
#define EST_TYPE_CMC_REQUEST "application/pkcs7-mime; smime-type=CMC-request"
#define EST_TYPE_CMC_RESPONSE "application/pkcs7-mime; smime-type=CMC-response"

/* *der is a view of body, or of *decoded. ERR_SYNTAX: neither DER nor base64 of it. */
RESULT est_body_read(struct span body, struct buf *decoded, struct span *der, struct err *err);
enum est_lines { EST_LINES_64, EST_LINES_NONE };
void est_body_put(struct buf *out, struct span der, enum est_lines lines);
/* Is that the media type, whatever its parameters and its case? Both without them. */
bool est_body_is(struct span content_type, const char *type);

#endif
