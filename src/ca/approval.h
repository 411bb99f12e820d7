/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's word on a request that waits. The certificate is made when the last approval that
 * is needed comes, by the configuration of then, and committed together with it; the device hears
 * of it when it asks again.
 */
#ifndef CA_APPROVAL_H
#define CA_APPROVAL_H

#include "ca/enrol.h"
#include "store/request.h"

struct approval {
	const struct store_request *request;
	const struct enrol_policy *policy; /* of the request's endpoint */
	const struct authority_ca *ca;
	const char *actor;
	const struct log *log;
};

/*
 * *issued: this was the last one. ERR_CONFLICT: the request does not wait any more, this actor has
 * approved it already, or its endpoint serves another CA or profile now. ERR_BAD_TEMPLATE,
 * ERR_BAD_ALG: the profile does not allow it any more. ERR_KEY_BLOCKED. c: the calling thread's.
 */
RESULT approval_grant(const struct enrol_context *ctx, struct crypto *c, const struct approval *a,
		      bool *issued, struct err *err);
/* reason: what the device is told; may be empty. policy and ca are not needed. */
RESULT approval_reject(const struct enrol_context *ctx, const struct approval *a,
		       const char *reason, struct err *err);

#endif
