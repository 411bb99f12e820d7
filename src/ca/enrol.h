/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way through: every protocol makes an enrol_request of what it received, and tells the
 * device what the enrol_outcome says. Decides, issues, and commits before it returns.
 */
#ifndef CA_ENROL_H
#define CA_ENROL_H

#include "ca/anomaly.h"
#include "ca/authority.h"
#include "ca/challenge.h"
#include "ca/enrol_trace.h"
#include "ca/profile.h"
#include "ca/throttle.h"
#include "ca/verifier.h"

/* How an endpoint authorises a new device. */
struct enrol_policy {
	const char *endpoint; /* name */
	const char *ca;
	const struct profile *profile;
	bool accept_anyone;               /* authorisation "none": every request is issued */
	struct challenge_static *statics; /* NULL: no static challenges */
	bool one_time;                    /* one-time challenges are taken */
	bool renewal;                     /* so are certificates that the profile lets renew */
	const char *allow_list;           /* and the device is on that list; NULL: none */
	bool manual;                      /* what is not a renewal waits for operators... */
	unsigned approvers;               /* ...so many of them... */
	int64_t pending_lifetime;         /* ...for so many seconds */
	struct throttle *throttle;        /* NULL: none */
	struct anomalies *anomalies;      /* NULL: nothing is unusual */
};

struct enrol_context { /* of the server; shared by threads */
	struct store *store;
	const struct clock *clock;
};

/* How refusals speak of things to a device of this protocol; plainly, where a request has none. */
struct enrol_words {
	const char *renewal; /* the clause on renewal: "RFC 8894 2.5" */
	const char *missing; /* no credential: "RFC 8894 2.4: challengePassword missing" */
	const char *poll;    /* the clause on polling */
};

struct enrol_request {
	const struct enrol_policy *policy;
	const struct authority_ca *ca;
	const struct enrol_words *words;
	struct span transaction_id; /* 1..STORE_TRANSACTION_MAX octets */
	struct span subject;        /* Name DER */
	struct span spki;           /* proof of possession was checked by the codec */
	struct span exts;           /* asked for */
	int64_t validity;           /* seconds asked for, which a profile may shorten; 0: none */
	struct span challenge;      /* UTF-8; empty: none shown */
	struct span user;           /* whose password the challenge may be; empty: nobody's */
	const struct verifier *accounts; /* knows such users; NULL: nobody does */
	const char *vouched;             /* who answers for this request, for the record: the codec
					    has made sure that it is they; NULL: nobody */
	bool anew; /* after its certificate has ended, a transaction begins again */
	const struct cert
	    *current;          /* what it is signed with, said to be of this CA; NULL: no such */
	bool renewal_only;     /* no challenge does instead of current */
	const char *peer;      /* address, for the record */
	struct span source;    /* what of it one host can hardly change; empty: unknown */
	const struct log *log; /* carries endpoint and transactionID */
	struct enrol_trace *trace; /* what the codec has seen so far; enrol adds to it */
	/* Called with a certificate while the disk makes it durable, perhaps with another one
	   after that: time to make the answer, which is given only if the outcome is the same. */
	void (*meanwhile)(void *ctx, struct span cert); /* NULL: there is nothing to do */
	void *meanwhile_ctx;
};

const struct enrol_words *enrol_words_of(const struct enrol_request *req);

enum enrol_status { ENROL_ISSUED, ENROL_PENDING, ENROL_REJECTED };

struct enrol_outcome {
	enum enrol_status status;
	struct buf cert;           /* ENROL_ISSUED, owned */
	bool repeated;             /* the answer to a retransmission */
	enum result why;           /* ENROL_REJECTED */
	bool by_operator;          /* ENROL_REJECTED: not by us */
	char reason[ERR_TEXT_MAX]; /* what the device may be told */
};
void enrol_outcome_clear(struct enrol_outcome *o);

/*
 * OK: *out holds a decision that is durable. Another result: no decision was made (store full,
 * keeper away); the device should try again (ERR_BUSY, ERR_IO). c: the calling thread's.
 *
 * ENROL_PENDING: it waits for an operator, see ca/approval.h; ask again.
 *
 * A transaction that has its certificate gets it again, challenge or not: the key is proven and the
 * reply is for that key only. A one-time challenge is bound to endpoint, transactionID and key by
 * the first request that shows it, whether that is granted or refused.
 *
 * A renewal is a transaction of its own for each certificate that it renews, so that a device may
 * keep its key and its transactionID from one to the next. Where a protocol has no transactionID
 * (`anew`), the codec makes one of what is asked for, and asking for it once more when the
 * certificate is expired or revoked is another transaction.
 */
RESULT ca_enrol(const struct enrol_context *ctx, struct crypto *c, const struct enrol_request *req,
		struct enrol_outcome *out, struct err *err);

/*
 * Would what it shows let it in? Nothing is decided, recorded or used up, nor counted but for wrong
 * passwords: for what is too dear to be done for anyone, before ca_enrol. spki may be empty: of a
 * key that is still to be made.
 */
RESULT ca_enrol_check(const struct enrol_context *ctx, struct crypto *c,
		      const struct enrol_request *req, struct err *err);

/*
 * What has become of a transaction that waits? By endpoint, transactionID and key only, which the
 * codec has checked that the poll is signed with: the rest of the request is not looked at.
 */
RESULT ca_enrol_poll(const struct enrol_context *ctx, struct crypto *c,
		     const struct enrol_request *req, struct enrol_outcome *out, struct err *err);

/* A request that the codec refused before it could be decided: its event (why, with the trace). */
RESULT ca_enrol_refused(const struct enrol_context *ctx, const struct enrol_request *req,
			enum result why, const char *reason, struct err *err);

/* The same of what was no message at all, and may belong to no transaction: "message.unreadable".
 */
RESULT ca_enrol_unreadable(const struct enrol_context *ctx, const struct enrol_request *req,
			   enum result why, const char *reason, struct err *err);

#endif
