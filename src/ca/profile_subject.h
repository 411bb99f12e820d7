/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile makes of the subject asked for. Pure. */
#ifndef CA_PROFILE_SUBJECT_H
#define CA_PROFILE_SUBJECT_H

#include "ca/profile.h"

/*
 * The Name for the certificate: attributes that are taken keep their encoding, their order and
 * their RDN. ERR_BAD_TEMPLATE.
 */
RESULT profile_subject(const struct profile *p, struct span asked, struct buf *out,
		       struct err *err);

#endif
