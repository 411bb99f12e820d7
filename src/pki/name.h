/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Distinguished names (RFC 5280 4.1.2.4). A name travels as its DER; this reads it, prints it
 * (RFC 4514), makes it from text and compares it leniently (RFC 5280 7.1). Pure.
 */
#ifndef PKI_NAME_H
#define PKI_NAME_H

#include "base/buf.h"
#include "der/reader.h"

#define NAME_RDN_MAX 64
#define NAME_VALUE_MAX 1024

struct name_attr {
	struct span type;  /* OID content octets */
	uint8_t tag;       /* string type as sent */
	struct span value; /* content octets as sent */
	struct span whole; /* AttributeTypeAndValue with tag */
	unsigned rdn;      /* index of the RDN that it is part of */
};

struct name_iter {
	struct der_reader rdns;
	struct der_reader set;
	unsigned rdn;
};

/* Checks the whole name: structure, at most NAME_RDN_MAX attributes, values within NAME_VALUE_MAX.
 */
RESULT name_check(struct span der, struct err *err);
bool name_is_empty(struct span der);

void name_iter_init(struct name_iter *it, struct span der);
/* false at the end or where the DER is malformed (call name_check first). */
bool name_next(struct name_iter *it, struct name_attr *out);

/* Any DirectoryString, IA5String, BMPString, UniversalString or T61String (as Latin-1) to UTF-8. */
RESULT name_value_utf8(uint8_t tag, struct span value, struct buf *out, struct err *err);

/* "CN=router7,O=Example" (RFC 4514: last RDN first), escaped, appended. */
RESULT name_put_text(struct buf *out, struct span der, struct err *err);
/*
 * From text, either RFC 4514 ("CN=a,O=b": as written, most specific first) or OpenSSL's
 * "/O=b/CN=a". Types by short name (CN, O, OU, C, L, ST, DC, UID, serialNumber, emailAddress...) or
 * dotted OID. Encodes UTF8String; C and serialNumber PrintableString; DC and emailAddress
 * IA5String.
 */
RESULT name_parse_text(const char *text, struct buf *out_der, struct err *err);

/* Same attributes in the same order; string types, case and inner spaces do not matter. */
bool name_equal(struct span a, struct span b);
/* As name_equal, but RDNs in any order (some devices reverse them). */
bool name_equal_unordered(struct span a, struct span b);
/*
 * Octets that are the same for names that name_equal_unordered() takes for equal, to count or find
 * by. ERR_LIMIT: more than twice NAME_RDN_MAX attributes.
 */
RESULT name_put_key(struct buf *out, struct span der, struct err *err);
/* First CN as UTF-8; ERR_NOT_FOUND if there is none. */
RESULT name_common_name(struct span der, struct buf *out, struct err *err);
/* Short name of an attribute type ("CN"), or NULL. And the type of a short name; SPAN_NONE if
 * unknown. */
const char *name_type_text(struct span type);
struct span name_type_parse(const char *text);

#endif
