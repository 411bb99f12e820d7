/* SPDX-License-Identifier: Apache-2.0 */
/* One channel's requests, answered one after the other in the calling thread. */
#ifndef KEEPER_ANSWER_H
#define KEEPER_ANSWER_H

#include "base/log.h"
#include "keeper/keyring.h"

/* Until the other side closes or breaks the wire's rules. Has a crypto of its own meanwhile. */
void answer_run(struct keyring *ring, int channel, const struct log *log);

#endif
