/* SPDX-License-Identifier: Apache-2.0 */
/* An alarm is one event while it goes on, whoever raises it and however often. */
#include "store_fixture.h"

#include <pthread.h>
#include <string.h>

#include "store/alarm.h"

static const struct store_event begins = { .time = NOW, .kind = "x.begins", .ca = "demo" };
static const struct store_event ends = { .time = NOW + 1, .kind = "x.ends", .ca = "demo" };

static enum result count(void *ctx, const struct store_event *e, struct err *err)
{
	(void)err;
	*(unsigned *)ctx += strncmp(e->kind, "x.", 2) == 0;
	return OK;
}

static unsigned events(const struct fixture *f)
{
	struct store_event_filter all = { .limit = 1000 };
	unsigned n = 0;

	assert_int_equal(store_each_event(f->store, &all, count, &n, NULL), OK);
	return n;
}

static bool raise(const struct fixture *f, const char *name)
{
	bool raised = true;

	assert_int_equal(store_raise_alarm(f->store, name, &begins, &raised, NULL), OK);
	return raised;
}

static bool end(const struct fixture *f, const char *name)
{
	bool ended = true;

	assert_int_equal(store_end_alarm(f->store, name, &ends, &ended, NULL), OK);
	return ended;
}

static void is_an_event_once(void **state)
{
	struct fixture *f = *state;

	assert_false(end(f, "a"));
	assert_int_equal(events(f), 0);
	assert_true(raise(f, "a"));
	assert_false(raise(f, "a"));
	assert_true(raise(f, "b"));
	fixture_close(f);
	fixture_open(f);
	assert_false(raise(f, "a"));
	assert_int_equal(events(f), 2);
	assert_true(end(f, "a"));
	assert_false(end(f, "a"));
	assert_false(raise(f, "b"));
	assert_true(raise(f, "a"));
	assert_int_equal(events(f), 4);
}

static void *raise_too(void *arg)
{
	return raise(arg, "race") ? arg : NULL;
}

static void one_of_many_raises_it(void **state)
{
	pthread_t threads[8];
	void *raised;
	size_t i, n = 0;

	for (i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, raise_too, *state), 0);
	for (i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &raised), 0);
		n += raised != NULL;
	}
	assert_int_equal(n, 1);
	assert_int_equal(events(*state), 1);
}

static void refuses_a_name_too_long(void **state)
{
	struct fixture *f = *state;
	char name[STORE_ALARM_MAX + 1];
	bool raised = true;

	memset(name, 'a', STORE_ALARM_MAX);
	name[STORE_ALARM_MAX] = '\0';
	assert_int_equal(store_raise_alarm(f->store, name, &begins, &raised, NULL), ERR_LIMIT);
	assert_true(raised);
	assert_int_equal(events(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(is_an_event_once),
		FIXTURE_TEST(one_of_many_raises_it),
		FIXTURE_TEST(refuses_a_name_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
