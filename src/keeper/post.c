/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/post.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "keeper/board.h"
#include "keeper/channel.h"
#include "keeper/errand.h"

/* So long an unanswered request waits before it looks whether the keeper is still there. */
#define LOOK_MS 50
/* After such a silence the look comes before the request: under load there is none. */
#define SILENCE_US 500

/* A board, and a socket that breaks when the keeper that has it dies. */
struct line {
	unsigned users; /* under the post's lock; the post is one itself */
	struct board *board;
	int life;
	_Atomic int64_t heard; /* the last answer, clock_mono_us() */
};

struct post {
	int intro_fd;
	unsigned timeout_ms;
	pthread_mutex_t lock; /* of line and its users */
	struct line *line;    /* NULL: none yet, or the last one is dead */
};

/* ---- lines ---- */

static void line_free(struct line *l)
{
	if (!l)
		return;
	if (l->life >= 0)
		(void)close(l->life);
	board_free(l->board);
	free(l);
}
DEFINE_CLEANUP(struct line, line_free)

static RESULT introduce(struct line *l, int intro_fd, int memory, struct err *err)
{
	int pair[2], fds[2] = { memory };
	enum result r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_errno(err, errno, "keeper: socketpair");
	l->life = pair[0];
	fds[1] = pair[1];
	r = channel_introduce(intro_fd, CHANNEL_BOARD, fds, ARRAY_LEN(fds), err);
	(void)close(pair[1]);
	return r;
}

static RESULT line_new(struct line **out, int intro_fd, struct err *err)
{
	CLEANUP(line_freep) struct line *l = calloc(1, sizeof(*l));
	int memory = -1;
	enum result r;

	if (!l)
		return err_nomem(err);
	l->users = 1;
	l->life = -1;
	TRY(board_new(&l->board, &memory, err));
	r = introduce(l, intro_fd, memory, err);
	(void)close(memory);
	TRY(r);
	*out = take(l);
	return OK;
}

static bool is_dead(const struct line *l)
{
	struct pollfd life = { .fd = l->life, .events = POLLIN };

	return poll(&life, 1, 0) == 1;
}

/* Of somebody who is done with it. The last one frees it. */
static void release(struct post *p, struct line *l)
{
	bool last;

	(void)pthread_mutex_lock(&p->lock);
	last = --l->users == 0;
	(void)pthread_mutex_unlock(&p->lock);
	if (last)
		line_free(l);
}

/* The next request makes another. */
static void give_up(struct post *p, const struct line *dead)
{
	struct line *l = NULL;

	(void)pthread_mutex_lock(&p->lock);
	if (p->line == dead)
		l = take(p->line);
	(void)pthread_mutex_unlock(&p->lock);
	if (l)
		release(p, l);
}

static RESULT current(struct post *p, struct line **out, struct err *err)
{
	enum result r = OK;

	(void)pthread_mutex_lock(&p->lock);
	if (!p->line)
		r = line_new(&p->line, p->intro_fd, err);
	if (r == OK) {
		p->line->users++;
		*out = p->line;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return r;
}

/* An idle line may turn out to be of a keeper that has died meanwhile. */
static RESULT living(struct post *p, struct line **out, struct err *err)
{
	TRY(current(p, out, err));
	if (clock_mono_us() - atomic_load(&(*out)->heard) < SILENCE_US || !is_dead(*out))
		return OK;
	give_up(p, *out);
	release(p, *out);
	return current(p, out, err);
}

/* ---- short requests ---- */

static RESULT await(struct post *p, struct line *l, unsigned place, struct buf *in, struct err *err)
{
	const int64_t end = clock_mono_us() + (int64_t)p->timeout_ms * 1000;
	enum result r;

	do {
		r = board_await(l->board, place, p->timeout_ms < LOOK_MS ? p->timeout_ms : LOOK_MS,
				in, err);
		if (r != ERR_TIMEOUT)
			break;
		if (is_dead(l))
			r = err_set(err, ERR_IO, "keeper: it has ended");
	} while (r == ERR_TIMEOUT && clock_mono_us() < end);
	if (r == ERR_TIMEOUT || r == ERR_IO)
		board_leave(l->board, place);
	else
		atomic_store(&l->heard, clock_mono_us());
	return r;
}

static RESULT call_on(struct post *p, struct line *l, const struct span *parts, size_t n,
		      struct buf *in, struct err *err)
{
	unsigned place = 0;
	enum result r;

	TRY(board_ask(l->board, parts, n, &place, err));
	r = await(p, l, place, in, err);
	if (r == ERR_IO)
		give_up(p, l);
	return r;
}

static RESULT call_short(struct post *p, const struct keeper_request *req, struct buf *in,
			 struct err *err)
{
	uint8_t header[KEEPER_HEADER];
	const struct span parts[] = { SPAN_ARRAY(header), req->id, req->payload };
	struct line *l = NULL;
	enum result r;

	keeper_wire_put_request(req, header);
	TRY(living(p, &l, err));
	r = call_on(p, l, parts, ARRAY_LEN(parts), in, err);
	release(p, l);
	return r;
}

static RESULT call_errand(const struct post *p, const struct keeper_request *req, struct buf *in,
			  struct keeper_reply *reply, struct err *err)
{
	CLEANUP(errand_freep) struct errand *e = NULL;

	TRY(errand_new(&e, p->intro_fd, req, err));
	return errand_end(e, in, reply, err);
}

enum result post_call(struct post *p, const struct keeper_request *req, struct buf *in,
		      struct keeper_reply *reply, struct err *err)
{
	enum result r = ERR_LIMIT;

	if (!keeper_request_is_slow(req))
		r = call_short(p, req, in, err);
	if (r == ERR_LIMIT) /* too long for a place */
		return call_errand(p, req, in, reply, err);
	TRY(r);
	return keeper_wire_get_reply(buf_span(in), reply, err);
}

/* ---- the post ---- */

enum result post_new(struct post **out, int intro_fd, unsigned timeout_ms, struct err *err)
{
	struct post *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(err);
	p->intro_fd = intro_fd;
	p->timeout_ms = timeout_ms;
	(void)pthread_mutex_init(&p->lock, NULL);
	*out = p;
	return OK;
}

void post_free(struct post *p)
{
	if (!p)
		return;
	if (p->line)
		release(p, p->line);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
}
