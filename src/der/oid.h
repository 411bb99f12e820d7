/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OBJECT IDENTIFIERs that Scepter knows, as content octets. OID_* are spans; oid_text() gives the
 * dotted form of any, oid_parse() the octets of a dotted one, oid_name() the field's name for a
 * known one ("sha256WithRSAEncryption") or NULL.
 */
#ifndef DER_OID_H
#define DER_OID_H

#include "base/buf.h"

/* Of one that is read, or parsed from text. */
#define OID_OCTETS_MAX 64

struct oid_entry {
	struct span oid;
	const char *name;
};

/* X(identifier, octets, name): the list is der/oid_list.h */
#define X(id, octets, name) extern const struct span OID_##id;
#include "der/oid_list.h"
#undef X

const char *oid_name(struct span oid);
/* Dotted text into out. ERR_LIMIT from oid_parse: longer than OID_OCTETS_MAX. */
void oid_put_text(struct buf *out, struct span oid);
RESULT oid_parse(const char *dotted, struct buf *out, struct err *err);

#endif
