/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that server and keeper share, for requests of every day: places, each for one request and
 * then its reply, as keeper/wire.h has them. Nobody makes a system call to pass one on but to wake
 * who sleeps, so that under load hardly any is made.
 *
 * Neither side trusts the other: what lies in a place is copied before it is read, the memory
 * cannot shrink under its user (sealed), and every wait ends by time. The other side can withhold
 * answers, as it could on any channel, and no more.
 */
#ifndef KEEPER_BOARD_H
#define KEEPER_BOARD_H

#include "base/buf.h"

struct board;

/* More than a server has threads. Touched only as far as they are used at the same time. */
#define BOARD_PLACES 2048
/* Of a place: holds any certificate, signature and content key; what is longer goes by a channel.
 */
#define BOARD_OCTETS 16320u

void board_free(struct board *b);
DEFINE_CLEANUP(struct board, board_free)

/* ---- the server's side: any thread ---- */

/* *fd: the memory's descriptor, for the keeper; the caller closes it. */
RESULT board_new(struct board **out, int *fd, struct err *err);
/* Puts a request up and tells its place. ERR_LIMIT: too long; ERR_BUSY: all places are taken. */
RESULT board_ask(struct board *b, const struct span *parts, size_t n, unsigned *place,
		 struct err *err);
/*
 * Waits (base/crew.h) for the reply of that place, and puts it into `in`, which is emptied first;
 * the place is free again then, whatever the reply is. ERR_TIMEOUT: there is none within ms, and
 * the place is kept.
 */
RESULT board_await(struct board *b, unsigned place, unsigned ms, struct buf *in, struct err *err);
/* Gives up a place without its reply. It is free again when the keeper has come to it. */
void board_leave(struct board *b, unsigned place);

/* ---- the keeper's side: any thread ---- */

/* Takes a descriptor of board_new()'s, which stays the caller's. ERR_SYNTAX: it is none. */
RESULT board_open(struct board **out, int fd, struct err *err);
/*
 * Waits for a request; *place: the last one that this thread took, then the new one, so that each
 * place has its turn. False: board_end() was called.
 */
bool board_next(struct board *b, unsigned *place);
/* What was asked there, into `in`, which is emptied first. ERR_SYNTAX: longer than a place. */
RESULT board_read(const struct board *b, unsigned place, struct buf *in, struct err *err);
/* The parts together are at most BOARD_OCTETS long. */
void board_reply(struct board *b, unsigned place, const struct span *parts, size_t n);
/* All threads return from board_next(). */
void board_end(struct board *b);

#endif
