/* SPDX-License-Identifier: Apache-2.0 */
/* Is the device on the endpoint's allow-list? */
#ifndef CA_ENROL_DEVICE_H
#define CA_ENROL_DEVICE_H

#include "ca/enrol_auth.h"

/*
 * By what the request says of it (ca/device.h). auth->device is set where the entry is good once
 * and is to be used up. ERR_DENIED: it is not, or another transaction has used the entry up.
 */
RESULT enrol_device_check(const struct enrol_context *ctx, const struct enrol_request *req,
			  struct enrol_auth *auth, struct err *err);

#endif
