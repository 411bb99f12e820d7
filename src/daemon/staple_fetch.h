/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP stapling of TLS certificates of other CAs (tls.ocsp_stapling: fetch): a thread of its own
 * asks the responder that the certificate names, by HTTP, and again when half of the response's
 * time is over. Neither an event loop nor a worker waits for it.
 */
#ifndef DAEMON_STAPLE_FETCH_H
#define DAEMON_STAPLE_FETCH_H

#include "daemon/server.h"

struct staple_fetch;

/* Begins at once. The server must outlive it. */
RESULT staple_fetch_start(struct staple_fetch **out, struct server *server, struct err *err);
/* Waits for a responder that is being asked, five seconds at most. */
void staple_fetch_free(struct staple_fetch *f);
DEFINE_CLEANUP(struct staple_fetch, staple_fetch_free)

#endif
