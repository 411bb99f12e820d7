/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of a service: named for top(1), signals left to the program's main thread. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

#include "base/err.h"

struct thread_kind {
	const char *name; /* at most 12 characters: "http-loop" */
	size_t stack;     /* octets; 0: the system's */
	/*
	 * Does a short part of somebody's request and hands it on: when it wakes, the thread that
	 * woke it is let finish first (SCHED_BATCH), so that work gathers and is handed on in lots.
	 */
	bool batch;
};

/*
 * Joinable. SIGPIPE, which writing to a lost client would raise, is blocked as well. ERR_NOMEM,
 * ERR_LIMIT and what else the system gives.
 */
RESULT thread_start(pthread_t *thread, const struct thread_kind *kind, unsigned index,
		    void *(*run)(void *arg), void *arg, struct err *err);

/* Processors that threads can run on at once, 1..1024. */
unsigned thread_cores(void);

#endif
