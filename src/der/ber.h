/* SPDX-License-Identifier: Apache-2.0 */
/* BER as devices really send it (Apple: indefinite lengths, constructed strings) turned into DER.
 */
#ifndef DER_BER_H
#define DER_BER_H

#include "base/buf.h"

struct ber_limits {
	size_t depth;    /* nesting */
	size_t elements; /* in all */
	size_t bytes;    /* of input */
};

#define BER_LIMITS_DEFAULT ((struct ber_limits){ 32, 4096, 1u << 20 })

/*
 * Appends in DER form the one element that fills ber: definite minimal lengths; constructed
 * OCTET STRING joined to primitive ones, also under an IMPLICIT [0] in EncryptedContentInfo
 * (context-class constructed whose children are all OCTET STRINGs is NOT joined here: the CMS
 * codec, which knows the type, asks for it with ber_join_octets()). SET order stays as received.
 * *was_der is true when the input was DER already (then nothing is appended: use the input).
 * Trailing bytes: ERR_SYNTAX.
 */
RESULT ber_to_der(struct span ber, const struct ber_limits *limits, struct buf *out, bool *was_der,
		  struct err *err);

/* The same within BER_LIMITS_DEFAULT, appended in any case: a message that stands for itself. */
RESULT ber_put_der(struct span ber, struct buf *out, struct err *err);

/* Content of an OCTET STRING given as TLV content of primitive, or a run of OCTET STRINGs. */
RESULT ber_join_octets(struct span constructed_content, struct buf *out, struct err *err);

#endif
