/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper process: the only holder of private keys. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "base/log.h"

struct keeper_tls_keys; /* keeper/tls_key.h */

struct keeper_config {
	const char *directory;                  /* of <id>.key (PKCS#8 PEM, 0600) and <id>.rule */
	const struct keeper_tls_keys *tls_keys; /* NULL: none */
	int intro_fd;
	int stop_fd; /* readable (or EOF): end */
	struct log log;
};

/* Serves until stop_fd says so. Loads all keys first; a broken one is ERR_CONFIG with its path. */
RESULT keeper_run(const struct keeper_config *config, struct err *err);

#endif
