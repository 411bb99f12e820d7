/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define CORES_MOST 1024

/* All but those that tell of a fault in the thread itself. */
static void signals_of_others(sigset_t *set)
{
	static const int own[] = {
		SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF,
	};
	size_t i;

	(void)sigfillset(set);
	for (i = 0; i < ARRAY_LEN(own); i++)
		(void)sigdelset(set, own[i]);
}

static int create(pthread_t *thread, const struct thread_kind *kind, void *(*run)(void *arg),
		  void *arg)
{
	pthread_attr_t attr;
	sigset_t block, old;
	int e = pthread_attr_init(&attr);

	if (e != 0)
		return e;
	if (kind->stack)
		(void)pthread_attr_setstacksize(&attr, kind->stack);
	signals_of_others(&block);
	(void)pthread_sigmask(SIG_SETMASK, &block, &old);
	e = pthread_create(thread, &attr, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return e;
}

enum result thread_start(pthread_t *thread, const struct thread_kind *kind, unsigned index,
			 void *(*run)(void *arg), void *arg, struct err *err)
{
	const struct sched_param none = { 0 };
	char name[16];
	int e = create(thread, kind, run, arg);

	if (e != 0)
		return err_errno(err, e, "cannot start thread %s-%u", kind->name, index);
	(void)snprintf(name, sizeof(name), "%.12s-%u", kind->name, index);
	(void)pthread_setname_np(*thread, name);
	if (kind->batch) /* a system without it has the same, a little slower */
		(void)pthread_setschedparam(*thread, SCHED_BATCH, &none);
	return OK;
}

unsigned thread_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > CORES_MOST ? CORES_MOST : (unsigned)n;
}
