/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS listeners whose private key is away with its token: their handshakes fail, the other
 * listeners go on, and an alarm says so (tls.unavailable) until the key is back (tls.available).
 */
#ifndef DAEMON_TLS_WATCH_H
#define DAEMON_TLS_WATCH_H

#include "daemon/server.h"

/* Tries those again whose key was away. Not with s->tls_lock held. */
void tls_watch_look(struct server *s);

/* Why listener i has no key; false: it has one, or needs none. */
MUST_USE bool tls_watch_is_away(struct server *s, size_t i, char why[ERR_TEXT_MAX]);

#endif
