/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks between which a thread goes to and fro (ucontext), told to the sanitizers. */
#ifndef BASE_STACK_H
#define BASE_STACK_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

struct stack {
	ucontext_t context; /* while the thread is elsewhere */
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
