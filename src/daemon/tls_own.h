/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS certificates that the server issues to itself: by a CA and a profile of its own, on record
 * like a device's, and renewed in their last third without a restart.
 */
#ifndef DAEMON_TLS_OWN_H
#define DAEMON_TLS_OWN_H

#include "daemon/server.h"

/*
 * Renews what is due, as far as the CAs are there; failures are logged and what there is stays.
 * From any thread.
 */
void tls_own_renew_all(struct server *s);

#endif
