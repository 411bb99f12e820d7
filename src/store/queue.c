/* SPDX-License-Identifier: Apache-2.0 */
#include "store/queue.h"

#include <errno.h>
#include <time.h>

#define IDLE_US 1000000
/* What an answer may be late for the sake of others: about as long as the keys need for it. */
#define GATHER_US 2000

void queue_init(struct queue *q)
{
	pthread_condattr_t attr;

	*q = (struct queue){ 0 };
	q->last = &q->first;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&q->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	(void)pthread_mutex_init(&q->lock, NULL);
}

void queue_clear(struct queue *q)
{
	(void)pthread_cond_destroy(&q->wake);
	(void)pthread_mutex_destroy(&q->lock);
}

/* The writer sleeps until the first comes, and then until as many as it wants are there. */
static void append(struct queue *q, struct job *job)
{
	*q->last = job;
	q->last = &job->next;
	q->n++;
	if (q->n == 1 || q->n == q->wanted)
		(void)pthread_cond_signal(&q->wake);
}

bool queue_put(struct queue *q, struct job *job)
{
	bool open;

	(void)pthread_mutex_lock(&q->lock);
	open = !q->closed;
	if (open)
		append(q, job);
	(void)pthread_mutex_unlock(&q->lock);
	return open;
}

unsigned queue_length(struct queue *q)
{
	unsigned n;

	(void)pthread_mutex_lock(&q->lock);
	n = q->n;
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}

void queue_close(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	q->closed = true;
	(void)pthread_cond_signal(&q->wake);
	(void)pthread_mutex_unlock(&q->lock);
}

/* Until n jobs are there, the queue is closed, or the time is over. */
static void wait_for(struct queue *q, unsigned n, long us)
{
	struct timespec until;

	if (q->n >= n || q->closed)
		return;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += us % 1000000 * 1000;
	until.tv_sec += us / 1000000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (q->n < n && !q->closed)
		if (pthread_cond_timedwait(&q->wake, &q->lock, &until) == ETIMEDOUT)
			return;
}

static enum queue_state wait_for_group(struct queue *q, bool idle_wanted)
{
	if (idle_wanted)
		wait_for(q, 1, IDLE_US);
	while (!idle_wanted && q->n == 0 && !q->closed)
		(void)pthread_cond_wait(&q->wake, &q->lock);
	if (q->n == 0)
		return q->closed ? QUEUE_CLOSED : QUEUE_IDLE;
	wait_for(q, q->wanted, GATHER_US);
	return QUEUE_JOBS;
}

static struct job *take_all(struct queue *q)
{
	struct job *jobs = q->first;

	q->taken = q->n;
	q->n = 0;
	q->first = NULL;
	q->last = &q->first;
	return jobs;
}

enum queue_state queue_take(struct queue *q, bool idle_wanted, struct job **jobs)
{
	enum queue_state state;

	(void)pthread_mutex_lock(&q->lock);
	q->wanted = q->taken + q->n;
	state = wait_for_group(q, idle_wanted);
	if (state == QUEUE_JOBS)
		*jobs = take_all(q);
	(void)pthread_mutex_unlock(&q->lock);
	return state;
}
