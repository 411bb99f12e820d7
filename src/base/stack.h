/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks between which a thread goes to and fro, told to the sanitizers. By the C library's
 * ucontext, but for the usual processors, where that costs two system calls too many (it keeps each
 * stack's own signal mask).
 */
#ifndef BASE_STACK_H
#define BASE_STACK_H

#include <stddef.h>
#include <stdint.h>

#if (defined(__x86_64__) && !(defined(__CET__) && __CET__ & 2)) || defined(__aarch64__)
#define STACK_JUMPS
#else
#include <ucontext.h>
#endif

struct stack {
#ifdef STACK_JUMPS
	void *top; /* while the thread is elsewhere: its registers are there */
#else
	ucontext_t context;
#endif
	uint8_t *bottom;
	size_t size;
	void (*run)(void *arg);
	void *arg;
	void *frames; /* the address sanitizer's */
	void *fiber;  /* the thread sanitizer's */
};

/* That on which the caller is. Nothing is to be freed. */
void stack_here(struct stack *s);
/* A new one in that memory, on which run(arg) begins with the first switch and must not return. */
void stack_new(struct stack *s, uint8_t *bottom, size_t size, void (*run)(void *arg), void *arg);
/* Nobody is on it. The memory stays the caller's. */
void stack_clear(struct stack *s);

/* Of one thread: leaves `from`, on which the caller is, until it is switched to again. */
void stack_switch(struct stack *from, struct stack *to);

#endif
