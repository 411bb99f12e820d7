/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the server's requests reach the keeper: short ones over a board (keeper/board.h) that all
 * threads share, others as errands (keeper/errand.h). Both are handed over an introduction socket.
 * When the keeper dies, the requests under way fail; the next makes a new board, which the
 * restarted keeper picks up from the same introduction socket. Thread-safe.
 */
#ifndef KEEPER_POST_H
#define KEEPER_POST_H

#include "keeper/wire.h"

struct post;

/* intro_fd: one end of a SOCK_SEQPACKET pair, stays the caller's. timeout_ms: of a short request.
 */
RESULT post_new(struct post **out, int intro_fd, unsigned timeout_ms, struct err *err);
void post_free(struct post *p);

/*
 * The reply to a request, which points into `in`: a secret, perhaps. An error means that there was
 * no answer, whatever the reason; what the keeper refused stands in the reply.
 */
RESULT post_call(struct post *p, const struct keeper_request *req, struct buf *in,
		 struct keeper_reply *reply, struct err *err);

#endif
