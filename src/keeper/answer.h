/* SPDX-License-Identifier: Apache-2.0 */
/* Requests answered in the calling thread, with a crypto and copies of the keys of its own. */
#ifndef KEEPER_ANSWER_H
#define KEEPER_ANSWER_H

#include "base/log.h"
#include "keeper/board.h"
#include "keeper/keyring.h"

struct answer;

RESULT answer_new(struct answer **out, struct keyring *ring, const struct log *log,
		  struct err *err);
void answer_free(struct answer *a);
DEFINE_CLEANUP(struct answer, answer_free)

/*
 * Waits for the channel's next request, of any kind, and replies. ERR_IO: the other side has
 * closed; anything else but OK: it broke the wire's rules, and the channel is of no more use.
 */
RESULT answer_one(struct answer *a, int channel, struct err *err);

/* Answers what stands in that place, in any case. Slow requests are refused there. */
void answer_place(struct answer *a, struct board *b, unsigned place);

#endif
