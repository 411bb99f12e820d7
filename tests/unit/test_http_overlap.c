/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that share a worker, and workers that get up when others are stuck. */
#include "http_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/await.h"
#include "base/thread.h"

#define H "Host: x\r\n"
#define TICKS_US 500000 /* two ticks of a loop, in which it looks after what waits */
#define CLIENTS_MAX 1100

static int ask(const struct fixture *f, const char *path)
{
	int fd = fixture_connect(f);
	char text[64];

	(void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" H "\r\n", path);
	say(fd, text);
	return fd;
}

static void assert_answered(const int *fds, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		assert_int_equal(hear(fds[i]).status, 200);
		(void)close(fds[i]);
	}
}

static void await_queued(const struct fixture *f, unsigned n)
{
	while (fixture_stats(f).queued != n)
		(void)usleep(1000);
}

static struct http_server_config one_worker(unsigned requests)
{
	struct http_server_config c = fixture_config();

	c.workers = 1;
	c.requests = requests;
	return c;
}

static void a_worker_goes_on_with_others(void **state)
{
	const struct http_server_config c = one_worker(3);
	struct fixture f;
	int fds[4];

	(void)state;
	fixture_start(&f, &c);
	fds[0] = ask(&f, "/wait");
	fds[1] = ask(&f, "/wait");
	fixture_await_begun(&f, 2);
	fds[2] = ask(&f, "/hello"); /* done before what came before it */
	assert_answered(&fds[2], 1);
	fixture_ring(&f);
	assert_answered(fds, 2);
	fixture_stop(&f);
}

static void no_more_than_is_said(void **state)
{
	const struct http_server_config c = one_worker(2);
	struct fixture f;
	int fds[3], i;

	(void)state;
	fixture_start(&f, &c);
	for (i = 0; i < 3; i++)
		fds[i] = ask(&f, "/wait");
	fixture_await_begun(&f, 2);
	await_queued(&f, 1);
	(void)usleep(TICKS_US);
	assert_int_equal(atomic_load(&f.begun), 2);
	fixture_ring(&f);
	assert_answered(fds, 3);
	assert_int_equal(atomic_load(&f.begun), 3);
	fixture_stop(&f);
}

static void who_does_not_share_has_the_thread(void **state)
{
	const struct http_server_config c = one_worker(3);
	struct fixture f;
	int fds[2];

	(void)state;
	fixture_start(&f, &c);
	fds[0] = ask(&f, "/slow");
	fixture_await_waiting(&f, 1);
	fds[1] = ask(&f, "/hello");
	await_queued(&f, 1);
	(void)usleep(TICKS_US);
	assert_int_equal(atomic_load(&f.handled), 1);
	fixture_open_gate(&f);
	assert_answered(fds, 2);
	fixture_stop(&f);
}

/* As many are stuck as are usually awake, and one more; then there is still one. */
static void others_get_up_when_some_are_stuck(void **state)
{
	const unsigned stuck = thread_cores() + 1;
	struct http_server_config c = fixture_config();
	int fds[CLIENTS_MAX], last;
	struct fixture f;
	unsigned i;

	(void)state;
	c.workers = stuck + 1;
	c.requests = stuck + 1;
	fixture_start(&f, &c);
	for (i = 0; i < stuck; i++)
		fds[i] = ask(&f, "/slow");
	fixture_await_waiting(&f, stuck);
	last = ask(&f, "/hello");
	assert_answered(&last, 1);
	fixture_open_gate(&f);
	assert_answered(fds, stuck);
	fixture_stop(&f);
}

static void a_drain_waits_for_those_that_wait(void **state)
{
	const struct http_server_config c = one_worker(2);
	struct fixture f;
	int fds[2];

	(void)state;
	fixture_start(&f, &c);
	fds[0] = ask(&f, "/wait");
	fds[1] = ask(&f, "/wait");
	fixture_await_begun(&f, 2);
	fixture_ring(&f);
	http_server_drain(f.server, 60);
	f.server = NULL;
	assert_answered(fds, 2);
	fixture_stop(&f);
}

/* ---- what a request has for itself ---- */

static RESULT own_new(void *ctx, void **worker, struct err *err)
{
	struct fixture *f = ctx;

	if (atomic_fetch_add(&f->shared, 1) == 2)
		return err_set(err, ERR_NOMEM, "no third one");
	*worker = malloc(1);
	return OK;
}

static void own_free(void *ctx, void *worker)
{
	struct fixture *f = ctx;

	free(worker);
	atomic_fetch_sub(&f->shared, 1);
}

static void each_has_its_own(void **state)
{
	struct http_server_config c = one_worker(3);
	struct fixture f;
	int fds[3];

	(void)state;
	c.worker_new = own_new;
	c.worker_free = own_free;
	fixture_start(&f, &c);
	assert_int_equal(atomic_load(&f.shared), 1);
	fds[0] = ask(&f, "/wait");
	fds[1] = ask(&f, "/wait");
	fixture_await_begun(&f, 2);
	assert_int_equal(atomic_load(&f.shared), 2);
	fds[2] = ask(&f, "/wait"); /* for which there is none, this time */
	assert_int_equal(hear(fds[2]).status, 503);
	(void)close(fds[2]);
	fixture_ring(&f);
	assert_answered(fds, 2);
	fixture_stop(&f);
	assert_int_equal(atomic_load(&f.shared), 1); /* the one that failed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_goes_on_with_others),
		cmocka_unit_test(no_more_than_is_said),
		cmocka_unit_test(who_does_not_share_has_the_thread),
		cmocka_unit_test(others_get_up_when_some_are_stuck),
		cmocka_unit_test(a_drain_waits_for_those_that_wait),
		cmocka_unit_test(each_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
