/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/client: a key that an EST server makes (RFC 7030 4.4). */
#ifndef CLIENT_DEVICE_EST_KEY_H
#define CLIENT_DEVICE_EST_KEY_H

#include "client/device_state.h"

/* Attributes for the request, appended: none, unless the key is wanted encrypted. */
RESULT device_est_key_put_attrs(const struct device *d, struct buf *out, struct err *err);
/* body: of the answer. The key into d->key and its file, what comes with it into *certs. */
RESULT device_est_key_take(struct device *d, struct span body, struct buf *certs, struct err *err);

#endif
