/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/ca: requests that an endpoint does not grant by itself. */
#ifndef CA_ENROL_QUEUE_H
#define CA_ENROL_QUEUE_H

#include "ca/enrol_issue.h"

/* Is this one for an operator? A renewal is not: the certificate that it renews was. */
bool enrol_queue_is_for(const struct enrol_request *req);
/* ERR_CONFLICT: it waits already, or was granted meanwhile. */
RESULT enrol_queue_add(const struct enrol_decision *d, const struct profile_result *names,
		       struct enrol_outcome *out, struct err *err);
/*
 * What became of the transaction. ERR_NOT_FOUND: it was never queued, or granted, or (where `poll`
 * is not set) it expired, which leaves the device free to ask again.
 */
RESULT enrol_queue_answer(const struct enrol_decision *d, bool poll, struct enrol_outcome *out,
			  struct err *err);

#endif
