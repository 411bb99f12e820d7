/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a child may still ask of the kernel: whoever takes one over can neither start a program nor
 * look into another process, and the keeper can open no socket, or no
 * listening one where tokens hold its keys. A filter on system calls (seccomp),
 * for all threads to come; it cannot be taken off again.
 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include "base/err.h"

enum sandbox_role {
	SANDBOX_SERVER,
	SANDBOX_KEEPER,
	SANDBOX_KEEPER_TOKENS, /* may open connections, as to a token's daemon, but take none */
};

/*
 * Needs no_new_privs. What is forbidden fails with EPERM. ERR_BAD_REQUEST: this kernel or this
 * machine has no filter to offer, and nothing was done.
 */
RESULT sandbox_enter(enum sandbox_role role, struct err *err);

#endif
