/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of the keeper: keys that live in the keeper process behind struct key.
 *
 * An introduction socket joins the two processes; keeper/post.h says how requests go. A key may be
 * used from any thread. When the keeper dies, the requests under way get ERR_BUSY, and the next one
 * waits for the restarted keeper.
 */
#ifndef KEEPER_CLIENT_H
#define KEEPER_CLIENT_H

#include "base/histogram.h"
#include "keeper/rule.h"
#include "pki/key_evp.h"

struct keeper_client;

/* intro_fd: one end of a SOCK_SEQPACKET pair, stays the caller's. timeout_ms: of one operation. */
RESULT keeper_client_new(struct keeper_client **out, int intro_fd, unsigned timeout_ms,
			 struct err *err);
void keeper_client_free(struct keeper_client *k);
DEFINE_CLEANUP(struct keeper_client, keeper_client_free)

/*
 * Makes a key with its rule, durable when OK. id: [a-z0-9-]{1,63}; ERR_CONFLICT if there is one.
 * store: "file", or the URI of a token (token/token.h) or of a key in it, which is then used; NULL:
 * where the keeper's configuration says.
 */
RESULT keeper_generate_in(struct keeper_client *k, const char *id, const char *store,
			  struct key_spec spec, const struct key_rule *rule, struct err *err);
/* The same where that other key is. */
RESULT keeper_generate_beside(struct keeper_client *k, const char *id, const char *other,
			      struct key_spec spec, const struct key_rule *rule, struct err *err);
/* The same where the configuration says. */
RESULT keeper_generate(struct keeper_client *k, const char *id, struct key_spec spec,
		       const struct key_rule *rule, struct err *err);
/*
 * The same for the next generation of the CA's key `before`: it gets that one's rule, and the keys
 * of all generations may certify each other.
 */
RESULT keeper_succeed(struct keeper_client *k, const char *id, struct key_spec spec,
		      const char *before, struct err *err);
/* A key that is there; ERR_NOT_FOUND. Thread-safe to use; must be freed before the client. */
RESULT keeper_key_open(struct key **out, struct keeper_client *k, const char *id, struct err *err);
/* Round trip, for readiness. */
RESULT keeper_ping(struct keeper_client *k, struct err *err);

/* How long the keeper took to answer, by what was asked of it. */
struct keeper_client_calls {
	const char *call; /* static: "ping", "decrypt", "sign-certificate"... */
	struct histogram took;
};
/* i: from 0 on. False: there is no such. */
bool keeper_client_calls(const struct keeper_client *k, size_t i, struct keeper_client_calls *out);
/* How many calls got no answer. */
uint64_t keeper_client_unanswered(const struct keeper_client *k);

#endif
