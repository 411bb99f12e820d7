/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The children's side of supervision. Parent and child share a control socket: the parent writes
 * commands, the child one byte when it is ready; its end means that the other has gone. The
 * children ignore the signals that end or reload the daemon: those are the parent's, which a
 * terminal or service manager sends to all alike.
 */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <stdatomic.h>

#include "config/config.h"
#include "daemon/listen.h"
#include "daemon/log_relay.h"
#include "daemon/secrets.h"

enum process_command { PROCESS_RELOAD = 'r', PROCESS_DRAIN = 'd' };
enum process_report { PROCESS_READY = 'R' };

enum process_role { PROCESS_KEEPER, PROCESS_SERVER, PROCESS_ROLES };

/* What the parent tells all: memory that they share and only it writes. */
struct process_board {
	_Atomic uint64_t starts[PROCESS_ROLES]; /* how often each was started */
};

/* What a child is given. All borrowed. */
struct process_context {
	const char *config_path;
	const struct config *config;
	struct listen_set *listeners;      /* the server closes them when it has copies */
	const struct process_board *board; /* lives as long as the process */
	const struct secrets *secrets;
	int control;
	int intro; /* the child's end of the introduction socket */
	pid_t parent;
	int relay; /* lines of the other processes come out of it; -1: no outputs */
	struct log_sink *sink;
	struct log log;
};

/* Each runs until the control socket says so; then OK. */
typedef enum result process_fn(const struct process_context *ctx, struct err *err);
enum result process_keeper(const struct process_context *ctx, struct err *err);
enum result process_server(const struct process_context *ctx, struct err *err);

#endif
