/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alarms: something that goes on, is an event when it begins and perhaps when it ends, and must not
 * be one again at each look or start. Part of the store (store/store.h), whose rules hold here too.
 */
#ifndef STORE_ALARM_H
#define STORE_ALARM_H

#include "store/store.h"

#define STORE_ALARM_MAX 256 /* octets of a name, its end included */

/* Adds the event, unless the alarm is raised already. *raised: was it now? One commit. */
RESULT store_raise_alarm(struct store *s, const char *name, const struct store_event *event,
			 bool *raised, struct err *err);
/* Adds the event that it is over, if it is raised. *ended: was it until now? One commit. */
RESULT store_end_alarm(struct store *s, const char *name, const struct store_event *event,
		       bool *ended, struct err *err);

#endif
