/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_thread.h"

#include <signal.h>
#include <stdio.h>

#define STACK_SIZE (512 << 10)

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

enum result http_thread_start(pthread_t *thread, const char *kind, unsigned index,
			      void *(*run)(void *arg), void *arg, struct err *err)
{
	pthread_attr_t attr;
	sigset_t block, old;
	char name[16];
	int e;

	if (pthread_attr_init(&attr) != 0)
		return err_nomem(err);
	(void)pthread_attr_setstacksize(&attr, STACK_SIZE);
	signals_of_others(&block);
	(void)pthread_sigmask(SIG_SETMASK, &block, &old);
	e = pthread_create(thread, &attr, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	if (e != 0)
		return err_errno(err, e, "cannot start thread %s-%u", kind, index);
	(void)snprintf(name, sizeof(name), "%s-%u", kind, index);
	(void)pthread_setname_np(*thread, name);
	return OK;
}
