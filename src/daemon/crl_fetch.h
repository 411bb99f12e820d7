/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Revocation lists of other CAs that client_crl of a listener names by URL: threads of their own
 * fetch them by HTTP, at once and again ahead of their end, and what comes is kept below the data
 * directory (ca/foreign_crl.h). Neither an event loop nor a worker waits for it, nor do other lists
 * for a few that are slow.
 */
#ifndef DAEMON_CRL_FETCH_H
#define DAEMON_CRL_FETCH_H

#include "daemon/server.h"

struct crl_fetch;

/* Begins at once. The server must outlive it. */
RESULT crl_fetch_start(struct crl_fetch **out, struct server *server, struct err *err);
/* Gives up what is being fetched, within about a second. */
void crl_fetch_free(struct crl_fetch *f);
DEFINE_CLEANUP(struct crl_fetch, crl_fetch_free)

#endif
