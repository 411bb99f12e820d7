/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must outlive the process: authorities and their key generations, certificates, transactions,
 * challenges, events. Operations are named after what they mean; SQL stays in this folder.
 *
 * Every function that changes something returns OK only when the change is durable. Changes go
 * through one writer thread, which commits many of them together; callers block meanwhile. All
 * functions are thread-safe. ERR_BUSY: locked or overloaded, try again; ERR_IO: disk full or file
 * corrupt. After either the store goes on by itself as soon as the cause is gone.
 *
 * Records read out are owned by the caller: clear them with the matching _clear. Callbacks hold a
 * connection and a snapshot of the file: they must be short and must not call the store.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

struct crypto; /* pki/crypto.h */
struct store;
struct store_quota;

#define STORE_NAME_MAX 64         /* names of CAs, endpoints, profiles, actors */
#define STORE_HASH 32             /* SHA-256 */
#define STORE_TRANSACTION_MAX 512 /* octets of a transactionID */
/*
 * What was asked for once and is asked for again, after its certificate has ended, has the first
 * transactionID, this, and more behind it. No PrintableString has it.
 */
#define STORE_SUCCEEDS '~'

struct store_options {
	const char *path; /* SQLite file, created with mode 0600 */
	unsigned readers; /* connections for reading; 0: 8 */
	unsigned busy_ms; /* how long to wait for a lock of another process; 0: 2000 */
	struct log log;
};

/*
 * Brings an older file to this program's schema. ERR_BUSY: another process has the store open.
 * ERR_CONFIG: the file is of a newer program, or no store.
 */
RESULT store_open(struct store **out, const struct store_options *options, struct err *err);
/* Ends the writer after what it has accepted. */
void store_close(struct store *s);
DEFINE_CLEANUP(struct store, store_close)

/* ---- events: the record of every decision ---- */

struct store_event {
	int64_t id; /* set by the store, rising */
	int64_t time;
	const char
	    *kind; /* "enrol.issued", "enrol.rejected", "ca.created", "challenge.created"... */
	const char *endpoint; /* NULL: none; the same for those below */
	struct span transaction;
	const char *ca;
	struct span serial;
	const char *actor;  /* who: peer address or operator */
	const char *reason; /* one line: why */
	const char *detail; /* JSON: the steps of the decision, in order */
	struct span hash;   /* set by the store: its place in the chain, see docs/audit.md */
};

/* The hash of an event that follows one with the hash prev (the first: zeros). Pure. */
RESULT store_event_hash(struct crypto *c, const uint8_t prev[STORE_HASH],
			const struct store_event *event, uint8_t out[STORE_HASH], struct err *err);

RESULT store_add_event(struct store *s, const struct store_event *event, struct err *err);

struct store_event_filter {
	struct span transaction; /* empty: any */
	int64_t after_id;        /* only later ones */
	unsigned limit;          /* 0: 100 */
	bool newest_first;
};
/* The callback's record is borrowed for the call. A result other than OK stops and is returned. */
typedef enum result store_event_fn(void *ctx, const struct store_event *event, struct err *err);
RESULT store_each_event(struct store *s, const struct store_event_filter *filter,
			store_event_fn *fn, void *ctx, struct err *err);

/* ---- authorities ---- */

enum store_key_role {
	STORE_KEY_CA,
	STORE_KEY_RA,
	STORE_KEY_RA_SIGN,
	STORE_KEY_RA_ENCRYPT,
	STORE_KEY_OCSP
};

struct store_ca_key {
	enum store_key_role role;
	unsigned generation;
	char key_id[STORE_NAME_MAX]; /* the keeper's name of the private key */
	struct buf cert;             /* owned */
};

/*
 * How a generation of a CA's keys comes and goes. The first of a CA that signed its own certificate
 * needs none of it.
 */
struct store_generation {
	unsigned number;
	int64_t begins;     /* when it takes over from the one before */
	int64_t began;      /* when it did; 0: not yet */
	struct buf request; /* owned: PKCS#10 whose certificate is awaited; empty: none is */
};

/* What else belongs to a generation. */
enum store_ca_cert_kind {
	STORE_CERT_CHAIN,        /* the CAs above, from the CA upwards */
	STORE_CERT_OLD_WITH_NEW, /* cross certificates (RFC 4210 4.4) with the generation before */
	STORE_CERT_NEW_WITH_OLD,
};

struct store_ca_cert {
	enum store_ca_cert_kind kind;
	unsigned generation;
	struct buf cert; /* owned */
};

#define STORE_CA_KEYS_MAX 64
#define STORE_CA_GENERATIONS_MAX 16
#define STORE_CA_CERTS_MAX 64

