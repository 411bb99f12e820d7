/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads, about one a processor, that answer what a server puts up on its board. Under load
 * they hardly ever sleep.
 */
#ifndef KEEPER_DESK_H
#define KEEPER_DESK_H

#include "base/log.h"
#include "keeper/keyring.h"

struct desk;

/* memory: a board's, stays the caller's. n threads, 1..128. `ring` must outlive the desk. */
RESULT desk_new(struct desk **out, int memory, struct keyring *ring, unsigned n,
		const struct log *log, struct err *err);
/* No more requests are taken; does not wait for those under way. */
void desk_close(struct desk *d);
/* Closes it and waits. */
void desk_free(struct desk *d);
DEFINE_CLEANUP(struct desk, desk_free)

#endif
