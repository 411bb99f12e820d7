/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ticker.h"

#include <time.h>

void ticker_init(struct ticker *t)
{
	pthread_condattr_t attr;

	t->ending = false;
	(void)pthread_mutex_init(&t->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&t->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void ticker_clear(struct ticker *t)
{
	(void)pthread_cond_destroy(&t->wake);
	(void)pthread_mutex_destroy(&t->lock);
}

bool ticker_wait(struct ticker *t, unsigned seconds)
{
	struct timespec until;
	bool ending;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	(void)pthread_mutex_lock(&t->lock);
	while (!t->ending && pthread_cond_timedwait(&t->wake, &t->lock, &until) == 0)
		;
	ending = t->ending;
	(void)pthread_mutex_unlock(&t->lock);
	return !ending;
}

bool ticker_is_ending(struct ticker *t)
{
	bool ending;

	(void)pthread_mutex_lock(&t->lock);
	ending = t->ending;
	(void)pthread_mutex_unlock(&t->lock);
	return ending;
}

void ticker_end(struct ticker *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->ending = true;
	(void)pthread_cond_broadcast(&t->wake);
	(void)pthread_mutex_unlock(&t->lock);
}
