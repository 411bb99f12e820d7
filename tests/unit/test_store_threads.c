/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at one store: each gets its own answer, and what it reads is whole. */
#include "store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS 8
#define ITEMS 40

struct worker {
	struct store *store;
	pthread_t thread;
	uint64_t first;
	unsigned failures;
};

static void run_workers(struct store *s, struct worker *workers, void *(*fn)(void *))
{
	size_t i;

	for (i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .store = s, .first = i * ITEMS };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, fn, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
}

/* ---- each its own enrolments, lists running beside ---- */

static enum result count_cert(void *ctx, const struct store_cert *c UNUSED, struct err *err UNUSED)
{
	++*(unsigned *)ctx;
	return OK;
}

static bool enrol(struct store *s, uint64_t n)
{
	CLEANUP(store_cert_clear) struct store_cert cert = { 0 };
	CLEANUP(store_challenge_clear) struct store_challenge challenge = { 0 };
	struct store_cert_filter filter = { .limit = 5 };
	struct item item;
	unsigned seen = 0;

	item_init(&item, n);
	return item_add_challenge(s, &item, NULL) == OK &&
	       store_find_issued(s, &item.issuance.transaction, &cert, NULL) == ERR_NOT_FOUND &&
	       store_find_challenge(s, item.challenge.hash, &challenge, NULL) == OK &&
	       !challenge.used && store_commit_issuance(s, &item.issuance, NULL) == OK &&
	       store_commit_issuance(s, &item.issuance, NULL) == ERR_CONFLICT &&
	       store_find_issued(s, &item.issuance.transaction, &cert, NULL) == OK &&
	       span_eq(buf_span(&cert.der), item.issuance.cert) &&
	       store_each_cert(s, &filter, count_cert, &seen, NULL) == OK && seen > 0;
}

static void *enrol_many(void *arg)
{
	struct worker *w = arg;
	uint64_t n;

	for (n = w->first; n < w->first + ITEMS; n++)
		w->failures += !enrol(w->store, n);
	return NULL;
}

static void each_gets_its_own(void **state)
{
	struct fixture *f = *state;
	struct worker workers[THREADS];
	struct item item;
	uint64_t n;

	run_workers(f->store, workers, enrol_many);
	for (n = 0; n < THREADS; n++)
		assert_int_equal(workers[n].failures, 0);
	for (n = 0; n < (uint64_t)THREADS * ITEMS; n++) {
		item_init(&item, n);
		assert_true(item_is_there(f->store, &item));
	}
}

/* ---- all after the same ---- */

struct race {
	_Atomic unsigned issued, conflicts, denied, others;
};

struct racer {
	struct store *store;
	struct race *race;
	pthread_t thread;
	unsigned mark;
};

static void count(struct race *race, enum result r)
{
	if (r == OK)
		race->issued++;
	else if (r == ERR_CONFLICT)
		race->conflicts++;
	else if (r == ERR_DENIED)
		race->denied++;
	else
		race->others++;
}

/* Odd racers come with a key of their own: for them the challenge is gone, or for all others. */
static void *race_for_all(void *arg)
{
	struct racer *racer = arg;
	struct item item;
	uint64_t n;

	for (n = 0; n < ITEMS; n++) {
		item_init(&item, n);
		item.serial[0] = (uint8_t)racer->mark;
		if (racer->mark % 2) {
			item.issuance.transaction.key_hash[0] ^= 1;
			item.issuance.challenge_binding[0] ^= 1;
		}
		count(racer->race, store_commit_issuance(racer->store, &item.issuance, NULL));
	}
	return NULL;
}

static void one_wins(void **state)
{
	struct fixture *f = *state;
	struct race race = { 0 };
	struct racer racers[THREADS];
	struct item item;
	unsigned i;

	for (i = 0; i < ITEMS; i++) {
		item_init(&item, i);
		assert_int_equal(item_add_challenge(f->store, &item, NULL), OK);
	}
	for (i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .store = f->store, .race = &race, .mark = i };
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race_for_all, &racers[i]),
				 0);
	}
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
	assert_int_equal(race.issued, ITEMS);
	assert_int_equal(race.conflicts, ITEMS * (THREADS / 2 - 1));
	assert_int_equal(race.denied, ITEMS * (THREADS / 2));
	assert_int_equal(race.others, 0);
}

/* ---- one bad apple ---- */

/* Thread 0 sends defects that fail half done; nobody else in their groups may notice. */
static void *mixed(void *arg)
{
	struct worker *w = arg;
	struct item item;
	uint64_t n;

	for (n = w->first; n < w->first + ITEMS; n++) {
		item_init(&item, n);
		if (w->first == 0)
			item.issuance.ca = "nobody";
		item.issuance.challenge_hash = NULL;
		w->failures += store_commit_issuance(w->store, &item.issuance, NULL) != OK;
	}
	return NULL;
}

static void defects_fail_alone(void **state)
{
	struct fixture *f = *state;
	struct worker workers[THREADS];
	struct item item;
	uint64_t n;

	run_workers(f->store, workers, mixed);
	assert_int_equal(workers[0].failures, ITEMS);
	for (n = 1; n < THREADS; n++)
		assert_int_equal(workers[n].failures, 0);
	for (n = 0; n < (uint64_t)THREADS * ITEMS; n++) {
		item_init(&item, n);
		item.issuance.challenge_hash = NULL;
		assert_int_equal(item_is_there(f->store, &item), n >= ITEMS);
	}
	fixture_expect_whole(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(each_gets_its_own),
		FIXTURE_TEST(one_wins),
		FIXTURE_TEST(defects_fail_alone),
	};

	return cmocka_run_group_tests_name("store threads", tests, NULL, NULL);
}
