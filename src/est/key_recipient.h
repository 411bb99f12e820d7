/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/est: to which of a device's keys a private key is encrypted, and how (RFC 7030
 * 4.4.1): to a public key that it has shown, or with one that it shares with the server.
 */
#ifndef EST_KEY_RECIPIENT_H
#define EST_KEY_RECIPIENT_H

#include "est/exchange.h"
#include "pki/cms_enveloped.h"

struct est_key_recipient {
	struct cms_envelop how; /* cipher, transport, wrap */
	struct span id;         /* as the request has it; a view */
	struct pubkey *key;     /* NULL: a shared key... */
	struct secret shared;   /* ...this one */
};
void est_key_recipient_clear(struct est_key_recipient *to);

/* Does the request name one? */
bool est_key_recipient_is_named(const struct est_exchange *x);
/*
 * Which, and by what its SMIMECapabilities say that it can decrypt. ERR_BAD_REQUEST: none that we
 * know; ERR_BAD_ALG: nothing of ours.
 */
RESULT est_key_recipient_find(const struct est_exchange *x, struct est_key_recipient *out,
			      struct err *err);

#endif
