/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile makes of the subjectAltName asked for. Pure. */
#ifndef CA_PROFILE_SAN_H
#define CA_PROFILE_SAN_H

#include "ca/profile.h"

/*
 * Content of GeneralNames for the certificate (empty: no subjectAltName), each name as it was
 * encoded. exts: Extensions asked for. subject: of the certificate, for san_from_cn.
 * ERR_BAD_TEMPLATE.
 */
RESULT profile_san(const struct profile *p, struct span exts, struct span subject, struct buf *out,
		   struct err *err);

#endif
