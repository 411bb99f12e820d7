/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stack.h"

#include <pthread.h>
#include <string.h>

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

/* ---- going there ---- */

/* To which one its thread is on the way: a new one knows no more. */
static _Thread_local struct stack *going;

static void enter(void)
{
	const struct stack *s = going;

	arrive(s);
	s->run(s->arg);
}

#ifdef STACK_JUMPS

/* Leaves on this stack what a function must keep, its top in *from; takes the same from the other.
 */
void stack_jump(void **from, void *to);

#ifdef __x86_64__
asm(".text\n"
    ".globl stack_jump\n"
    ".hidden stack_jump\n"
    ".type stack_jump,@function\n"
    "stack_jump:\n"
    "	pushq %rbp\n"
    "	pushq %rbx\n"
    "	pushq %r12\n"
    "	pushq %r13\n"
    "	pushq %r14\n"
    "	pushq %r15\n"
    "	movq %rsp, (%rdi)\n"
    "	movq %rsi, %rsp\n"
    "	popq %r15\n"
    "	popq %r14\n"
    "	popq %r13\n"
    "	popq %r12\n"
    "	popq %rbx\n"
    "	popq %rbp\n"
    "	ret\n"
    ".size stack_jump,.-stack_jump\n");
#define RETURNS_AT 6  /* words: behind the registers */
#define FRAME_WORDS 8 /* and a return address of the first function, which is none */
#else
asm(".text\n"
    ".globl stack_jump\n"
    ".hidden stack_jump\n"
    ".type stack_jump,%function\n"
    "stack_jump:\n"
    "	sub sp, sp, #160\n"
    "	stp x19, x20, [sp, #0]\n"
    "	stp x21, x22, [sp, #16]\n"
    "	stp x23, x24, [sp, #32]\n"
    "	stp x25, x26, [sp, #48]\n"
    "	stp x27, x28, [sp, #64]\n"
    "	stp x29, x30, [sp, #80]\n"
    "	stp d8, d9, [sp, #96]\n"
    "	stp d10, d11, [sp, #112]\n"
    "	stp d12, d13, [sp, #128]\n"
    "	stp d14, d15, [sp, #144]\n"
    "	mov x9, sp\n"
    "	str x9, [x0]\n"
    "	mov sp, x1\n"
    "	ldp x19, x20, [sp, #0]\n"
    "	ldp x21, x22, [sp, #16]\n"
    "	ldp x23, x24, [sp, #32]\n"
    "	ldp x25, x26, [sp, #48]\n"
    "	ldp x27, x28, [sp, #64]\n"
    "	ldp x29, x30, [sp, #80]\n"
    "	ldp d8, d9, [sp, #96]\n"
    "	ldp d10, d11, [sp, #112]\n"
    "	ldp d12, d13, [sp, #128]\n"
    "	ldp d14, d15, [sp, #144]\n"
    "	add sp, sp, #160\n"
    "	ret\n"
    ".size stack_jump,.-stack_jump\n");
#define RETURNS_AT 11 /* x30, in words */
#define FRAME_WORDS 20
#endif

#define ALIGNMENT 16

/* As if it had left from the beginning of enter(), with all registers 0. */
static void prepare(struct stack *s)
{
	uintptr_t end = ((uintptr_t)s->bottom + s->size) & ~(uintptr_t)(ALIGNMENT - 1);
	uintptr_t *top = (uintptr_t *)end - FRAME_WORDS;

	memset(top, 0, FRAME_WORDS * sizeof(*top));
	top[RETURNS_AT] = (uintptr_t)enter;
	s->top = top;
}

static void go(struct stack *from, struct stack *to)
{
	stack_jump(&from->top, to->top);
}

#else

static void prepare(struct stack *s)
{
	(void)getcontext(&s->context);
	s->context.uc_stack.ss_sp = s->bottom;
	s->context.uc_stack.ss_size = s->size;
	makecontext(&s->context, enter, 0);
}

static void go(struct stack *from, struct stack *to)
{
	(void)swapcontext(&from->context, &to->context);
}

#endif

void stack_new(struct stack *s, uint8_t *bottom, size_t size, void (*run)(void *arg), void *arg)
{
	*s = (struct stack){ .bottom = bottom, .size = size, .run = run, .arg = arg };
	prepare(s);
	begin(s);
}

void stack_clear(struct stack *s)
{
	end(s);
}

void stack_switch(struct stack *from, struct stack *to)
{
	leave(from, to);
	going = to;
	go(from, to);
	arrive(from);
}
