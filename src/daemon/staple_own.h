/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP stapling of TLS certificates that a CA of this server has issued: the response is made by
 * that CA's responder in this process, as who asks it by HTTP is answered.
 */
#ifndef DAEMON_STAPLE_OWN_H
#define DAEMON_STAPLE_OWN_H

#include "daemon/server.h"

/*
 * Looks at every listener with TLS: staples what is said now of its certificate, or takes the
 * staple away where it is switched off. c: the calling thread's. Not with s->tls_lock held.
 */
void staple_own_all(struct server *s, struct crypto *c);

#endif
