/* SPDX-License-Identifier: Apache-2.0 */
/* What SignedData and EnvelopedData have in common (RFC 5652 3, 10.2.4). Pure; for src/pki only. */
#ifndef PKI_CMS_H
#define PKI_CMS_H

#include "base/buf.h"
#include "der/reader.h"

/* ContentInfo of that type, into the SEQUENCE that it holds. ERR_BAD_REQUEST for another type. */
RESULT cms_read_content_info(struct span der, struct span type, const char *what,
			     struct der_reader *inner, struct err *err);

/* ContentInfo, being written: whole, its [0], and the SEQUENCE that it holds. */
struct cms_open {
	size_t info;
	size_t explicit;
	size_t content;
};
struct cms_open cms_open(struct buf *out, struct span type);
void cms_close(struct buf *out, struct cms_open o);

/* IssuerAndSerialNumber; serial as INTEGER content octets. */
RESULT cms_read_issuer_serial(struct der_reader *r, struct span *issuer, struct span *serial,
			      struct err *err);
void cms_put_issuer_serial(struct buf *out, struct span issuer, struct span serial);

#endif
