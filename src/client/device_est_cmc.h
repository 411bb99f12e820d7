/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/client: a Full PKI Request to an EST server (RFC 7030 4.3, RFC 5272). */
#ifndef CLIENT_DEVICE_EST_CMC_H
#define CLIENT_DEVICE_EST_CMC_H

#include "client/device_state.h"
#include "est/client.h"

/*
 * Asks for what the PKCS#10 request csr asks for; with d->pend_token for what has become of that.
 * The answer, whose certificates are not verified yet, is appended to certs. ERR_BUSY: see *wait.
 */
RESULT device_est_cmc_ask(struct device *d, struct span csr, struct buf *certs,
			  struct est_wait *wait, struct err *err);

#endif
