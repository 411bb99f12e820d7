/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening sockets: opened before privileges are dropped and kept by the parent, so that a
 * restarted server goes on with them. Those that systemd passes (Sockets named like a listener, or
 * "admin", or "metrics") are taken instead of opened.
 */
#ifndef DAEMON_LISTEN_H
#define DAEMON_LISTEN_H

#include "config/config.h"

struct listen_set {
	int fds[CONFIG_LISTENERS_MAX]; /* in the configuration's order */
	size_t n;
	int admin;
	bool admin_is_ours; /* the path is removed at the end */
	int metrics;
	bool metrics_is_ours;
};

#define LISTEN_SET_NONE ((struct listen_set){ .admin = -1, .metrics = -1 })

/* ERR_CONFIG: an address cannot be had, or a socket was passed that nothing wants. */
RESULT listen_open(struct listen_set *out, const struct config *config, struct err *err);
void listen_close(struct listen_set *set);
/* A line each of where is listened, with the port that was found where 0 was asked for. */
void listen_log(const struct listen_set *set, const struct config *config, const struct log *log);

#endif
