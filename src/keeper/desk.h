/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A few threads, about one a processor, that answer the short requests of all channels: whoever is
 * free takes the next channel that has something to say. Under load they hardly ever sleep.
 */
#ifndef KEEPER_DESK_H
#define KEEPER_DESK_H

#include "base/log.h"
#include "keeper/keyring.h"

struct desk;

/* `ring` must outlive it. n threads, 1..128. */
RESULT desk_new(struct desk **out, struct keyring *ring, unsigned n, const struct log *log,
		struct err *err);
/* Ends the threads and closes the channels. */
void desk_free(struct desk *d);
DEFINE_CLEANUP(struct desk, desk_free)

/* Takes the channel over, also when it fails: ERR_LIMIT beyond its room. Any thread. */
RESULT desk_add(struct desk *d, int channel, struct err *err);

#endif
