/* SPDX-License-Identifier: Apache-2.0 */
/* The same request many times at once. */
#include "enrol_fixture.h"

#include <pthread.h>

#define THREADS 8

struct racer {
	pthread_t thread;
	struct enrol_outcome out;
	enum result r;
	struct err err;
	const char *challenge;
	const char *transaction;
	struct buf meanwhile; /* the last certificate that was shown before the decision */
};

static void keep(void *ctx, struct span cert)
{
	struct buf *last = ctx;

	buf_reset(last);
	buf_put(last, cert);
}

static void *race(void *ctx)
{
	struct racer *racer = ctx;
	struct enrol_context context = { t.f->store, &t.f->clock };
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct enrol_trace trace = { 0 };
	struct enrol_request req = { .policy = &t.policy,
				     .ca = t.f->demo,
				     .transaction_id = span_str(racer->transaction),
				     .subject = buf_span(&t.name),
				     .spki = key_spki(t.a),
				     .challenge = span_str(racer->challenge),
				     .trace = &trace,
				     .meanwhile = keep,
				     .meanwhile_ctx = &racer->meanwhile };

	racer->r = crypto_new(&c, false, &racer->err);
	if (racer->r == OK)
		racer->r = ca_enrol(&context, c, &req, &racer->out, &racer->err);
	return NULL;
}

static void run_race(struct racer *racers)
{
	size_t i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		if (racers[i].r != OK)
			fail_msg("%s: %s", racers[i].transaction, racers[i].err.text);
	}
}

static void clear_racers(struct racer *racers)
{
	size_t i;

	for (i = 0; i < THREADS; i++) {
		enrol_outcome_clear(&racers[i].out);
		buf_clear(&racers[i].meanwhile);
	}
}

static void one_transaction_races_itself(void **state UNUSED)
{
	struct challenge_new n = { .lifetime = 3600 };
	MADE made = new_challenge(&n);
	struct racer racers[THREADS] = { 0 };
	size_t i, fresh = 0;

	for (i = 0; i < THREADS; i++) {
		racers[i].transaction = "tx-race";
		racers[i].challenge = text_of(&made);
	}
	run_race(racers);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(racers[i].out.status, ENROL_ISSUED);
		assert_span_equal(buf_span(&racers[i].out.cert), buf_span(&racers[0].out.cert));
		fresh += !racers[i].out.repeated;
		/* who came too late had made another one, which is nobody's */
		if (racers[i].meanwhile.len)
			assert_int_equal(
			    span_eq(buf_span(&racers[i].meanwhile), buf_span(&racers[0].out.cert)),
			    !racers[i].out.repeated);
		else
			assert_true(racers[i].out.repeated);
	}
	assert_int_equal(fresh, 1);
	assert_int_equal(ca_fixture_events(t.f, "tx-race").n, 1);
	clear_racers(racers);
}

static void one_challenge_races_many_transactions(void **state UNUSED)
{
	struct challenge_new n = { .lifetime = 3600 };
	MADE made = new_challenge(&n);
	struct racer racers[THREADS] = { 0 };
	char names[THREADS][16];
	size_t i, issued = 0;

	for (i = 0; i < THREADS; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "tx-many-%zu", i);
		racers[i].transaction = names[i];
		racers[i].challenge = text_of(&made);
	}
	run_race(racers);
	for (i = 0; i < THREADS; i++)
		issued += racers[i].out.status == ENROL_ISSUED;
	assert_int_equal(issued, 1);
	clear_racers(racers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_transaction_races_itself),
		cmocka_unit_test(one_challenge_races_many_transactions),
	};

	return cmocka_run_group_tests(tests, enrol_fixture_set_up, enrol_fixture_tear_down);
}
