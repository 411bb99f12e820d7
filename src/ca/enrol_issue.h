/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/ca: a request under decision, and the certificate that it may come to. */
#ifndef CA_ENROL_ISSUE_H
#define CA_ENROL_ISSUE_H

#include "ca/enrol_auth.h"
#include "ca/issue.h"
#include "store/quota.h"

struct enrol_decision {
	const struct enrol_context *ctx;
	struct crypto *c;
	const struct enrol_request *req;
	struct store_transaction_key transaction;
	uint8_t key[STORE_HASH];               /* pubkey_hash() of what is to be certified */
	char successor[STORE_TRANSACTION_MAX]; /* its id, where it began anew */
	struct enrol_auth auth;
	struct store_quota quotas[THROTTLE_COUNT_]; /* that the issuance counts for */
	size_t n_quotas;
};

/* Sets key, and auth.current_key where a certificate is renewed. */
RESULT enrol_decision_hash_keys(struct enrol_decision *d, struct err *err);

/* An event of this decision; the trace goes into detail, which must outlive it. */
struct store_event enrol_decision_event(const struct enrol_decision *d, const char *kind,
					const char *reason, struct buf *detail);

/* What the certificate is to hold, if profile and renewal allow it. */
RESULT enrol_issue_names(const struct enrol_decision *d, struct profile_result *names,
			 struct err *err);

/* A certificate that is made but not committed yet: nobody may see it. */
struct enrol_issue {
	uint8_t serial[ISSUE_SERIAL];
	struct buf cert; /* owned, like those below */
	struct buf subject;
	struct buf reason;
	struct buf detail;
	struct store_issuance record; /* points into this struct and the decision */
};

/* Into *made, all zero before; to be cleared whatever is returned. */
RESULT enrol_issue_make(const struct enrol_decision *d, const struct profile_result *names,
			struct enrol_issue *made, struct err *err);
/* For when it is committed. */
void enrol_issue_log(const struct enrol_decision *d, const struct enrol_issue *made);
void enrol_issue_clear(struct enrol_issue *made);

#endif