struct store_ca {
	char name[STORE_NAME_MAX];
	int64_t created;
	unsigned last_generation; /* the highest number given out; set by the store */
	struct store_ca_key keys[STORE_CA_KEYS_MAX]; /* by generation, then role */
	size_t n_keys;
	struct store_generation generations[STORE_CA_GENERATIONS_MAX];
	size_t n_generations;
	struct store_ca_cert certs[STORE_CA_CERTS_MAX];
	size_t n_certs;
};
void store_ca_clear(struct store_ca *ca);
/* The generation's record; NULL: it needs none. */
const struct store_generation *store_ca_generation(const struct store_ca *ca, unsigned number);

/* The CA, its keys and the event in one commit. ERR_CONFLICT: the name exists. */
RESULT store_add_ca(struct store *s, const struct store_ca *ca, const struct store_event *event,
		    struct err *err);
/*
 * What a CA gets more: a generation with its keys and certificates, in one commit with the event.
 * ERR_CONFLICT: there is one of that number. ERR_NOT_FOUND: no such CA.
 */
RESULT store_add_generation(struct store *s, const struct store_ca *more,
			    const struct store_event *event, struct err *err);
/*
 * The same for a generation that awaits its certificate, which takes the place of the request.
 * ERR_CONFLICT: it awaits none.
 */
RESULT store_complete_generation(struct store *s, const struct store_ca *more,
				 const struct store_event *event, struct err *err);
/* The generation has taken over. ERR_CONFLICT: that is on record already. */
RESULT store_begin_generation(struct store *s, const char *ca, unsigned generation, int64_t now,
			      const struct store_event *event, struct err *err);
/*
 * A generation that is planned, or awaits its certificate, takes over at another time: `more` has
 * its number and when, and the keys and certificates that take the place of those it has (none:
 * they stay). ERR_CONFLICT: there is none, or it has taken over.
 */
RESULT store_move_generation(struct store *s, const struct store_ca *more, int64_t now,
			     const struct store_event *event, struct err *err);
/*
 * It is gone, and what waits for it in the queue is rejected. ERR_CONFLICT: as above, or it has
 * issued certificates.
 */
RESULT store_cancel_generation(struct store *s, const char *ca, unsigned number, int64_t now,
			       const struct store_event *event, struct err *err);
/* One key more, or in place of that of the same role and generation. ERR_NOT_FOUND: no such CA. */
RESULT store_put_ca_key(struct store *s, const char *ca, const struct store_ca_key *key,
			const struct store_event *event, struct err *err);
typedef enum result store_ca_fn(void *ctx, const struct store_ca *ca, struct err *err);
RESULT store_each_ca(struct store *s, store_ca_fn *fn, void *ctx, struct err *err);

/* ---- challenges: only their hash is stored ---- */

struct store_challenge {
	char id[STORE_NAME_MAX];       /* public handle, for lists and revocation */
	uint8_t hash[STORE_HASH];      /* SHA-256 of the challenge, which is random */
	char endpoint[STORE_NAME_MAX]; /* "": any */
	int64_t created;
	int64_t expires;
	char created_by[STORE_NAME_MAX];
	char source[STORE_NAME_MAX]; /* the page that gave it out; "": none */
	bool reusable;               /* is never bound and never used up */
	struct buf subject;          /* Name DER that the request must have; empty: any */
	struct buf san;              /* GeneralNames DER that it must have; empty: any */
	bool revoked;
	bool bound;                   /* used once: then only for this transaction and key */
	uint8_t bound_to[STORE_HASH]; /* SHA-256 as of store_binding() */
	int64_t used;                 /* time of issuance; 0: not yet */
};
void store_challenge_clear(struct store_challenge *c);

RESULT store_add_challenge(struct store *s, const struct store_challenge *c,
			   const struct store_event *event, struct err *err);
/*
 * The same, unless `most` challenges of its source are usable and no device has shown them yet:
 * then ERR_LIMIT. Counted and added in one commit.
 */
RESULT store_add_challenge_within(struct store *s, const struct store_challenge *c, unsigned most,
				  const struct store_event *event, struct err *err);
RESULT store_find_challenge(struct store *s, const uint8_t hash[STORE_HASH],
			    struct store_challenge *out, struct err *err);
/* ERR_NOT_FOUND; revoking twice is OK. */
RESULT store_revoke_challenge(struct store *s, const char *id, const struct store_event *event,
			      struct err *err);
typedef enum result store_challenge_fn(void *ctx, const struct store_challenge *c, struct err *err);
struct store_challenge_filter {
	const char *after_id; /* paging: handles rise; NULL: from the first */
	unsigned limit;       /* 0: 100 */
	bool usable_at_set;   /* only those unexpired at usable_at, unused, unrevoked */
	int64_t usable_at;
};
RESULT store_each_challenge(struct store *s, const struct store_challenge_filter *filter,
			    store_challenge_fn *fn, void *ctx, struct err *err);

