/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate of the store as the API shows it, and how it is asked for. */
#ifndef ADMIN_CERT_JSON_H
#define ADMIN_CERT_JSON_H

#include <jansson.h>

#include "admin/call.h"
#include "store/revocation.h"

/* Without what has become of it since. */
json_t *admin_cert_json(const struct store_cert *c, bool with_pem);
/* {"status": "good"}, or "hold" or "revoked" with reason and time. */
json_t *admin_cert_status_json(const struct store_status *status);
/* The serial number that the path ends in. ERR_BAD_REQUEST. */
RESULT admin_cert_read_serial(const struct admin_call *call, struct buf *out, struct err *err);
/* Adds its status to each of an array of what admin_cert_json makes. Not from within a call of the
 * store's. */
RESULT admin_cert_add_status(struct store *store, json_t *certs, struct err *err);

#endif
