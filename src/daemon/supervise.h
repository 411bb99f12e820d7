/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: opens the listening sockets and the introduction socket, forks keeper and server,
 * and restarts the one that dies, after a pause that grows from failure to failure. SIGHUP reloads
 * the configuration, SIGTERM and SIGINT drain the server and then stop the keeper. Holds no secret
 * and reads nothing from the network. Tells systemd READY, RELOADING and STOPPING.
 */
#ifndef DAEMON_SUPERVISE_H
#define DAEMON_SUPERVISE_H

#include "config/config.h"

/*
 * Returns when all has ended: OK after a signal. A child that fails before the server was ever
 * ready ends all with its result. *config is a reference that this takes over.
 */
RESULT supervise_run(const char *config_path, const struct config *config, struct log_sink *sink,
		     struct err *err);

#endif
