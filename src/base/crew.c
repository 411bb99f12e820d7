/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stack.h"

struct member {
	struct stack stack;
	bool busy;
	bool shares;
	struct await wait; /* of one that is busy and does not run */
	void *task;
	struct member *next_free;
};

struct crew {
	struct crew_kind kind;
	struct stack thread;
	uint8_t *stacks;
	size_t stacks_len;
	struct member *running;
	struct member *free; /* last come, first served: its stack is warm */
	unsigned n_busy;
	struct member members[];
};

/* The thread's own. */
static _Thread_local struct crew *own;

/* ---- members ---- */

static void leave(struct crew *c, struct member *m)
{
	c->running = NULL;
	stack_switch(&m->stack, &c->thread);
}

static void member_run(void *arg)
{
	struct crew *c = own;
	struct member *m = arg;

	for (;;) {
		c->kind.run(c->kind.ctx, m->task);
		m->busy = false;
		m->next_free = c->free;
		c->free = m;
		c->n_busy--;
		leave(c, m);
	}
}

static void go_to(struct crew *c, struct member *m)
{
	c->running = m;
	stack_switch(&c->thread, &m->stack);
}

/* ---- the crew ---- */

/* Below each stack lies a page that nobody may touch. */
static RESULT make_stacks(struct crew *c, struct err *err)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t each = page + (c->kind.stack + page - 1) / page * page;
	uint8_t *at;
	unsigned i;

	c->stacks_len = c->kind.members * each;
	at = mmap(NULL, c->stacks_len, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (at == MAP_FAILED)
		return err_errno(err, errno, "stacks of a crew");
	c->stacks = at;
	for (i = c->kind.members; i-- > 0;) {
		struct member *m = &c->members[i];

		if (mprotect(at + i * each, page, PROT_NONE) != 0)
			return err_errno(err, errno, "stacks of a crew");
		stack_new(&m->stack, at + i * each + page, each - page, member_run, m);
		m->next_free = c->free;
		c->free = m;
	}
	return OK;
}

enum result crew_new(struct crew **out, const struct crew_kind *kind, struct err *err)
{
	unsigned members = await_any_works() ? kind->members : 1;
	struct crew *c = calloc(1, sizeof(*c) + members * sizeof(c->members[0]));
	enum result r;

	if (!c)
		return err_nomem(err);
	c->kind = *kind;
	c->kind.members = members;
	stack_here(&c->thread);
	r = make_stacks(c, err);
	if (r != OK) {
		crew_free(c);
		return r;
	}
	own = c;
	*out = c;
	return OK;
}

void crew_free(struct crew *c)
{
	unsigned i;

	if (!c)
		return;
	for (i = 0; i < c->kind.members; i++)
		if (c->members[i].stack.bottom)
			stack_clear(&c->members[i].stack);
	if (c->stacks)
		(void)munmap(c->stacks, c->stacks_len);
	if (own == c)
		own = NULL;
	free(c);
}

bool crew_has_room(const struct crew *c)
{
	return c->free;
}

bool crew_is_idle(const struct crew *c)
{
	return c->n_busy == 0;
}

void crew_begin(struct crew *c, void *task)
{
	struct member *m = c->free;

	c->free = m->next_free;
	c->n_busy++;
	m->busy = true;
	m->shares = false;
	m->task = task;
	go_to(c, m);
}

void crew_go_on(struct crew *c)
{
	unsigned i, left = c->n_busy;

	for (i = 0; left && i < c->kind.members; i++) {
		struct member *m = &c->members[i];

		if (!m->busy)
			continue;
		left--;
		if (await_is_over(&m->wait))
			go_to(c, m);
	}
}

void crew_sleep(struct crew *c, const struct await *w)
{
	struct await all[CREW_MOST + 1];
	size_t n = 0;
	unsigned i;

	all[n++] = *w;
	for (i = 0; n <= c->n_busy; i++)
		if (c->members[i].busy)
			all[n++] = c->members[i].wait;
	await_any(all, n);
}

/* ---- in a task ---- */

void crew_share(void)
{
	if (own && own->running)
		own->running->shares = own->kind.members > 1;
}

bool crew_is_shared(void)
{
	return own && own->running && own->running->shares;
}

bool crew_await(atomic_uint *word, unsigned seen, unsigned ms)
{
	const struct await w = { word, seen, clock_mono_us() + (int64_t)ms * 1000 };
	struct crew *c = own;

	if (await_is_changed(&w))
		return true;
	if (crew_is_shared()) {
		c->running->wait = w;
		leave(c, c->running);
	} else {
		await_one(&w);
	}
	return await_is_changed(&w);
}
