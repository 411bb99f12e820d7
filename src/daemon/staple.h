/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCSP stapling of listeners' TLS certificates: what is known of one, and how it comes to its
 * listener. Where it comes from: staple_own.h, staple_fetch.h.
 */
#ifndef DAEMON_STAPLE_H
#define DAEMON_STAPLE_H

#include "daemon/server.h"

struct staple {
	struct buf cert;     /* whose; owned, like all here */
	struct buf issuer;   /* the next one in the listener's file; empty: none */
	enum result result;  /* of getting the response */
	struct err err;      /* why there is none */
	struct buf response; /* empty: none, and none is wanted */
	int64_t until;
	bool revoked; /* that is what it says */
};

void staple_clear(struct staple *staple);

/* With the certificate of listener i as it is now. False: it has none. */
MUST_USE bool staple_begin(struct staple *staple, struct server *s, size_t i);
/*
 * To the listener, if it still has that certificate; on failure what it has stays, as long as that
 * is in time. Logged where it is news. Not with s->tls_lock held, as the one above.
 */
void staple_finish(const struct staple *staple, struct server *s, const struct config *config,
		   size_t i);

/* The generation that has issued cert: by its name and its signature. NULL: none of ours. */
const struct authority_ca *staple_issuer(const struct authority *a, struct crypto *c,
					 const struct cert *cert);

#endif
