/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of what the admin API has, and of what each role may do. */
#ifndef ADMIN_ROUTE_H
#define ADMIN_ROUTE_H

#include "admin/call.h"

struct admin_route {
	enum http_method method;
	const char *path; /* a star stands for one part of it, which is the call's argument */
	admin_call_fn *fn;
	int status;     /* of a success */
	unsigned roles; /* one of which an operator must have */
};

/* *arg: what stands for the star. ERR_NOT_FOUND: no such path. ERR_BAD_REQUEST: not by this method.
 */
RESULT admin_route_find(const struct http_request *req, const struct admin_route **out,
			struct span *arg, struct err *err);
/* NULL behind the last one. */
const struct admin_route *admin_route_at(size_t i);

#endif
