/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate of the store as the API shows it. */
#ifndef ADMIN_CERT_JSON_H
#define ADMIN_CERT_JSON_H

#include <jansson.h>

#include "store/revocation.h"

json_t *admin_cert_json(const struct store_cert *c, bool with_pem);
/* {"status": "good"}, or "hold" or "revoked" with reason and time. */
json_t *admin_cert_status_json(const struct store_status *status);

#endif
