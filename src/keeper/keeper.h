/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper process: the only holder of private keys. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "base/log.h"
#include "keeper/keyring.h"

struct keeper_config {
	struct keyring_config keys;
	int intro_fd;
	int stop_fd; /* readable (or EOF): end */
	struct log log;
};

/* Serves until stop_fd says so. Loads all keys first; a broken one is ERR_CONFIG with its path. */
RESULT keeper_run(const struct keeper_config *config, struct err *err);

#endif
