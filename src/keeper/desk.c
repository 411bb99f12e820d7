/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/desk.h"

#include <stdlib.h>

#include "base/thread.h"
#include "keeper/answer.h"
#include "keeper/board.h"

#define SEATS_MAX 128
/* Key operations need far less; a token's library may need it. */
#define STACK_BYTES (512u << 10)

struct seat {
	struct board *board;
	struct answer *answer;
	pthread_t thread;
};

struct desk {
	struct board *board;
	unsigned n_seats; /* whose threads run */
	struct seat seats[SEATS_MAX];
};

static void *seat_run(void *arg)
{
	const struct seat *s = arg;
	unsigned place = 0;

	while (board_next(s->board, &place))
		answer_place(s->answer, s->board, place);
	return NULL;
}

static RESULT start_seat(struct desk *d, struct keyring *ring, const struct log *log,
			 struct err *err)
{
	static const struct thread_kind kind = { .name = "desk", .stack = STACK_BYTES };
	struct seat *s = &d->seats[d->n_seats];
	enum result r;

	s->board = d->board;
	TRY(answer_new(&s->answer, ring, log, err));
	r = thread_start(&s->thread, &kind, d->n_seats, seat_run, s, err);
	if (r == OK)
		d->n_seats++;
	else
		answer_free(s->answer);
	return r;
}

enum result desk_new(struct desk **out, int memory, struct keyring *ring, unsigned n,
		     const struct log *log, struct err *err)
{
	CLEANUP(desk_freep) struct desk *d = calloc(1, sizeof(*d));
	unsigned i;

	if (!d)
		return err_nomem(err);
	TRY(board_open(&d->board, memory, err));
	for (i = 0; i < n && i < SEATS_MAX; i++)
		TRY(start_seat(d, ring, log, err));
	*out = take(d);
	return OK;
}

void desk_close(struct desk *d)
{
	if (d->board)
		board_end(d->board);
}

void desk_free(struct desk *d)
{
	unsigned i;

	if (!d)
		return;
	desk_close(d);
	for (i = 0; i < d->n_seats; i++) {
		(void)pthread_join(d->seats[i].thread, NULL);
		answer_free(d->seats[i].answer);
	}
	board_free(d->board);
	free(d);
}
