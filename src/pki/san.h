/* SPDX-License-Identifier: Apache-2.0 */
/* GeneralNames, as subjectAltName uses them (RFC 5280 4.2.1.6). Pure. */
#ifndef PKI_SAN_H
#define PKI_SAN_H

#include "base/buf.h"
#include "der/reader.h"

enum san_kind {
	SAN_OTHER_NAME = 0,
	SAN_EMAIL = 1,
	SAN_DNS = 2,
	SAN_X400 = 3,
	SAN_DIRECTORY = 4,
	SAN_EDI = 5,
	SAN_URI = 6,
	SAN_IP = 7,
	SAN_RID = 8,
	SAN_UPN = 16, /* otherName userPrincipalName, told apart for profiles */
};

struct san {
	enum san_kind kind;
	/* email, DNS, URI: IA5 text; IP: 4 or 16 octets; UPN: UTF-8; directory: the Name;
	   RID: octets of the OID; others: content */
	struct span value;
	struct span whole; /* the GeneralName */
};

#define SAN_MAX 256

/* value: content of extnValue, a GeneralNames SEQUENCE. Checks forms: DNS and email IA5, IP 4 or 16
 * octets. */
RESULT san_check(struct span value, struct err *err);
RESULT san_begin(struct span value, struct der_reader *list, struct err *err);
bool san_next(struct der_reader *list, struct san *out);

const char *san_kind_name(
    enum san_kind kind); /* "DNS" "IP" "URI" "email" "UPN" "dirName" "RID" "otherName" */
/* Text of the value alone: "router7.example", "192.0.2.1". */
RESULT san_put_text(struct buf *out, const struct san *san, struct err *err);
/*
 * "DNS:router7.example", "IP:192.0.2.1", "URI:..", "email:..", "UPN:..", "RID:1.2.3",
 * "dirName:CN=a": one GeneralName appended.
 */
RESULT san_parse_text(const char *text, struct buf *out, struct err *err);
/* Same names, in any order; DNS and email domain without case. Values as for san_check. */
bool san_equal(struct span a, struct span b);

#endif
