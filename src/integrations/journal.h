/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines and events to journald, each field one of the journal's: SCEPTER_TRANSACTIONID=... */
#ifndef INTEGRATIONS_JOURNAL_H
#define INTEGRATIONS_JOURNAL_H

#include <jansson.h>

#include "base/err.h"

/* ERR_IO: journald does not take it, or is not there. Thread-safe. */
RESULT journal_send_line(const json_t *line, struct err *err);
RESULT journal_send_event(const json_t *event, struct err *err);

#endif
