/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tally.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS 1024 /* a power of two */

struct series {
	struct series *next;    /* of its chain */
	struct series *earlier; /* of all */
	struct meter *meter;
	const char *labels[TALLY_LABELS_MAX]; /* behind the struct */
};

struct tally {
	size_t labels;
	size_t counters;
	size_t most;
	pthread_mutex_t lock; /* of n, and of who adds to the lists */
	size_t n;
	struct series *other; /* under the lock until it is among the rest */
	struct series *_Atomic latest;
	struct series *_Atomic chains[CHAINS];
};

enum result tally_new(struct tally **out, size_t labels, size_t counters, size_t most,
		      struct err *err)
{
	struct tally *t;

	if (labels > TALLY_LABELS_MAX)
		return err_set(err, ERR_LIMIT, "%zu labels, at most %d", labels, TALLY_LABELS_MAX);
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem(err);
	t->labels = labels;
	t->counters = counters;
	t->most = most;
	(void)pthread_mutex_init(&t->lock, NULL);
	*out = t;
	return OK;
}

static void series_free(struct series *s)
{
	meter_free(s->meter);
	free(s);
}

void tally_free(struct tally *t)
{
	struct series *s, *earlier;

	if (!t)
		return;
	for (s = atomic_load(&t->latest); s; s = earlier) {
		earlier = s->earlier;
		series_free(s);
	}
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

/* FNV-1a over the labels, each with its end. */
static size_t chain_of(const struct tally *t, const char *const labels[])
{
	uint64_t h = 0xcbf29ce484222325;
	const char *p;
	size_t i;

	for (i = 0; i < t->labels; i++) {
		for (p = labels[i]; *p; p++)
			h = (h ^ (unsigned char)*p) * 0x100000001b3;
		h *= 0x100000001b3;
	}
	return (size_t)(h ^ h >> 32) & (CHAINS - 1);
}

static bool has_labels(const struct tally *t, const struct series *s, const char *const labels[])
{
	size_t i;

	for (i = 0; i < t->labels; i++)
		if (strcmp(s->labels[i], labels[i]) != 0)
			return false;
	return true;
}

static struct series *find(struct tally *t, size_t chain, const char *const labels[])
{
	struct series *s = atomic_load_explicit(&t->chains[chain], memory_order_acquire);

	while (s && !has_labels(t, s, labels))
		s = s->next;
	return s;
}

static struct series *series_new(const struct tally *t, const char *const labels[])
{
	struct series *s;
	size_t i, len = 0;
	char *text;

	for (i = 0; i < t->labels; i++)
		len += strlen(labels[i]) + 1;
	s = calloc(1, sizeof(*s) + len);
	if (!s)
		return NULL;
	text = (char *)(s + 1);
	for (i = 0; i < t->labels; i++) {
		s->labels[i] = text;
		text = stpcpy(text, labels[i]) + 1;
	}
	if (meter_new(&s->meter, t->counters, NULL) == OK)
		return s;
	free(s);
	return NULL;
}

/* Under the lock. Whoever reads sees it whole. */
static struct series *add(struct tally *t, size_t chain, const char *const labels[])
{
	struct series *s = series_new(t, labels);

	if (!s)
		return NULL;
	t->n++;
	s->next = atomic_load(&t->chains[chain]);
	s->earlier = atomic_load(&t->latest);
	atomic_store_explicit(&t->chains[chain], s, memory_order_release);
	atomic_store_explicit(&t->latest, s, memory_order_release);
	return s;
}

static struct series *find_or_add(struct tally *t, size_t chain, const char *const labels[])
{
	static const char *const others[TALLY_LABELS_MAX] = { TALLY_OTHER, TALLY_OTHER, TALLY_OTHER,
							      TALLY_OTHER, TALLY_OTHER };
	struct series *s = find(t, chain, labels);

	if (s)
		return s;
	if (t->n < t->most)
		return add(t, chain, labels);
	if (!t->other)
		t->other = add(t, chain_of(t, others), others);
	return t->other;
}

struct meter *tally_get(struct tally *t, const char *const labels[])
{
	struct series *s;
	size_t chain;

	if (!t)
		return NULL;
	chain = chain_of(t, labels);
	s = find(t, chain, labels);
	if (!s) {
		(void)pthread_mutex_lock(&t->lock);
		s = find_or_add(t, chain, labels);
		(void)pthread_mutex_unlock(&t->lock);
	}
	return s ? s->meter : NULL;
}

void tally_each(const struct tally *t, tally_fn *fn, void *ctx)
{
	const struct series *s = t ? atomic_load_explicit(&t->latest, memory_order_acquire) : NULL;

	for (; s; s = s->earlier)
		fn(ctx, s->labels, s->meter);
}
