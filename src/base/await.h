/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for a word of memory to change, in this process or in one that shares it. Nobody makes a
 * system call to tell of a change unless somebody sleeps for it. Thread-safe.
 */
#ifndef BASE_AWAIT_H
#define BASE_AWAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bit of every such word, beside its value: somebody sleeps until it changes. */
#define AWAIT_WATCHED 0x80000000u

/* What is waited for: that the word's value is no longer `seen`, or that it is that time. */
struct await {
	atomic_uint *word;
	unsigned seen;
	int64_t until; /* clock_mono_us(); INT64_MAX: no end */
};

unsigned await_value(const atomic_uint *word);
bool await_is_changed(const struct await *w);
/* That, or its time is over. */
bool await_is_over(const struct await *w);

/* From that value to the other, and wakes who sleeps for it. False: it had another. */
bool await_tell(atomic_uint *word, unsigned from, unsigned to);

/* Sleeps until it is over. */
void await_one(const struct await *w);
/*
 * Sleeps until any of them is over, perhaps less. n: 1..AWAIT_MOST; more than one only where the
 * system can.
 */
void await_any(const struct await *w, size_t n);
#define AWAIT_MOST 128
/* Can the system do that? Linux 5.16, and nothing that forbids the call. */
bool await_any_works(void);

#endif
