/* SPDX-License-Identifier: Apache-2.0 */
/* The pace of a thread that looks after something now and then, until another thread ends it. */
#ifndef BASE_TICKER_H
#define BASE_TICKER_H

#include <pthread.h>
#include <stdbool.h>

struct ticker {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool ending;
};

void ticker_init(struct ticker *t);
void ticker_clear(struct ticker *t);
/* Waits so long. False: it is over. */
bool ticker_wait(struct ticker *t, unsigned seconds);
bool ticker_is_ending(struct ticker *t);
/* From any thread; whoever waits stops waiting. */
void ticker_end(struct ticker *t);

#endif
