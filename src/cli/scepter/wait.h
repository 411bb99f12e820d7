/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting, with a word to whoever watches at a terminal: for a key that is made, and for a
 * certificate that the CA does not give at once. */
#ifndef CLI_SCEPTER_WAIT_H
#define CLI_SCEPTER_WAIT_H

#include "client/device.h"

/* As device_open_key: one that is not there yet is made, which takes its time. */
RESULT wait_for_key(struct device *d, const char *path, const char *type, bool *made,
		    struct err *err);

/*
 * Asks (poll: only polls), and again with growing pauses while the CA says "later" and patience (in
 * seconds) lasts.
 */
RESULT wait_for_cert(struct device *d, int64_t patience, bool poll, struct err *err);

#endif
