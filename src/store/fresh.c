/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fresh.h"

#include <pthread.h>
#include <stdlib.h>

/* Each has one place, by its hash. Half a kilobyte each, where there is one. */
#define PLACES 8192

struct fresh {
	pthread_mutex_t lock;
	struct store_challenge *places[PLACES];
};

static void free_one(struct store_challenge *c)
{
	if (c)
		store_challenge_clear(c);
	free(c);
}

enum result fresh_new(struct fresh **out, struct err *err)
{
	struct fresh *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	(void)pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return OK;
}

void fresh_forget(struct fresh *f)
{
	size_t i;

	(void)pthread_mutex_lock(&f->lock);
	for (i = 0; i < PLACES; i++) {
		free_one(f->places[i]);
		f->places[i] = NULL;
	}
	(void)pthread_mutex_unlock(&f->lock);
}

void fresh_free(struct fresh *f)
{
	if (!f)
		return;
	fresh_forget(f);
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

static struct store_challenge **place_of(struct fresh *f, const uint8_t hash[STORE_HASH])
{
	return &f->places[(hash[0] << 8 | hash[1]) % PLACES];
}

/* As the file has it: whatever else the caller filled in. */
static struct store_challenge *copy_of(const struct store_challenge *c)
{
	struct store_challenge *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *c;
	copy->revoked = copy->bound = false;
	copy->used = 0;
	copy->subject = copy->san = BUF_INIT;
	buf_put(&copy->subject, buf_span(&c->subject));
	buf_put(&copy->san, buf_span(&c->san));
	if (!copy->subject.failed && !copy->san.failed)
		return copy;
	free_one(copy);
	return NULL;
}

void fresh_put(struct fresh *f, const struct store_challenge *c)
{
	struct store_challenge **place = place_of(f, c->hash), *before, *copy;

	if (c->reusable)
		return;
	copy = copy_of(c);
	(void)pthread_mutex_lock(&f->lock);
	before = *place;
	*place = copy;
	(void)pthread_mutex_unlock(&f->lock);
	free_one(before);
}

bool fresh_take(struct fresh *f, const uint8_t hash[STORE_HASH], struct store_challenge *out)
{
	struct store_challenge **place = place_of(f, hash), *found;

	(void)pthread_mutex_lock(&f->lock);
	found = *place;
	if (found && memcmp(found->hash, hash, STORE_HASH) == 0)
		*place = NULL;
	else
		found = NULL;
	(void)pthread_mutex_unlock(&f->lock);
	if (!found)
		return false;
	*out = *found;
	free(found);
	return true;
}
