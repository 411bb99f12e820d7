/* SPDX-License-Identifier: Apache-2.0 */
#include "base/aside.h"

#include <limits.h>

#include "base/crew.h"
#include "base/thread.h"

#define STACK (256u << 10)

struct work {
	aside_fn *fn;
	void *arg;
	enum result result;
	struct err *err;
	atomic_uint done;
};

static void *run(void *arg)
{
	struct work *w = arg;

	w->result = w->fn(w->arg, w->err);
	(void)await_tell(&w->done, 0, 1);
	return NULL;
}

enum result aside_run(aside_fn *fn, void *arg, struct err *err)
{
	static const struct thread_kind kind = { .name = "aside", .stack = STACK };
	struct work w = { .fn = fn, .arg = arg, .err = err };
	pthread_t thread;

	if (!crew_is_shared() || thread_start(&thread, &kind, 0, run, &w, NULL) != OK)
		return fn(arg, err);
	while (!crew_await(&w.done, 0, UINT_MAX))
		;
	(void)pthread_join(thread, NULL); /* it has told all: nothing is left of it to wait for */
	return w.result;
}
