/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies that were made before, found by the request as it came, octet for octet, for a thread
 * that must not wait: an event loop answers by it without a worker. A reply is given out only
 * while nothing has changed of what it was made from. Bounded: a reply takes the place of whatever
 * was in its slot. Thread-safe.
 */
#ifndef OCSP_FRONT_H
#define OCSP_FRONT_H

#include "net/http.h"
#include "ocsp/cache.h"

struct ocsp_front;

/* What replies are made from, beside the request; read before anything else is. */
struct ocsp_front_state {
	int64_t now;
	uint64_t changes; /* of revocations: store_revocation_changes() */
	uint64_t epoch;   /* of configuration and authorities: rises when either is another one */
};

RESULT ocsp_front_new(struct ocsp_front **out, size_t slots, struct err *err);
void ocsp_front_free(struct ocsp_front *f);
DEFINE_CLEANUP(struct ocsp_front, ocsp_front_free)

/*
 * True: *reply holds the answer, and *endpoint the name of who gave it, borrowed until the reply
 * is cleared.
 */
bool ocsp_front_get(struct ocsp_front *f, const struct http_request *req,
		    const struct ocsp_front_state *state, struct http_reply *reply,
		    const char **endpoint);
/* Keeps a copy of the reply, if it is of use to others. said: what it says, of one certificate. */
void ocsp_front_put(struct ocsp_front *f, const struct http_request *req,
		    const struct ocsp_front_state *state, const char *endpoint,
		    const struct ocsp_said *said, const struct http_reply *reply);

#endif
