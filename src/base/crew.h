/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks that share a thread: while one waits, for a key operation or the disk, another goes on.
 * Each has a stack of its own, so that its code reads as if the thread were its own. Few threads
 * have many tasks under way: where keys are slow, all of them; where they are fast, fewer threads
 * go to sleep and wake.
 *
 * A task leaves its thread to others only in crew_await(), and only after crew_share(): code
 * that knows nothing of crews, and may hold a lock while it waits, keeps the thread as ever.
 *
 * A crew belongs to the thread that made it, and is used in no other.
 */
#ifndef BASE_CREW_H
#define BASE_CREW_H

#include "base/await.h"
#include "base/err.h"

struct crew;

#define CREW_MOST (AWAIT_MOST - 1)

typedef void crew_task(void *ctx, void *task);

struct crew_kind {
	unsigned members; /* tasks at once, 1..CREW_MOST; where the system cannot: 1 */
	size_t stack;     /* octets of each, touched as far as they are used */
	crew_task *run;
	void *ctx;
};

/* One a thread. */
RESULT crew_new(struct crew **out, const struct crew_kind *kind, struct err *err);
/* All tasks have ended. */
void crew_free(struct crew *c);

/* Is there a member without a task? The one that had one last is the next to get one. */
bool crew_has_room(const struct crew *c);
bool crew_is_idle(const struct crew *c);
/* Runs a task until it first waits, or ends. There must be room. */
void crew_begin(struct crew *c, void *task);
/* Lets those go on that need not wait longer, each until it waits again or ends. */
void crew_go_on(struct crew *c);
/* Sleeps until one may go on, or what is waited for is over; perhaps less. */
void crew_sleep(struct crew *c, const struct await *w);

/* ---- in a task; elsewhere the first does nothing, and the last is await_one() ---- */

/* From now on others of the crew may run while this task waits: it must hold no lock then. */
void crew_share(void);
/* May they? */
bool crew_is_shared(void);
/* Waits until the word's value is another, or for ms. False: it is the same. */
bool crew_await(atomic_uint *word, unsigned seen, unsigned ms);

#endif
