/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls the admin API? */
#ifndef ADMIN_ACCESS_H
#define ADMIN_ACCESS_H

#include "admin/call.h"

/*
 * Fills the call's actor, roles and origin. ERR_DENIED: nobody whom we know. ERR_TOO_MANY: too many
 * wrong logins from there. ERR_BUSY, ERR_IO: not now.
 */
RESULT admin_access_identify(struct admin_call *call, const struct admin_gate *gate,
			     struct err *err);
/* The HTTP status of a refusal by it. */
int admin_access_status(const struct admin_call *call, enum result r);
/* What an HTTPS client must be told with it: how to say who it is. */
void admin_access_challenge(const struct admin_call *call, int status, struct http_reply *reply);
/* Was anything shown that could be wrong? Else it is no failed login. */
bool admin_access_was_tried(const struct admin_call *call);

/* A login that failed, or was not looked at after too many: as the rules for anomalies see it. */
void admin_access_failed(const struct admin_call *call, const struct admin_gate *gate);

/* Each writes an event. */
RESULT admin_access_record_act(const struct admin_call *call, struct err *err);
void admin_access_record_refusal(const struct admin_call *call, const struct err *why);

#endif
