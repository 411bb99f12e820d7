/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server killed at any instant has lost nothing that it acknowledged, and has nothing half. A
 * child commits with several threads and tells each acknowledged number through a pipe.
 */
#include "store_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#define ROUNDS 10
#define THREADS 4
#define NUMBERS_A_ROUND 100000

struct child {
	struct store *store;
	int pipe;
	_Atomic uint64_t next;
};

static void *commit_for_ever(void *arg)
{
	struct child *c = arg;
	struct item item;
	uint64_t n;

	for (;;) {
		n = atomic_fetch_add(&c->next, 1);
		item_init(&item, n);
		if (item_commit(c->store, &item, NULL) != OK)
			_exit(1);
		if (write(c->pipe, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(2);
	}
}

static void child_main(const char *path, int fd, uint64_t first)
{
	struct store_options options = { .path = path };
	struct child c = { .pipe = fd, .next = first };
	pthread_t thread;
	int i;

	if (store_open(&c.store, &options, NULL) != OK)
		_exit(3);
	for (i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, commit_for_ever, &c) != 0)
			_exit(4);
	(void)commit_for_ever(&c);
}

/* What is left of the pipe; every number is there for one that is in the store. */
static uint64_t check_acknowledged(struct store *s, int fd)
{
	uint64_t n, count = 0;
	struct item item;

	for (; read(fd, &n, sizeof(n)) == (ssize_t)sizeof(n); count++) {
		item_init(&item, n);
		if (!item_is_there(s, &item))
			fail_msg("%llu was acknowledged, but is not there", (unsigned long long)n);
	}
	return count;
}

/* Those just being committed: all of it, or none. */
static void check_the_rest(struct store *s, uint64_t first, uint64_t acknowledged)
{
	struct item item;
	uint64_t n;

	for (n = first; n < first + acknowledged + (uint64_t)2 * THREADS; n++) {
		item_init(&item, n);
		(void)item_is_there(s, &item);
	}
}

static uint64_t kill_one(struct fixture *f, uint64_t first, long after_us)
{
	const struct timespec pause = { .tv_nsec = after_us * 1000 };
	uint64_t acknowledged, n;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child_main(f->path, fds[1], first);
	(void)close(fds[1]);
	/* The instant is counted from the first acknowledgement. */
	assert_int_equal(read(fds[0], &n, sizeof(n)), sizeof(n));
	(void)nanosleep(&pause, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	fixture_open(f);
	acknowledged = check_acknowledged(f->store, fds[0]);
	check_the_rest(f->store, first, acknowledged + 1);
	fixture_expect_whole(f);
	fixture_close(f);
	(void)close(fds[0]);
	return acknowledged + 1;
}

static void killed_at_random_instants(void **state)
{
	struct fixture *f = *state;
	const char *rounds = getenv("STORE_CRASH_ROUNDS");
	long n = rounds ? strtol(rounds, NULL, 10) : ROUNDS;
	unsigned seed = (unsigned)getpid();
	uint64_t total = 0;
	long i;

	fixture_close(f);
	for (i = 0; i < n; i++)
		total += kill_one(f, (uint64_t)i * NUMBERS_A_ROUND, rand_r(&seed) % 30000);
	fixture_open(f);
	print_message("%llu acknowledged in %ld rounds\n", (unsigned long long)total, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(killed_at_random_instants),
	};

	return cmocka_run_group_tests_name("store crash", tests, NULL, NULL);
}
