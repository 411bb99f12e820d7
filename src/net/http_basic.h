/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials of HTTP Basic authentication (RFC 7617). Pure. */
#ifndef NET_HTTP_BASIC_H
#define NET_HTTP_BASIC_H

#include "base/buf.h"

/*
 * header: the value of Authorization. name and password are views of *decoded, which is the
 * caller's to wipe. ERR_DENIED: nothing was said, another scheme, or no name:password.
 */
RESULT http_basic_parse(struct span header, struct buf *decoded, struct span *name,
			struct span *password, struct err *err);

#endif
