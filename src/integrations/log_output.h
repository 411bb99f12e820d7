/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where log lines and events go besides standard error: journald, or a syslog collector. Each
 * output has a thread of its own and a bounded queue before it: who logs never waits. Lines that
 * find the queue full are dropped, counted, and the number logged. Events are not queued: the
 * thread fetches them from the store in their order, and waits with them for a collector that is
 * away.
 */
#ifndef INTEGRATIONS_LOG_OUTPUT_H
#define INTEGRATIONS_LOG_OUTPUT_H

#include "base/log.h"
#include "integrations/syslog.h"
#include "net/sender.h"
#include "store/store.h"

enum log_output_kind { LOG_OUTPUT_JOURNALD, LOG_OUTPUT_SYSLOG };

struct log_output_config { /* strings borrowed */
	enum log_output_kind kind;
	struct sender_config to; /* of LOG_OUTPUT_SYSLOG */
	unsigned facility;
	unsigned enterprise; /* see struct syslog_origin */
	bool events;         /* events, too */
};

struct log_output;

/* log: for what is to be said of the output itself. Starts the thread. */
RESULT log_output_new(struct log_output **out, const struct log_output_config *config,
		      const struct log *log, struct err *err);
/* From now on the events that come, if the output takes events. */
RESULT log_output_set_store(struct log_output *o, struct store *store, struct err *err);
/* Sends the events that are there, if it can, and needs the store no more. */
void log_output_unset_store(struct log_output *o);
/* Sends the lines that are there, if it can, and ends the thread. Nobody may log to it any more. */
void log_output_close(struct log_output *o);

/* A log_tap_fn (base/log.h): ctx is the output. */
void log_output_take(void *ctx, struct span line);

#endif
