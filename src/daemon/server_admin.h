/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin API asks of the server: its endpoints, its CAs, and to read them anew. */
#ifndef DAEMON_SERVER_ADMIN_H
#define DAEMON_SERVER_ADMIN_H

#include "daemon/server.h"

/* Fills s->admin; store, keeper, audit and log must be set. */
void server_admin_init(struct server *s);

#endif
