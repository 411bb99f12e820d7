/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has become of certificates: good, on hold or revoked, and the lists that tell it. Part of
 * the store (store/store.h), whose rules hold here too.
 *
 * Reasons are CRLReason numbers (RFC 5280 5.3.1).
 */
#ifndef STORE_REVOCATION_H
#define STORE_REVOCATION_H

#include "store/store.h"

#define STORE_REASON_KEY 1 /* keyCompromise */
#define STORE_REASON_HOLD 6
#define STORE_REASON_REMOVE 8
#define STORE_SCOPE_MAX 16

/* ---- certificates ---- */

struct store_status {
	unsigned generation; /* of the CA */
	int64_t not_before;
	int64_t not_after;
	bool revoked; /* or on hold: the reason says so */
	unsigned reason;
	int64_t time;          /* of the revocation */
	int64_t invalid_since; /* 0: not told */
};
/* Rises with every change of a status that is revoked, on hold or released, before the function
 * that makes it returns. Who knows the number from before he looked knows what has not changed. */
uint64_t store_revocation_changes(const struct store *s);
/* serial: INTEGER content octets. ERR_NOT_FOUND: the CA has not issued it. */
RESULT store_find_status(struct store *s, const char *ca, struct span serial,
			 struct store_status *out, struct err *err);

struct store_revocation {
	const char *ca;
	struct span serial;
	int64_t time;
	unsigned reason;       /* STORE_REASON_HOLD: may be released, or revoked for good */
	int64_t invalid_since; /* 0: not told */
	struct store_event event;
};
/*
 * With its event in one commit, and its key blocked (store/key_block.h) if that is the reason. A
 * certificate that was on hold keeps the time of that: since then it was not good; so does one that
 * was revoked for another reason before its key turned out to be compromised. ERR_NOT_FOUND: not
 * issued. ERR_CONFLICT: it is revoked, or on hold, already.
 */
RESULT store_revoke(struct store *s, const struct store_revocation *revocation, struct err *err);
/* From hold. ERR_CONFLICT: it is not on hold. */
RESULT store_release(struct store *s, const char *ca, struct span serial,
		     const struct store_event *event, struct err *err);

struct store_revoked {
	struct span serial;
	int64_t time;
	unsigned reason; /* STORE_REASON_REMOVE: released from hold */
	int64_t invalid_since;
	int64_t not_after;
	int64_t changed; /* event of the latest change */
};
/* One page at a time: a reader's snapshot must not stay for as long as millions take. */
struct store_revoked_filter {
	const char *ca;
	unsigned generation;      /* of the CA; 0: any */
	bool by_change;           /* in the order of changes instead of serial numbers */
	struct span after_serial; /* paging; empty: from the first */
	int64_t after_change;     /* by_change: paging; 0: from the first */
	unsigned limit;           /* 0: 100 */
};
typedef enum result store_revoked_fn(void *ctx, const struct store_revoked *r, struct err *err);
RESULT store_each_revoked(struct store *s, const struct store_revoked_filter *filter,
			  store_revoked_fn *fn, void *ctx, struct err *err);
/* The latest change of any certificate of the CA; 0: none yet. */
RESULT store_last_change(struct store *s, const char *ca, int64_t *change, struct err *err);

/* ---- revocation lists ---- */

/* The CA's next cRLNumber, which nobody else gets. One sequence for all lists of the CA. */
RESULT store_next_crl_number(struct store *s, const char *ca, uint64_t *number, struct err *err);

struct store_crl {
	int64_t id; /* set by the store: its event */
	char ca[STORE_NAME_MAX];
	unsigned generation;
	char scope[STORE_SCOPE_MAX]; /* "": complete; "3/8": a part */
	bool is_delta;
	uint64_t base; /* is_delta */
	uint64_t number;
	int64_t this_update;
	int64_t next_update;
	int64_t change; /* the latest that it tells */
	uint64_t entries;
	uint64_t size;
	uint8_t sha256[STORE_HASH];
};
/* ERR_CONFLICT: the number is not higher than that of the list before it of this scope. */
RESULT store_add_crl(struct store *s, const struct store_crl *crl, const struct store_event *event,
		     struct err *err);
struct store_crl_kind {
	const char *ca;
	unsigned generation;
	const char *scope;
	bool is_delta;
};
/* The newest of its kind. ERR_NOT_FOUND: there was none yet. */
RESULT store_find_crl(struct store *s, const struct store_crl_kind *kind, struct store_crl *out,
		      struct err *err);
/* The one of that number. ERR_NOT_FOUND. */
RESULT store_find_crl_number(struct store *s, const struct store_crl_kind *kind, uint64_t number,
			     struct store_crl *out, struct err *err);
typedef enum result store_crl_fn(void *ctx, const struct store_crl *crl, struct err *err);
/* The newest of each kind, of one CA or (NULL) of all. */
RESULT store_each_crl(struct store *s, const char *ca, store_crl_fn *fn, void *ctx,
		      struct err *err);

#endif
