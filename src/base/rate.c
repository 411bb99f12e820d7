/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rate.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/siphash.h"

#define COUNT_MAX 1000000
#define WAYS 8 /* places that a key may have: a set is two cache lines */
#define LOCKS 16
#define SECOND_US 1000000

/* ---- text ---- */

static bool parse_seconds(const char *text, int64_t *seconds)
{
	char one[8];

	if (text[0] < '0' || text[0] > '9') {
		if (snprintf(one, sizeof(one), "1%s", text) >= (int)sizeof(one))
			return false;
		text = one;
	}
	return clock_parse_duration(text, seconds, NULL) == OK && *seconds > 0;
}

enum result rate_parse(const char *text, struct rate *out, struct err *err)
{
	char *end = NULL;
	long long n;
	int64_t seconds = 0;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (text[0] < '1' || text[0] > '9' || errno || n > COUNT_MAX || *end != '/' ||
	    !parse_seconds(end + 1, &seconds))
		return err_set(err, ERR_SYNTAX,
			       "\"%s\" is not a rate: write a number up to %d, a slash and a time, "
			       "as in 60/m or 3/30d",
			       text, COUNT_MAX);
	*out = (struct rate){ (unsigned)n, seconds };
	return OK;
}

/* ---- the table ---- */

struct bucket {
	uint64_t key;
	int64_t full_us; /* when it will be full */
};

struct rate_table {
	int64_t step_us; /* from one token to the next */
	int64_t all_us;  /* from empty to full */
	uint64_t seed[2];
	size_t sets; /* a power of two */
	pthread_mutex_t locks[LOCKS];
	struct bucket buckets[];
};

enum result rate_table_new(struct rate_table **out, struct rate rate, size_t slots, struct err *err)
{
	struct rate_table *t;
	size_t sets = 1, i;

	while (sets * WAYS < slots)
		sets *= 2;
	t = calloc(1, sizeof(*t) + sets * WAYS * sizeof(t->buckets[0]));
	if (!t)
		return err_nomem(err);
	t->sets = sets;
	t->step_us = rate.seconds * SECOND_US / rate.count;
	t->all_us = t->step_us * rate.count;
	for (i = 0; i < LOCKS; i++)
		(void)pthread_mutex_init(&t->locks[i], NULL);
	if (random_fill((uint8_t *)t->seed, sizeof(t->seed), err) != OK) {
		rate_table_free(t);
		return ERR_INTERNAL;
	}
	*out = t;
	return OK;
}

void rate_table_free(struct rate_table *t)
{
	size_t i;

	if (!t)
		return;
	for (i = 0; i < LOCKS; i++)
		(void)pthread_mutex_destroy(&t->locks[i]);
	free(t);
}

/* The key's bucket, or the one that it may have: the fullest. */
static struct bucket *find(struct bucket *set, uint64_t key)
{
	struct bucket *fullest = set;
	size_t i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].full_us < fullest->full_us)
			fullest = &set[i];
	}
	return fullest;
}

static unsigned use(struct rate_table *t, struct bucket *b, uint64_t key, int64_t now_us, bool take)
{
	int64_t full = b->key == key && b->full_us > now_us ? b->full_us : now_us, wait;

	if (full > now_us + t->all_us) /* the clock went back */
		full = now_us;
	wait = full + t->step_us - now_us - t->all_us;
	if (wait > 0)
		return (unsigned)((wait + SECOND_US - 1) / SECOND_US);
	if (take)
		*b = (struct bucket){ key, full + t->step_us };
	return 0;
}

static unsigned run(struct rate_table *t, struct span key, int64_t now_us, bool take)
{
	uint64_t hash = siphash(t->seed, key);
	size_t set = (size_t)hash & (t->sets - 1);
	pthread_mutex_t *lock = &t->locks[set % LOCKS];
	unsigned wait;

	(void)pthread_mutex_lock(lock);
	wait = use(t, find(&t->buckets[set * WAYS], hash), hash, now_us, take);
	(void)pthread_mutex_unlock(lock);
	return wait;
}

unsigned rate_table_take(struct rate_table *t, struct span key, int64_t now_us)
{
	return run(t, key, now_us, true);
}

unsigned rate_table_look(struct rate_table *t, struct span key, int64_t now_us)
{
	return run(t, key, now_us, false);
}
