/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/ca: who may check a secret now, where a check takes a tenth of a second and all
 * the threads that wait for one serve nobody else. A secret is checked once, however many show it
 * at once: the others wait for what that gives. Different ones are few at a time, and of one source
 * fewer still, so that whoever guesses leaves a place to others. All under the caller's mutex,
 * which is given back while one waits: others of the thread's crew (base/crew.h) may go on then.
 */
#ifndef CA_CHECK_QUEUE_H
#define CA_CHECK_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/span.h"

#define CHECK_MAC 32
#define CHECK_QUEUE_MAX 6 /* secrets being checked or waiting for it */

struct check {
	bool used;
	bool running;
	uint8_t mac[CHECK_MAC]; /* which secret */
	uint64_t source;        /* who shows it: a hash */
	uint64_t ticket;        /* who came first */
};

struct check_queue {         /* all zero: empty */
	atomic_uint changes; /* see base/await.h */
	struct check checks[CHECK_QUEUE_MAX];
	uint64_t tickets;
	unsigned joined; /* threads that wait for another's check of the same secret */
};

/* The check of that secret that is under way or waits; NULL: there is none. */
struct check *check_queue_find(struct check_queue *q, const uint8_t mac[CHECK_MAC]);
/* Waits until any check has ended, that it may be looked up. ERR_BUSY: too many wait so. */
RESULT check_queue_join(struct check_queue *q, pthread_mutex_t *lock, struct err *err);
/* Waits until it may be made. ERR_BUSY: too many others are, or too many of this source. */
RESULT check_queue_begin(struct check_queue *q, pthread_mutex_t *lock, const uint8_t mac[CHECK_MAC],
			 uint64_t source, struct check **out, struct err *err);
void check_queue_end(struct check_queue *q, struct check *c);

#endif
