/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests that wait for an operator's word. Part of the store (store/store.h), whose rules hold
 * here too. They are never deleted: whoever asks later hears how it ended.
 */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "store/store.h"

enum store_request_state {
	STORE_REQUEST_PENDING,
	STORE_REQUEST_ISSUED,
	STORE_REQUEST_REJECTED,
	STORE_REQUEST_EXPIRED,
};

struct store_request {
	int64_t id; /* set by the store, rising */
	char endpoint[STORE_NAME_MAX];
	struct buf transaction;
	uint8_t key_hash[STORE_HASH];
	char ca[STORE_NAME_MAX];
	unsigned generation; /* of the CA, that it was made of; 0: not known */
	char profile[STORE_NAME_MAX];
	struct buf subject_text; /* RFC 4514, UTF-8 */
	struct buf subject;      /* Name DER */
	struct buf spki;
	struct buf exts; /* asked for; may be empty */
	char peer[STORE_NAME_MAX];
	int64_t created;
	int64_t expires;
	unsigned needed; /* approvals */
	enum store_request_state state;
	int64_t decided;      /* 0: not yet */
	struct buf reason;    /* of a rejection, or of the end */
	unsigned approvals;   /* so far */
	struct buf approvers; /* text: "uid 0, uid 1000" */
};
void store_request_clear(struct store_request *r);

/* What queueing changes, all in one commit. Spans and strings borrowed. */
struct store_queueing {
	struct store_transaction_key transaction;
	const char *ca;
	const char *profile;
	struct span subject_text;
	struct span subject;
	struct span spki;
	struct span exts;
	const char *peer;
	int64_t now;
	int64_t expires;
	unsigned needed;
	const uint8_t *challenge_hash; /* one-time challenge to bind and consume; NULL: none */
	uint8_t challenge_binding[STORE_HASH];
	int64_t device;     /* as of struct store_issuance... */
	const uint8_t *key; /* ...and so is this */
	struct store_event event;
};
/*
 * ERR_CONFLICT: this transaction waits already, or has a certificate. ERR_DENIED, ERR_KEY_BLOCKED:
 * as of store_commit_issuance. What is overdue meanwhile is marked expired in the same commit.
 */
RESULT store_add_request(struct store *s, const struct store_queueing *queueing, struct err *err);

/* ERR_NOT_FOUND. */
RESULT store_find_request(struct store *s, int64_t id, struct store_request *out, struct err *err);
/* The latest of this transaction. */
RESULT store_find_request_of(struct store *s, const struct store_transaction_key *key,
			     struct store_request *out, struct err *err);

struct store_request_filter {
	int64_t after_id; /* paging, oldest first */
	unsigned limit;   /* 0: 100 */
	bool pending_only;
};
typedef enum result store_request_fn(void *ctx, const struct store_request *r, struct err *err);
RESULT store_each_request(struct store *s, const struct store_request_filter *filter,
			  store_request_fn *fn, void *ctx, struct err *err);

struct db;
/* Inside a writer's job: what waits for that generation of a CA is rejected. */
RESULT request_reject_of(struct db *db, const char *ca, unsigned generation, int64_t now,
			 struct err *err);

/* The same of what waits with that key. */
RESULT request_reject_of_key(struct db *db, const uint8_t hash[STORE_HASH], int64_t now,
			     struct err *err);

/* How many wait. */
RESULT store_count_requests(struct store *s, int64_t now, uint64_t *out, struct err *err);

/* An operator's word. */
struct store_verdict {
	int64_t id;
	const char *actor;
	int64_t now;
	const char *reason;
	struct store_event event;              /* of the word */
	const struct store_issuance *issuance; /* what the last approval that was needed makes */
};
/*
 * ERR_CONFLICT: the request does not wait (any more), or this actor has approved it already.
 * With the issuance, its event and its certificate all in one commit.
 */
RESULT store_approve_request(struct store *s, const struct store_verdict *v, struct err *err);
RESULT store_reject_request(struct store *s, const struct store_verdict *v, struct err *err);
/* Whatever is overdue, each with its event. */
RESULT store_expire_requests(struct store *s, int64_t now, struct err *err);

#endif
