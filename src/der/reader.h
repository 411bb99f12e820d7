/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way in for ASN.1 from outside: a cursor over bytes that never reads past them. It takes
 * DER only; BER (indefinite lengths, constructed strings, long-form lengths) is first turned into
 * DER by ber_to_der() (der/ber.h), so that no reader above has to know.
 * Pure, no allocation, thread-safe. Errors are ERR_SYNTAX or ERR_LIMIT and name what was expected.
 */
#ifndef DER_READER_H
#define DER_READER_H

#include "base/err.h"
#include "base/span.h"
#include "der/tag.h"

struct der_reader {
	struct span rest; /* what is still to be read */
	uint8_t depth;    /* nesting so far, capped at DER_DEPTH_MAX */
};

#define DER_DEPTH_MAX 32

struct der_tlv {
	uint8_t tag;
	struct span content;
	struct span whole; /* with tag and length */
};

void der_reader_init(struct der_reader *r, struct span bytes);
bool der_at_end(const struct der_reader *r);
/* Is there a next element, and has it this tag? */
bool der_peek(const struct der_reader *r, uint8_t tag);

/* `what` names the field in errors: "tbsCertificate.serialNumber". */
RESULT der_read_any(struct der_reader *r, const char *what, struct der_tlv *out, struct err *err);
RESULT der_read(struct der_reader *r, uint8_t tag, const char *what, struct der_tlv *out,
		struct err *err);
/* Into a constructed element. */
RESULT der_enter(struct der_reader *r, uint8_t tag, const char *what, struct der_reader *inner,
		 struct err *err);
/* Trailing bytes are an error. */
RESULT der_end(const struct der_reader *r, const char *what, struct err *err);

/* Content of INTEGER: at least one octet, minimal form. Two's complement, big-endian. */
RESULT der_read_integer(struct der_reader *r, const char *what, struct span *out, struct err *err);
/* Non-negative INTEGER that fits. */
RESULT der_read_uint(struct der_reader *r, const char *what, uint64_t max, uint64_t *out,
		     struct err *err);
RESULT der_read_bool(struct der_reader *r, const char *what, bool *out, struct err *err);
/* Content octets of the OBJECT IDENTIFIER; compare with der/oid.h. */
RESULT der_read_oid(struct der_reader *r, const char *what, struct span *out, struct err *err);
/* BIT STRING with whole octets (unused bits = 0). */
RESULT der_read_bits(struct der_reader *r, const char *what, struct span *out, struct err *err);
/* Named bits: bit 0 of ASN.1 is bit 0 of *out; up to 32. */
RESULT der_read_named_bits(struct der_reader *r, const char *what, uint32_t *out, struct err *err);
/* UTCTime or GeneralizedTime as RFC 5280 4.1.2.5 wants them, in seconds since 1970. */
RESULT der_read_time(struct der_reader *r, const char *what, int64_t *out, struct err *err);

/*
 * Of an element of which only the beginning is there, as where it is read while it comes in: how
 * many octets its tag and length take, and how many its content will.
 */
RESULT der_read_header(struct span beginning, uint8_t tag, const char *what, size_t *header,
		       size_t *content, struct err *err);

/* One element that fills bytes to the end. */
RESULT der_read_whole(struct span bytes, uint8_t tag, const char *what, struct der_reader *inner,
		      struct err *err);

#endif
