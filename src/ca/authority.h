/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certification authorities of this server with their keys: read from the store, keys opened at
 * the keeper. A snapshot: immutable and reference-counted; a change makes a new one, which the
 * daemon swaps in. Thread-safe.
 */
#ifndef CA_AUTHORITY_H
#define CA_AUTHORITY_H

#include "keeper/client.h"
#include "pki/cert.h"
#include "store/store.h"

struct ca_identity {      /* a certificate and its key */
	struct buf der;   /* owned */
	struct cert cert; /* a view of der */
	struct key *key;  /* owned */
	char key_id[STORE_NAME_MAX];
};

struct authority_ca {
	char name[STORE_NAME_MAX];
	unsigned generation;
	struct ca_identity ca;
	struct buf ca_ski; /* 20 octets or the certificate's SKI */
	bool has_ra;
	struct ca_identity
	    ra_sign; /* equal to ra_encrypt where one certificate does both: see ra_one */
	struct ca_identity ra_encrypt;
	bool ra_one;             /* ra_encrypt is empty, ra_sign does both */
	struct ca_identity ocsp; /* key NULL: no responder yet (ca/responder.h) */
	unsigned ocsp_generation;
};

/* Whoever signs SCEP replies, and whoever decrypts requests: the RA, else the CA. */
const struct ca_identity *authority_ca_signer(const struct authority_ca *ca);
const struct ca_identity *authority_ca_decrypter(const struct authority_ca *ca);

struct authority;

RESULT authority_load(struct authority **out, struct store *store, struct keeper_client *keeper,
		      struct err *err);
struct authority *authority_ref(struct authority *a);
void authority_unref(struct authority *a);
/* Borrowed from the snapshot; NULL if there is none of that name. */
const struct authority_ca *authority_find(const struct authority *a, const char *name);
size_t authority_count(const struct authority *a);
const struct authority_ca *authority_at(const struct authority *a, size_t i);

struct authority_init {
	const char *name;
	const char *subject; /* text */
	struct key_spec ca_key;
	int64_t ca_validity; /* seconds */
	int64_t max_leaf_validity;
	bool has_ra;
	bool ra_split; /* separate signing and encryption certificates */
	struct key_spec ra_key;
	int64_t ra_validity;
	const char *actor; /* for the event */
};
/* Makes keys (at the keeper), certificates and the record of a new CA. */
RESULT authority_create(struct store *store, struct keeper_client *keeper, struct crypto *c,
			const struct clock *clock, const struct authority_init *init,
			struct err *err);

#endif
