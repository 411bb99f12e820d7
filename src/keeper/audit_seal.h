/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the audit key signs: a seal on a stretch of the chain of events (store/chain.h). The message
 * is framed so that it can be nothing else, and the rule of an audit key takes nothing else. Pure.
 */
#ifndef KEEPER_AUDIT_SEAL_H
#define KEEPER_AUDIT_SEAL_H

#include "base/buf.h"

#define AUDIT_HASH 32

struct audit_seal {
	int64_t first;            /* event that the stretch begins with; 1: the chain's first */
	uint8_t prev[AUDIT_HASH]; /* hash of the event before it; of the chain's first: zeros */
	int64_t last;
	uint8_t hash[AUDIT_HASH]; /* of the last event */
	int64_t time;             /* when it was sealed */
};

/* "scepter-audit-seal-1", a NUL, and the fields in their order, numbers as 8 octets big-endian. */
RESULT audit_seal_put(const struct audit_seal *seal, struct buf *out, struct err *err);
/* ERR_SYNTAX: no seal, or one of an impossible stretch. */
RESULT audit_seal_parse(struct span message, struct audit_seal *out, struct err *err);

#endif
