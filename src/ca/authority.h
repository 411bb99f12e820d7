/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certification authorities of this server with their keys: read from the store, keys opened at
 * the keeper. A snapshot: immutable and reference-counted; a change makes a new one, which the
 * daemon swaps in. Thread-safe.
 *
 * A CA has generations of keys. One is in charge at a time; which, is a matter of the clock alone,
 * so that the next takes over without anybody doing anything. Those before it go on telling what
 * has become of their certificates; the one after it may be asked already for certificates that
 * are valid from then on.
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

/* A CA in one generation of its keys. */
struct authority_ca {
	char name[STORE_NAME_MAX];
	unsigned generation;
	int64_t begins;   /* when it takes over from the one before; 0: there was none */
	bool began;       /* that it did is on record */
	bool awaits_next; /* a request for the certificate of the one after it is under way */
	unsigned planned; /* number of the one after it, usable or not; 0: there is none */
	unsigned last;    /* the highest number that the CA has given to a generation */
	/* the generations around it, as far as their keys are there; NULL: none is */
	const struct authority_ca *before;
	const struct authority_ca *next;
	struct ca_identity ca;
	struct buf *chain; /* owned: DER of the CAs above, from the CA upwards */
	size_t n_chain;
	/* owned: cross certificates with the one before (RFC 4210 4.4); empty: there are none */
	struct buf new_with_old;
	struct buf old_with_new;
	struct buf ca_ski; /* 20 octets or the certificate's SKI */
	bool has_ra;
	struct ca_identity
	    ra_sign; /* equal to ra_encrypt where one certificate does both: see ra_one */
	struct ca_identity ra_encrypt;
	bool ra_one;             /* ra_encrypt is empty, ra_sign does both */
	struct ca_identity ocsp; /* key NULL: no responder yet (ca/responder.h) */
};

/* Whoever signs SCEP replies, and whoever decrypts requests: the RA, else the CA. */
const struct ca_identity *authority_ca_signer(const struct authority_ca *ca);
const struct ca_identity *authority_ca_decrypter(const struct authority_ca *ca);

/* From when on are its certificates valid? */
int64_t authority_ca_valid_from(const struct authority_ca *ca);
/* Is there anything that it has signed and that may still be valid? */
bool authority_ca_is_alive(const struct authority_ca *ca, int64_t now);
/*
 * Who issues what was asked of this generation: it does, as long as its certificate lasts; from
 * then on, the one that is in charge.
 */
const struct authority_ca *authority_ca_issuer(const struct authority_ca *asked, int64_t now);
/*
 * The number of the oldest generation for which ca issues: its own, or that of one before it that
 * has ended. 0: of all before it.
 */
unsigned authority_ca_answers_from(const struct authority_ca *ca, int64_t now);
/* The generation of that number of the same CA; NULL: there is none. */
const struct authority_ca *authority_ca_sibling(const struct authority_ca *ca, unsigned generation);

struct authority;

/* A CA whose keys are not all there costs no other: authority_fault() says what is wrong. */
RESULT authority_load(struct authority **out, struct store *store, struct keeper_client *keeper,
		      struct err *err);
struct authority *authority_ref(struct authority *a);
void authority_unref(struct authority *a);
/*
 * The CA of that name in the generation that is in charge at that time. Borrowed from the snapshot;
 * NULL: there is none, or its keys are missing.
 */
const struct authority_ca *authority_find(const struct authority *a, const char *name, int64_t now);
/* Why authority_find() has none: borrowed from the snapshot, or static. */
const char *authority_why_none(const struct authority *a, const char *name);
/* The CA's oldest generation, from which `next` leads through all; NULL: there is none of it. */
const struct authority_ca *authority_oldest(const struct authority *a, const char *name);
/* Has the CA that generation, whether its keys are at hand or not? 0: any at all. */
bool authority_knows(const struct authority *a, const char *name, unsigned generation);
size_t authority_count(const struct authority *a);
/* CA i by name, and what is wrong with it: "" where nothing is. */
const char *authority_name(const struct authority *a, size_t i);
const char *authority_fault(const struct authority *a, size_t i);

struct authority_init {
	const char *name;
	const char *subject; /* text */
	struct key_spec ca_key;
	const char *ca_store; /* see keeper_generate_in; NULL: as configured */
	int64_t ca_validity;  /* seconds */
	int64_t max_leaf_validity;
	bool has_ra;
	bool ra_split; /* separate signing and encryption certificates */
	struct key_spec ra_key;
	const char *ra_store;
	int64_t ra_validity;
	/* a CA above signs its certificate (authority_import): ca_validity is for that one to say,
	   and what is made is a request */
	bool subordinate;
	const char *actor; /* for the event */
};
/* Makes keys (at the keeper), certificates and the record of a new CA. */
RESULT authority_create(struct store *store, struct keeper_client *keeper, struct crypto *c,
			const struct clock *clock, const struct authority_init *init,
			struct err *err);

#endif
