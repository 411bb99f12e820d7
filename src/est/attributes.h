/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CsrAttrs: what a server wants to find in a PKCS#10 request (RFC 7030 4.5.2), in the old form of
 * single attributes and in that of a template (RFC 9908 3.4), which who knows it prefers. Pure.
 */
#ifndef EST_ATTRIBUTES_H
#define EST_ATTRIBUTES_H

#include "base/buf.h"
#include "pki/alg.h"

#define EST_SUBJECT_MAX 32

struct est_name_part {     /* an attribute of the subject */
	struct span type;  /* OID octets */
	struct span value; /* the string that it is to have, whole; empty: the device's choice */
};

struct est_attributes {
	bool link;         /* identity and proof of possession (RFC 7030 3.5) */
	enum key_kind key; /* KEY_NONE: of any kind */
	unsigned bits;     /* of an RSA key, at least; 0: any */
	struct est_name_part subject[EST_SUBJECT_MAX];
	size_t n_subject;
	bool san; /* a subjectAltName */
};

bool est_attributes_are_empty(const struct est_attributes *a);
/* Appends CsrAttrs with both forms. */
void est_attributes_put(struct buf *out, const struct est_attributes *a);
/* What nobody knows is passed over (RFC 7030 4.5.2). The spans are views of der. */
RESULT est_attributes_parse(struct span der, struct est_attributes *out, struct err *err);

#endif
