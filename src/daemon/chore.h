/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread of the server that looks after something once a second, so that neither an event loop
 * nor a worker waits for it. First member of what it is for.
 */
#ifndef DAEMON_CHORE_H
#define DAEMON_CHORE_H

#include "base/ticker.h"
#include "daemon/server.h"

struct chore {
	struct server *server;
	struct crypto *crypto; /* the thread's own */
	/* chore.c's */
	void (*look)(struct chore *c);
	struct ticker ticker;
	pthread_t thread;
	bool running;
};

/*
 * *c is zeroed. Looks at once, and a second after each look again. The server must outlive it.
 * name: as thread_start() has it. On failure as well, chore_end() is to be called.
 */
RESULT chore_start(struct chore *c, const char *name, struct server *server,
		   void (*look)(struct chore *c), struct err *err);
/* Waits for nothing: where several are to be ended. */
void chore_ask_to_end(struct chore *c);
/* Waits for the look that is under way. */
void chore_end(struct chore *c);
/* For a look that takes long. */
bool chore_is_ending(struct chore *c);

#endif
