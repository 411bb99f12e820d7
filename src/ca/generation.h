/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/ca: the keys and certificates of one generation of a CA in the making. Nothing of
 * it counts before its record is in the store; keys that were made in vain are left behind.
 */
#ifndef CA_GENERATION_H
#define CA_GENERATION_H

#include "ca/authority.h"

#define GENERATION_BACKDATE 600 /* seconds: devices with a slow clock must take it too */

struct generation {
	/* who makes it, and what is wanted; all borrowed */
	struct keeper_client *keeper;
	struct crypto *c;
	int64_t now;
	const char *name; /* of the CA */
	unsigned number;
	struct span subject; /* of the CA; Name DER */
	struct key_spec ca_key;
	const char *ca_store; /* of a first one: see keeper_generate_in */
	bool has_ra;
	bool ra_split;
	struct key_spec ra_key;
	const char *ra_store;
	const char *ra_before; /* NULL, or id of the key beside which the RA's are made */
	int64_t ra_validity;
	/* what is made: one record after the other is filled, the CA's key first */
	struct store_ca record; /* owned */
	struct key *key;        /* owned: the CA's */
	struct cert cert;       /* the CA's; a view of the record */
};
void generation_clear(struct generation *g);

/* The CA's key: the first of its kind by that rule, else the successor of that key. */
RESULT generation_make_key(struct generation *g, const struct key_rule *rule, const char *before,
			   struct err *err);
/* The CA's certificate, signed by itself. */
RESULT generation_sign_self(struct generation *g, int64_t not_before, int64_t not_after,
			    struct err *err);
/* A PKCS#10 request for it, to a CA above. */
RESULT generation_request(struct generation *g, struct buf *out, struct err *err);
/* The registration authority's keys; then, once the CA has its certificate, theirs. */
RESULT generation_make_ra_keys(struct generation *g, struct err *err);
RESULT generation_sign_ras(struct generation *g, struct err *err);

/*
 * A new certificate for one of the registration authority's keys, which stays: with a record of
 * the same role, generation and key.
 */
RESULT generation_renew_ra(struct generation *g, struct store_ca_key *record, struct err *err);

/* Who signs. */
struct generation_signer {
	struct key *key;
	struct crypto *c;
	const struct cert *cert;
};

/*
 * A cross certificate (RFC 4210 4.4): what `of` says, a CA's certificate, by the key of another
 * generation.
 */
RESULT generation_cross(const struct generation_signer *by, const struct cert *of,
			int64_t not_before, struct buf *out, struct err *err);

/* "SHA-256 3f9a..." of a certificate, appended: for events and people. */
RESULT generation_put_fingerprint(struct crypto *c, struct span der, struct buf *out,
				  struct err *err);

#endif
