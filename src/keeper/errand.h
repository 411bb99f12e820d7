/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that is long, or takes long, with a channel and a thread of the keeper for itself: a
 * key to be made, a list of a million entries to be signed. One thread.
 */
#ifndef KEEPER_ERRAND_H
#define KEEPER_ERRAND_H

#include "keeper/wire.h"

struct errand;

/* Sends the request; with req->more the rest of its payload is still to come. */
RESULT errand_new(struct errand **out, int intro_fd, const struct keeper_request *req,
		  struct err *err);
/* More of the payload. */
RESULT errand_send(const struct errand *e, struct span piece, struct err *err);
/* Waits for the reply, which points into `in`. */
RESULT errand_end(const struct errand *e, struct buf *in, struct keeper_reply *reply,
		  struct err *err);
void errand_free(struct errand *e);
DEFINE_CLEANUP(struct errand, errand_free)

#endif
