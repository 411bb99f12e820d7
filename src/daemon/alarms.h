/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator should know before it hurts, as events:
 *
 *	ca.expiring  a certificate of a CA or RA ends within 30, 7 or 1 days: one event each
 *	crl.stale    a revocation list is not renewed, or was never made
 *	crl.fresh    it is again
 */
#ifndef DAEMON_ALARMS_H
#define DAEMON_ALARMS_H

#include "daemon/server.h"

/* What is remembered from one look to the next. One thread's. */
struct alarms {
	struct buf missing; /* owned: names of lists that were not there, each with its end */
};

#define ALARMS_NONE ((struct alarms){ BUF_INIT })
void alarms_clear(struct alarms *a);

/* Looks at everything once. A list that was never made is one at the second look only. */
void alarms_look(struct alarms *a, struct server *s);

#endif
