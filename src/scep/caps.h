/* SPDX-License-Identifier: Apache-2.0 */
/* GetCACaps (RFC 8894 3.5.2): a set of keywords. Lines are compared whole, without case. Pure. */
#ifndef SCEP_CAPS_H
#define SCEP_CAPS_H

#include "base/buf.h"

enum scep_cap {
	SCEP_CAP_AES = 1 << 0,
	SCEP_CAP_DES3 = 1 << 1,
	SCEP_CAP_GET_NEXT_CA_CERT = 1 << 2,
	SCEP_CAP_POST = 1 << 3,
	SCEP_CAP_RENEWAL = 1 << 4,
	SCEP_CAP_SHA1 = 1 << 5,
	SCEP_CAP_SHA256 = 1 << 6,
	SCEP_CAP_SHA512 = 1 << 7,
	SCEP_CAP_STANDARD = 1 << 8, /* implies AES, POST, SHA-256 */
	SCEP_CAP_SHA384 = 1 << 9,
};

/* Unknown lines and empty ones are ignored. SCEPStandard sets what it implies. */
uint32_t scep_caps_parse(struct span text);
void scep_caps_put(struct buf *out, uint32_t caps);

#endif
