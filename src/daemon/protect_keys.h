/* SPDX-License-Identifier: Apache-2.0 */
/* scepterd --protect-keys: every key file of the keeper's under the configured passphrase. */
#ifndef DAEMON_PROTECT_KEYS_H
#define DAEMON_PROTECT_KEYS_H

#include "config/config.h"

/* old: where the passphrase was before, as in the configuration; NULL: keys were plain. Prints. */
RESULT protect_keys(const struct config *config, const char *old, struct err *err);

#endif
