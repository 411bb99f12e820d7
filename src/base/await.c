/* SPDX-License-Identifier: Apache-2.0 */
#include "base/await.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define US 1000000

unsigned await_value(const atomic_uint *word)
{
	return atomic_load(word) & ~AWAIT_WATCHED;
}

bool await_is_changed(const struct await *w)
{
	return await_value(w->word) != w->seen;
}

bool await_is_over(const struct await *w)
{
	return await_is_changed(w) || (w->until != INT64_MAX && clock_mono_us() >= w->until);
}

bool await_tell(atomic_uint *word, unsigned from, unsigned to)
{
	unsigned now = atomic_load(word);

	do {
		if ((now & ~AWAIT_WATCHED) != from)
			return false;
	} while (!atomic_compare_exchange_weak(word, &now, to));
	if (now & AWAIT_WATCHED)
		(void)syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	return true;
}

/* NULL: there is no end. */
static const struct timespec *time_of(int64_t us, struct timespec *t)
{
	if (us == INT64_MAX)
		return NULL;
	*t = (struct timespec){ .tv_sec = us / US, .tv_nsec = us % US * 1000 };
	return t;
}

/* Whoever changes it from now on wakes. False: it is changed already. */
static bool watch(const struct await *w)
{
	return ((atomic_fetch_or(w->word, AWAIT_WATCHED) & ~AWAIT_WATCHED) == w->seen);
}

static void sleep_for_one(const struct await *w)
{
	struct timespec t;

	if (watch(w))
		(void)syscall(SYS_futex, w->word, FUTEX_WAIT_BITSET, w->seen | AWAIT_WATCHED,
			      time_of(w->until, &t), NULL, FUTEX_BITSET_MATCH_ANY);
}

void await_one(const struct await *w)
{
	while (!await_is_over(w))
		sleep_for_one(w);
}

#ifdef SYS_futex_waitv

static void sleep_for_any(const struct await *w, size_t n)
{
	struct futex_waitv words[AWAIT_MOST];
	int64_t until = INT64_MAX;
	struct timespec t;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!watch(&w[i]))
			return;
		if (w[i].until < until)
			until = w[i].until;
		words[i] = (struct futex_waitv){ .uaddr = (uintptr_t)w[i].word,
						 .val = w[i].seen | AWAIT_WATCHED,
						 .flags = FUTEX_32 };
	}
	(void)syscall(SYS_futex_waitv, words, (unsigned)n, 0, time_of(until, &t), CLOCK_MONOTONIC);
}

/* A word that is not as it is said to be: there is nothing to wait for. */
bool await_any_works(void)
{
	uint32_t word = 0;
	struct futex_waitv other = { .uaddr = (uintptr_t)&word, .val = 1, .flags = FUTEX_32 };

	return syscall(SYS_futex_waitv, &other, 1, 0, NULL, CLOCK_MONOTONIC) < 0 && errno == EAGAIN;
}

#else

static void sleep_for_any(const struct await *w, size_t n)
{
	(void)n;
	sleep_for_one(w);
}

bool await_any_works(void)
{
	return false;
}

#endif

void await_any(const struct await *w, size_t n)
{
	if (n == 1)
		sleep_for_one(w);
	else
		sleep_for_any(w, n);
}
