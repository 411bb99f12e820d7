/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Controls of CMC (RFC 5272 6): what a PKIData asks for, and what a PKIResponse says, beside
 * certification requests. Pure. Everything read is a view of the DER that it was read from.
 */
#ifndef CMC_CONTROL_H
#define CMC_CONTROL_H

#include "base/buf.h"
#include "der/reader.h"

#define CMC_CONTROLS_MAX 32

struct cmc_control { /* TaggedAttribute */
	uint32_t id; /* bodyPartID */
	struct span type;
	struct span values; /* content of SET OF AttributeValue */
};

struct cmc_controls {
	struct cmc_control list[CMC_CONTROLS_MAX];
	size_t n;
};

/* BodyPartID. 0 stands for the message itself, and no part of it may have it. */
RESULT cmc_read_body_part_id(struct der_reader *r, const char *what, uint32_t *out,
			     struct err *err);
/* controlSequence. */
RESULT cmc_controls_read(struct der_reader *r, struct cmc_controls *out, struct err *err);
/* The control of that type, of which there may be one; NULL: there is none. */
const struct cmc_control *cmc_control_find(const struct cmc_controls *controls, struct span type);
/* The control's only value, whole. what: its name, for errors. */
RESULT cmc_control_value(const struct cmc_control *control, const char *what, struct der_tlv *out,
			 struct err *err);
/*
 * The same of a control of that type, if it is there, whose value has that tag: its content. Not
 * there: *out as it was.
 */
RESULT cmc_control_content(const struct cmc_controls *controls, struct span type, uint8_t tag,
			   struct span *out, struct err *err);

/* One TaggedAttribute with one value (whole), appended. */
void cmc_control_put(struct buf *out, uint32_t id, struct span type, struct span value);
/* The same with a value of that tag and content, numbered ++*id; nothing where content is empty. */
void cmc_control_put_content(struct buf *out, uint32_t *id, struct span type, uint8_t tag,
			     struct span content);

/* ---- the values of some ---- */

struct cmc_get_cert {
	struct span issuer; /* Name; a GeneralName of another kind is ERR_BAD_REQUEST */
	struct span serial; /* INTEGER content octets */
};
RESULT cmc_get_cert_read(const struct cmc_control *control, struct cmc_get_cert *out,
			 struct err *err);

struct cmc_get_crl {
	struct span issuer;
	bool has_time;
	int64_t time;    /* the list that was the latest then */
	bool is_partial; /* asks for a list by its distribution point or its reasons */
};
RESULT cmc_get_crl_read(const struct cmc_control *control, struct cmc_get_crl *out,
			struct err *err);

struct cmc_revoke {
	struct span issuer;
	struct span serial;
	unsigned reason;       /* CRLReason */
	int64_t invalid_since; /* 0: not told */
	bool has_secret;
	struct span comment; /* UTF-8, as sent */
};
RESULT cmc_revoke_read(const struct cmc_control *control, struct cmc_revoke *out, struct err *err);

#endif
