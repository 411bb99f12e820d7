/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log outputs are the server's; the lines of the parent and of the keeper come to them over a
 * socket whose ends the parent keeps for a server that is restarted. Nobody waits for it: what
 * finds it full is on standard error alone.
 */
#ifndef DAEMON_LOG_RELAY_H
#define DAEMON_LOG_RELAY_H

#include "integrations/log_output.h"

struct log_relay {
	int in;  /* lines go in here... */
	int out; /* ...and come out here */
};

#define LOG_RELAY_NONE ((struct log_relay){ -1, -1 })

RESULT log_relay_open(struct log_relay *out, struct err *err);
void log_relay_close(struct log_relay *r);
/* A log_tap_fn (base/log.h): ctx is the struct log_relay. */
void log_relay_send(void *ctx, struct span line);

struct log_relay_reader;

/*
 * Gives the lines to all the outputs, in a thread of its own. fd: out of the relay, stays the
 * caller's; the array and the outputs must live on until the end.
 */
RESULT log_relay_start(struct log_relay_reader **out, int fd, struct log_output *const *outputs,
		       size_t n_outputs, struct err *err);
/* Takes the lines that are there, and ends the thread. */
void log_relay_stop(struct log_relay_reader *r);

#endif
