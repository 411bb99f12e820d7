/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of TLS that a CA of ours vouches for (client_authority), of a listener's own and of its
 * proxies'.
 */
#ifndef DAEMON_TLS_CLIENTS_H
#define DAEMON_TLS_CLIENTS_H

#include "daemon/server.h"

/*
 * Each such listener trusts the CA in all of its generations, as they are now; nobody while it is
 * not made. From any thread that does not hold s->tls_lock.
 */
void tls_clients_trust_all(struct server *s);

#endif
