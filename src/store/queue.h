/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs from many threads to the writer, who takes all of them at once as a group.
 *
 * A commit costs the same for one job as for many, so the writer waits a moment for those who are
 * on their way. How many these are it knows from the last group: whoever was in it, or came while
 * it was committed, is a thread of its own and likely to come again. A lone caller never waits for
 * others.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>

#include "store/group.h"

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first; /* oldest first */
	struct job **last;
	unsigned n;
	unsigned taken;  /* size of the last group */
	unsigned wanted; /* size of the next one, if they come soon */
	bool closed;
};

void queue_init(struct queue *q);
void queue_clear(struct queue *q);

/* False: closed. */
bool queue_put(struct queue *q, struct job *job);
/* How many wait. */
unsigned queue_length(struct queue *q);
/* Refuses more; what is in it can still be taken. */
void queue_close(struct queue *q);

enum queue_state { QUEUE_JOBS, QUEUE_IDLE, QUEUE_CLOSED };

/* Only the writer. QUEUE_IDLE: nothing came for a second; only if idle_wanted. */
enum queue_state queue_take(struct queue *q, bool idle_wanted, struct job **jobs);

#endif
