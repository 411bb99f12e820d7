/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seals on the chain of events, with a key of the keeper's that is for nothing else. A thread puts
 * a checkpoint (a seal on all events so far, itself an event) behind every so many events and every
 * so many seconds that brought any.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "audit/sealed.h"
#include "keeper/client.h"
#include "store/store.h"

#define AUDIT_KEY_ID "audit" /* in the keeper */

struct audit;

struct audit_options { /* all borrowed */
	struct store *store;
	struct keeper_client *keeper;
	const struct clock *clock;
	const struct log *log;
	unsigned checkpoint_events;
	unsigned checkpoint_seconds;
};

/* Makes the key where there is none yet, with an event that says so, and starts the thread. */
RESULT audit_open(struct audit **out, const struct audit_options *options, struct err *err);
/* Ends the thread with a last checkpoint. */
void audit_close(struct audit *a);
DEFINE_CLEANUP(struct audit, audit_close)

/* SubjectPublicKeyInfo; borrowed. Thread-safe, as what follows. */
struct span audit_spki(const struct audit *a);

/* The chain: its last event, and the last one that a checkpoint covers (0: none). */
struct audit_position {
	int64_t last;
	int64_t sealed;
};
RESULT audit_position(const struct audit *a, struct audit_position *out, struct err *err);

/* Seals events first to last as they are in the store. c: the calling thread's. ERR_NOT_FOUND:
 * they are not all there. */
RESULT audit_seal_events(struct audit *a, struct crypto *c, int64_t first, int64_t last,
			 struct audit_sealed *out, struct err *err);

#endif
