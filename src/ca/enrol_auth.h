/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this device enrol? The challenge that it shows, or the certificate that it renews, against
 * the endpoint's policy.
 */
#ifndef CA_ENROL_AUTH_H
#define CA_ENROL_AUTH_H

#include "ca/enrol.h"

/* What a decision has to bind in its commit. */
struct enrol_auth {
	uint8_t binding[STORE_HASH];     /* in: what a one-time challenge is bound to */
	int64_t now;                     /* in */
	uint8_t current_key[STORE_HASH]; /* in: pubkey_hash() of the certificate that is renewed */
	bool one_time;                   /* out: the request showed the one-time challenge... */
	uint8_t hash[STORE_HASH]; /* out: ...with this hash; set also where it is then refused */
	bool fresh;               /* out: ...and nobody ever did before */
	bool has_credential;      /* out: a challenge, or an account's password, was right... */
	uint8_t credential[STORE_HASH]; /* out: ...of which this tells it from others */
	char reused[STORE_NAME_MAX];    /* out: handle of one that belongs to another; "": no */
	int64_t device;                 /* out: entry of the allow-list to use up; 0: none */
};

/* ERR_DENIED: no. ERR_BUSY, ERR_IO: cannot be told now. The trace says which way it went. */
RESULT enrol_auth_check(const struct enrol_context *ctx, struct crypto *c,
			const struct enrol_request *req, struct enrol_auth *auth, struct err *err);

#endif
