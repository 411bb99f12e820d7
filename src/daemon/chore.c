/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/chore.h"

#include "base/thread.h"

#define TICK_SECONDS 1

static void *run(void *arg)
{
	struct chore *c = arg;

	do {
		c->look(c);
	} while (ticker_wait(&c->ticker, TICK_SECONDS));
	return NULL;
}

enum result chore_start(struct chore *c, const char *name, struct server *server,
			void (*look)(struct chore *c), struct err *err)
{
	const struct thread_kind kind = { .name = name };

	c->server = server;
	c->look = look;
	ticker_init(&c->ticker);
	TRY(crypto_new(&c->crypto, false, err));
	TRY(thread_start(&c->thread, &kind, 0, run, c, err));
	c->running = true;
	return OK;
}

void chore_ask_to_end(struct chore *c)
{
	ticker_end(&c->ticker);
}

void chore_end(struct chore *c)
{
	ticker_end(&c->ticker);
	if (c->running)
		(void)pthread_join(c->thread, NULL);
	ticker_clear(&c->ticker);
	crypto_free(c->crypto);
}

bool chore_is_ending(struct chore *c)
{
	return ticker_is_ending(&c->ticker);
}
