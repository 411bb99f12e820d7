/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renewal (RFC 8894 2.5, RFC 7030 4.2.2): the current certificate in the place of a challenge. The
 * codec has checked that the request is signed with its key.
 */
#ifndef CA_ENROL_RENEWAL_H
#define CA_ENROL_RENEWAL_H

#include "ca/enrol_auth.h"

/*
 * Did this CA issue req->current, and may it be renewed now, for this key? ERR_BAD_CERT_ID: the CA
 * does not know it. ERR_DENIED: it does, but not so. The trace says which way it went.
 */
RESULT enrol_renewal_check(const struct enrol_context *ctx, const struct enrol_request *req,
			   const struct enrol_auth *auth, struct err *err);
/* The names that the next certificate is to have, against those of the current one. */
RESULT enrol_renewal_check_names(const struct enrol_request *req,
				 const struct profile_result *names, struct err *err);

#endif
