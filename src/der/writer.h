/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DER onto the end of a struct buf. A constructed element is opened and closed; the length is put
 * in when it closes. Memory failure shows in buf_check() at the end.
 *
 *	size_t seq = der_open(&b, DER_SEQUENCE);
 *	der_put_uint(&b, 1);
 *	der_close(&b, seq);
 */
#ifndef DER_WRITER_H
#define DER_WRITER_H

#include "base/buf.h"
#include "der/tag.h"

/* Returns the mark that der_close wants. */
size_t der_open(struct buf *out, uint8_t tag);
void der_close(struct buf *out, size_t mark);
/* Closes a SET OF: its elements, written in any order, are sorted as DER wants (X.690 11.6). */
void der_close_set_of(struct buf *out, size_t mark);

void der_put_tlv(struct buf *out, uint8_t tag, struct span content);
/* Tag and length of an element whose len octets of content go elsewhere. */
void der_put_header(struct buf *out, uint8_t tag, size_t len);
void der_put_uint(struct buf *out, uint64_t v);
/* Unsigned big-endian magnitude: leading zeros are dropped, a sign octet is put where needed. */
void der_put_magnitude(struct buf *out, struct span big_endian);
void der_put_bool(struct buf *out, bool v);
void der_put_null(struct buf *out);
/* Content octets of the OID, from der/oid.h. */
void der_put_oid(struct buf *out, struct span oid);
void der_put_octets(struct buf *out, struct span bytes);
void der_put_bits(struct buf *out, struct span bytes);
/* Bit 0 of v is named bit 0; trailing zero bits are dropped (X.690 11.2.2). */
void der_put_named_bits(struct buf *out, uint32_t v);
/* UTCTime until 2049, GeneralizedTime after (RFC 5280 4.1.2.5). */
void der_put_time(struct buf *out, int64_t t);
/* Where ASN.1 says GeneralizedTime (OCSP, invalidityDate), whatever the year. */
void der_put_generalized_time(struct buf *out, int64_t t);

#endif
