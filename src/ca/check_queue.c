/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/check_queue.h"

#include <limits.h>
#include <string.h>

#include "base/crew.h"

#define RUNNING_MAX 2    /* at once... */
#define RUNNING_OF_ONE 1 /* ...of one source */
#define QUEUED_OF_ONE 2  /* with those that wait: three sources together leave nobody out */
#define JOINED_MAX 256

static void tell_change(struct check_queue *q)
{
	const unsigned now = await_value(&q->changes);

	(void)await_tell(&q->changes, now, (now + 1) & ~AWAIT_WATCHED);
}

/* Until something has changed, perhaps less. */
static void wait_for_change(struct check_queue *q, pthread_mutex_t *lock)
{
	const unsigned seen = await_value(&q->changes);

	(void)pthread_mutex_unlock(lock);
	(void)crew_await(&q->changes, seen, UINT_MAX);
	(void)pthread_mutex_lock(lock);
}

struct check *check_queue_find(struct check_queue *q, const uint8_t mac[CHECK_MAC])
{
	size_t i;

	for (i = 0; i < CHECK_QUEUE_MAX; i++)
		if (q->checks[i].used && memcmp(q->checks[i].mac, mac, CHECK_MAC) == 0)
			return &q->checks[i];
	return NULL;
}

enum result check_queue_join(struct check_queue *q, pthread_mutex_t *lock, struct err *err)
{
	if (q->joined == JOINED_MAX)
		return err_set(err, ERR_BUSY, "challenge: too many wait for the same check");
	q->joined++;
	wait_for_change(q, lock);
	q->joined--;
	return OK;
}

/* How many there are of that source (NULL: of all), running or not. */
static unsigned count(const struct check_queue *q, const uint64_t *source, bool running)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < CHECK_QUEUE_MAX; i++)
		n += q->checks[i].used && (!running || q->checks[i].running) &&
		     (!source || q->checks[i].source == *source);
	return n;
}

static bool may_run(const struct check_queue *q, const struct check *c)
{
	return count(q, NULL, true) < RUNNING_MAX && count(q, &c->source, true) < RUNNING_OF_ONE;
}

/* The first of those that may. */
static bool is_next(const struct check_queue *q, const struct check *c)
{
	size_t i;

	for (i = 0; i < CHECK_QUEUE_MAX; i++) {
		const struct check *other = &q->checks[i];

		if (other->used && !other->running && other->ticket < c->ticket &&
		    may_run(q, other))
			return false;
	}
	return may_run(q, c);
}

static struct check *find_free(struct check_queue *q)
{
	size_t i;

	for (i = 0; i < CHECK_QUEUE_MAX; i++)
		if (!q->checks[i].used)
			return &q->checks[i];
	return NULL;
}

enum result check_queue_begin(struct check_queue *q, pthread_mutex_t *lock,
			      const uint8_t mac[CHECK_MAC], uint64_t source, struct check **out,
			      struct err *err)
{
	struct check *c = find_free(q);

	if (!c || count(q, &source, false) >= QUEUED_OF_ONE)
		return err_set(err, ERR_BUSY, "challenge: too many unknown secrets at once%s",
			       c ? " from the same address" : "");
	*c = (struct check){ .used = true, .source = source, .ticket = q->tickets++ };
	memcpy(c->mac, mac, CHECK_MAC);
	while (!is_next(q, c))
		wait_for_change(q, lock);
	c->running = true;
	tell_change(q); /* the next one may be next to run, too */
	*out = c;
	return OK;
}

void check_queue_end(struct check_queue *q, struct check *c)
{
	explicit_bzero(c, sizeof(*c));
	tell_change(q);
}