/*
 * Deletes what has expired before that time, used or not, at most `most` of them in one commit, for
 * other changes wait meanwhile. *n: how many it were.
 */
RESULT store_purge_challenges(struct store *s, int64_t before, unsigned most, uint64_t *n,
			      struct err *err);

/* ---- transactions and certificates ---- */

/* Who a transaction is: endpoint + transactionID + SHA-256 of the key's SubjectPublicKeyInfo. */
struct store_transaction_key {
	const char *endpoint;
	struct span id;
	uint8_t key_hash[STORE_HASH];
	/* of the CA, that answers: what another has issued is not of this transaction. 0: any */
	unsigned generation;
	unsigned oldest; /* from which on requests that wait are its own, too */
};

struct store_cert {
	struct buf der;
	struct buf serial; /* INTEGER content octets */
	char ca[STORE_NAME_MAX];
	unsigned generation;
	char profile[STORE_NAME_MAX];
	char endpoint[STORE_NAME_MAX];
	struct buf transaction;
	struct buf subject; /* RFC 4514 text, UTF-8 */
	int64_t not_before;
	int64_t not_after;
	int64_t issued;
	int64_t id; /* set by the store, rising */
};
void store_cert_clear(struct store_cert *c);

/* The latest certificate that this transaction got. ERR_NOT_FOUND: none yet. */
RESULT store_find_issued(struct store *s, const struct store_transaction_key *key,
			 struct store_cert *out, struct err *err);

/* The same of this transaction and of all that have succeeded it. */
RESULT store_find_latest(struct store *s, const struct store_transaction_key *key,
			 struct store_cert *out, struct err *err);

/* What a CA issued under this serial number (INTEGER content octets). ERR_NOT_FOUND: nothing. */
RESULT store_find_cert(struct store *s, const char *ca, struct span serial, struct store_cert *out,
		       struct err *err);

/* What one issuance changes, all in one commit. Spans and strings borrowed. */
struct store_issuance {
	struct store_transaction_key transaction;
	const char *ca;
	unsigned generation;
	const char *profile;
	struct span serial;
	struct span cert;
	struct span subject_text;
	int64_t not_before;
	int64_t not_after;
	int64_t now;
	bool ahead; /* its generation is not in charge yet. ERR_BUSY: and never will be */
	const uint8_t *challenge_hash; /* one-time challenge to bind and consume; NULL: none */
	uint8_t challenge_binding[STORE_HASH];
	const struct store_quota *quotas; /* store/quota.h: whom it counts for */
	size_t n_quotas;
	int64_t device;     /* entry of an allow-list to use up, by the same binding; 0: none */
	const uint8_t *key; /* pubkey_hash() of what is certified... */
	const uint8_t *current_key; /* ...and of the certificate that is renewed; NULL: none is */
	struct store_event event;   /* its endpoint, transaction, ca and serial: as of the above */
};
/*
 * ERR_CONFLICT: this transaction has a certificate already (find it with store_find_issued).
 * ERR_DENIED: the challenge is meanwhile revoked, expired or bound to another transaction; or so
 * is the entry of the allow-list. ERR_TOO_MANY: a quota is exhausted. ERR_KEY_BLOCKED: the key
 * was reported as compromised (store/key_block.h).
 */
RESULT store_commit_issuance(struct store *s, const struct store_issuance *issuance,
			     struct err *err);
/*
 * The same in two steps, between which the caller may do something else while the disk works.
 * *out refers to the issuance until it is ended: only then is anything durable.
 */
struct store_pending;
RESULT store_begin_issuance(struct store *s, const struct store_issuance *issuance,
			    struct store_pending **out, struct err *err);
/* Blocks, frees. Results as of store_commit_issuance(). */
RESULT store_end_issuance(struct store_pending *p, struct err *err);
/* The same for one whose result nobody wants any more. NULL does nothing. */
void store_pending_free(struct store_pending *p);
DEFINE_CLEANUP(struct store_pending, store_pending_free)

/* A refusal's event; the challenge, if one was shown and matched, is bound in the same commit. */
struct store_refusal {
	struct store_event event;
	const uint8_t *challenge_hash; /* NULL: none */
	uint8_t challenge_binding[STORE_HASH];
};
RESULT store_commit_refusal(struct store *s, const struct store_refusal *refusal, struct err *err);

struct store_cert_filter {
	int64_t before_id;       /* paging, newest first; 0: from the newest */
	unsigned limit;          /* 0: 100 */
	const char *ca;          /* NULL: any */
	const char *subject;     /* substring without case; NULL: any */
	struct span transaction; /* empty: any */
	struct span serial;      /* empty: any */
};
typedef enum result store_cert_fn(void *ctx, const struct store_cert *c, struct err *err);
RESULT store_each_cert(struct store *s, const struct store_cert_filter *filter, store_cert_fn *fn,
		       void *ctx, struct err *err);

#endif
