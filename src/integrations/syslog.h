/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Syslog messages (RFC 5424) of log lines and of events, both given as the JSON objects that they
 * are elsewhere (base/log.h, audit/record.h). Pure.
 */
#ifndef INTEGRATIONS_SYSLOG_H
#define INTEGRATIONS_SYSLOG_H

#include <jansson.h>

#include "base/buf.h"

#define SYSLOG_HOST_MAX 256
/* There is no number of ours: the one for documentation (RFC 5612). */
#define SYSLOG_ENTERPRISE 32473

struct syslog_origin {
	unsigned facility;   /* RFC 5424 6.2.1: 0 to 23 */
	unsigned enterprise; /* RFC 5424 7.2.2: of the names of structured data */
	char host[SYSLOG_HOST_MAX];
	int pid;
};

/* "daemon" "auth" "authpriv" "local0" to "local7"; a negative number: none of them. */
int syslog_facility(const char *name);

/* Appends a message: the fields as structured data, the line's text as MSG. */
RESULT syslog_put_line(const struct syslog_origin *o, const json_t *line, struct buf *out,
		       struct err *err);
/* The same of an event; MSG is its JSON as in an export, so that it can be verified. */
RESULT syslog_put_event(const struct syslog_origin *o, const json_t *event, struct buf *out,
			struct err *err);
/* Severity of a log line (RFC 5424 6.2.1). */
unsigned syslog_severity(const json_t *line);

#endif
