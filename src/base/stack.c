/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stack.h"

#include <pthread.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define WITH_ADDRESSES
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define WITH_THREADS
#endif

#define HALF_BITS 32

/* ---- what the sanitizers want to know ---- */

static void leave(struct stack *from, const struct stack *to)
{
#ifdef WITH_ADDRESSES
	__sanitizer_start_switch_fiber(&from->frames, to->bottom, to->size);
#endif
#ifdef WITH_THREADS
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
	(void)from;
	(void)to;
}

static void arrive(const struct stack *s)
{
#ifdef WITH_ADDRESSES
	__sanitizer_finish_switch_fiber(s->frames, NULL, NULL);
#endif
	(void)s;
}

static void begin(struct stack *s)
{
#ifdef WITH_THREADS
	s->fiber = __tsan_create_fiber(0);
#endif
	(void)s;
}

static void end(struct stack *s)
{
#ifdef WITH_ADDRESSES
	ASAN_UNPOISON_MEMORY_REGION(s->bottom, s->size);
#endif
#ifdef WITH_THREADS
	__tsan_destroy_fiber(s->fiber);
#endif
	(void)s;
}

/* ---- stacks ---- */

void stack_here(struct stack *s)
{
	pthread_attr_t attr;
	void *bottom = NULL;

	*s = (struct stack){ 0 };
	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		(void)pthread_attr_getstack(&attr, &bottom, &s->size);
		(void)pthread_attr_destroy(&attr);
	}
	s->bottom = bottom;
#ifdef WITH_THREADS
	s->fiber = __tsan_get_current_fiber();
#endif
}

/* makecontext() hands on integers alone. */
static void enter(unsigned high, unsigned low)
{
	const struct stack *s = (const struct stack *)((uintptr_t)high << HALF_BITS | low);

	arrive(s);
	s->run(s->arg);
}

void stack_new(struct stack *s, uint8_t *bottom, size_t size, void (*run)(void *arg), void *arg)
{
	uintptr_t at = (uintptr_t)s;

	*s = (struct stack){ .bottom = bottom, .size = size, .run = run, .arg = arg };
	(void)getcontext(&s->context);
	s->context.uc_stack.ss_sp = bottom;
	s->context.uc_stack.ss_size = size;
	makecontext(&s->context, (void (*)(void))enter, 2, (unsigned)(at >> HALF_BITS),
		    (unsigned)at);
	begin(s);
}

void stack_clear(struct stack *s)
{
	end(s);
}

void stack_switch(struct stack *from, struct stack *to)
{
	leave(from, to);
	(void)swapcontext(&from->context, &to->context);
	arrive(from);
}
