/* SPDX-License-Identifier: Apache-2.0 */
/* What devices of a make need of their endpoint, as data. Each setting can be overridden there. */
#ifndef SCEP_QUIRKS_H
#define SCEP_QUIRKS_H

#include <stdbool.h>
#include <stddef.h>

struct scep_habits {
	bool include_ca;     /* the CA certificate behind the issued one in CertRep */
	bool offer_post;     /* GetCACaps says POSTPKIOperation, and what implies it */
	bool require_nonce;  /* a request without senderNonce is refused */
	bool asked_validity; /* a shorter validity asked for, in Microsoft's attribute, is given */
};

/* Of a device that follows RFC 8894. */
extern const struct scep_habits scep_habits_default;

struct scep_quirks {
	const char *name; /* "cisco-ios" */
	struct scep_habits habits;
};

/* NULL: unknown. */
const struct scep_quirks *scep_quirks_find(const char *name);
/* Row i of the table; NULL behind the last. */
const struct scep_quirks *scep_quirks_at(size_t i);

#endif
