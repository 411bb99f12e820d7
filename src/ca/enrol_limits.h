/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/ca: a request that may enrol, against the limits and quotas of its endpoint. */
#ifndef CA_ENROL_THROTTLE_H
#define CA_ENROL_THROTTLE_H

#include "ca/enrol_issue.h"

/*
 * Takes from the rates, and puts into d the quotas that its commit is to count. ERR_TOO_MANY: a
 * rate is used up.
 */
RESULT enrol_limits_check(struct enrol_decision *d, const struct profile_result *names,
			  struct err *err);
/* For what an operator has approved: counted, whatever the quota. */
RESULT enrol_limits_count(struct enrol_decision *d, const struct profile_result *names,
			  struct err *err);

#endif
