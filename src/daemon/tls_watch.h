/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS listeners whose private key is in a token that is away: their handshakes fail, the other
 * listeners go on, and an alarm says so (tls.unavailable) until the key is back (tls.available).
 */
#ifndef DAEMON_TLS_WATCH_H
#define DAEMON_TLS_WATCH_H

#include "daemon/server.h"

/*
 * Tries the keys that were away at the last look; all: every one that is in a token. c: the calling
 * thread's. Not with s->tls_lock held.
 */
void tls_watch_look(struct server *s, struct crypto *c, bool all);

/* Why listener i cannot use its key; false: it can, or needs none. */
MUST_USE bool tls_watch_is_away(struct server *s, size_t i, char why[ERR_TEXT_MAX]);

#endif
