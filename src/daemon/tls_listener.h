/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS of one listener: its certificate here, its private key in the keeper. One that the server
 * issues to itself (tls_own.h) has a key that the keeper made; until its CA is there, a stand-in
 * with which every handshake fails.
 */
#ifndef DAEMON_TLS_LISTENER_H
#define DAEMON_TLS_LISTENER_H

#include "config/config.h"
#include "keeper/client.h"
#include "net/tls.h"

struct tls_listener;

/*
 * The keeper client must outlive it. ERR_CONFIG: the key file does not fit the certificate. A key
 * that is away with its token is no error: see tls_listener_away().
 */
RESULT tls_listener_open(struct tls_listener **out, const struct config_listener *l,
			 struct keeper_client *keeper, struct err *err);
void tls_listener_free(struct tls_listener *t);
DEFINE_CLEANUP(struct tls_listener, tls_listener_free)
/*
 * Takes a renewed certificate and key, and what is asked of clients, for connections to come; where
 * all is the same, nothing changes. On failure the old ones stay, as they do where the new key is
 * away. One thread at a time.
 */
RESULT tls_listener_renew(struct tls_listener *t, const struct config_listener *l,
			  struct keeper_client *keeper, bool *renewed, struct err *err);
/*
 * The CAs of l->client_authority, DER; where they are those that are trusted already, nothing
 * changes. Not while another thread renews it.
 */
RESULT tls_listener_trust(struct tls_listener *t, const struct span *cas, size_t n,
			  struct err *err);
/* Why its key cannot be used, and every handshake fails; "": it can, as far as is known. */
const char *tls_listener_away(const struct tls_listener *t);
/*
 * Sees whether it can be used now: one that was never there is opened (as by tls_listener_renew()),
 * any other signs something. True: it is another one now, whose clients nobody trusts yet.
 */
bool tls_listener_try(struct tls_listener *t, const struct config_listener *l,
		      struct keeper_client *keeper, struct crypto *c);
/* DER of the certificate; empty: a stand-in. */
struct span tls_listener_cert(const struct tls_listener *t);
/* DER of what stands behind it in its file; empty: nothing. */
struct span tls_listener_issuer(const struct tls_listener *t);

/* What is stapled to the certificate, as far as was tried. */
enum tls_listener_staple {
	TLS_LISTENER_NO_STAPLE,
	TLS_LISTENER_STAPLED,
	TLS_LISTENER_STAPLED_REVOKED,
	TLS_LISTENER_UNSTAPLED, /* there is no new one; the last goes on until its time is over */
};
/*
 * The response is put in place unless the state is UNSTAPLED; dropped at `until`. True: the state
 * is another than it was for this certificate. Not while another thread renews it.
 */
bool tls_listener_staple(struct tls_listener *t, enum tls_listener_staple state,
			 struct span response, int64_t until);
/* The keeper's key of a listener with a certificate of its own, made if there is none. */
RESULT tls_listener_own_key(const struct config_listener *l, struct keeper_client *keeper,
			    struct key **out, struct err *err);
/* Borrowed; NULL for NULL. */
struct tls_server *tls_listener_get(const struct tls_listener *t);

/* Would all listeners' certificates and keys do? Reads the key files itself: for --check. */
RESULT tls_listener_check(const struct config *config, struct err *err);

#endif
