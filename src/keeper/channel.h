/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole messages over a channel, and channels over the introduction socket. A message is one
 * sendmsg(2) and, as a rule, one recv(2). The descriptors' own timeouts hold.
 */
#ifndef KEEPER_CHANNEL_H
#define KEEPER_CHANNEL_H

#include "keeper/wire.h"

#define CHANNEL_PARTS_MAX 3

/* ERR_TIMEOUT, or ERR_IO when the other side has gone. */
RESULT channel_send(int fd, const struct span *parts, size_t n, struct err *err);
/*
 * The next message, header included, into `in`, whose memory is used again; of a long one as much
 * as `length` wants held. ERR_TIMEOUT, ERR_LIMIT, ERR_SYNTAX, or ERR_IO when the other side has
 * gone.
 */
RESULT channel_recv(int fd, keeper_wire_length_fn *length, struct buf *in, struct err *err);
/* Some of the octets, at most max, that follow what is held of a long message, into `in`. */
RESULT channel_recv_more(int fd, size_t max, struct buf *in, struct err *err);

/* What is introduced, and the descriptors that come with it. */
enum channel_kind {
	CHANNEL_ERRAND, /* a channel */
	CHANNEL_BOARD,  /* a board's memory, and a socket that breaks when its user dies */
	CHANNEL_KINDS_
};
#define CHANNEL_FDS_MAX 2

/* Hands descriptors over (SCM_RIGHTS); the caller still closes its own. Never blocks: ERR_BUSY. */
RESULT channel_introduce(int intro_fd, enum channel_kind kind, const int *fds, size_t n,
			 struct err *err);
/*
 * As many descriptors as the kind has, the caller's to close. ERR_IO: the introduction socket has
 * ended. ERR_SYNTAX: another number of them, or no kind.
 */
RESULT channel_accept(int intro_fd, enum channel_kind *kind, int fds[CHANNEL_FDS_MAX],
		      struct err *err);

#endif
