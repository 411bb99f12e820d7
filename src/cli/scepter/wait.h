/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for a certificate that the CA does not give at once. */
#ifndef CLI_SCEPTER_WAIT_H
#define CLI_SCEPTER_WAIT_H

#include "client/device.h"

/*
 * Asks (poll: only polls), and again with growing pauses while the CA says "later" and patience (in
 * seconds) lasts. A person at a terminal sees on standard error what is waited for.
 */
RESULT wait_for_cert(struct device *d, int64_t patience, bool poll, struct err *err);

#endif
