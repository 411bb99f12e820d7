/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/desk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/thread.h"
#include "keeper/answer.h"

#define SEATS_MAX 128
/* Key operations need far less; a token's library may need it. */
#define STACK_BYTES (512u << 10)
/* The server has a channel for each thread that ever signed at the same time as others. */
#define CHANNELS_MAX 1024
/* A request that has come in part holds up a thread: the rest must be on its way. */
#define REST_SECONDS 5

struct channel {
	struct channel *next;
	struct channel **link;
	int fd;
};

struct seat {
	struct desk *desk;
	struct answer *answer;
	pthread_t thread;
};

struct desk {
	const struct log *log;
	int epoll;
	int stop;             /* an eventfd among the channels: readable at the end */
	pthread_mutex_t lock; /* of the channels' list */
	struct channel *first;
	unsigned n_channels;
	unsigned n_seats; /* whose threads run */
	struct seat seats[SEATS_MAX];
};

/* ---- channels ---- */

static bool enlist(struct desk *d, struct channel *ch)
{
	bool room;

	(void)pthread_mutex_lock(&d->lock);
	room = d->n_channels < CHANNELS_MAX;
	if (room) {
		ch->next = d->first;
		ch->link = &d->first;
		if (ch->next)
			ch->next->link = &ch->next;
		d->first = ch;
		d->n_channels++;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return room;
}

static void discharge(struct desk *d, struct channel *ch)
{
	(void)pthread_mutex_lock(&d->lock);
	*ch->link = ch->next;
	if (ch->next)
		ch->next->link = ch->link;
	d->n_channels--;
	(void)pthread_mutex_unlock(&d->lock);
	(void)close(ch->fd);
	free(ch);
}

/* One thread at a time: the next request is nobody's before this one's reply is out. */
static RESULT listen_to(const struct desk *d, int op, struct channel *ch, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.ptr = ch };

	return epoll_ctl(d->epoll, op, ch->fd, &event) ? err_errno(err, errno, "keeper: epoll")
						       : OK;
}

enum result desk_add(struct desk *d, int channel, struct err *err)
{
	const struct timeval rest = { .tv_sec = REST_SECONDS };
	struct channel *ch = calloc(1, sizeof(*ch));
	enum result r;

	if (ch)
		ch->fd = channel;
	if (!ch || !enlist(d, ch)) {
		free(ch);
		(void)close(channel);
		return err_set(err, ERR_LIMIT, "keeper: no room for another channel (at most %d)",
			       CHANNELS_MAX);
	}
	(void)setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &rest, sizeof(rest));
	r = listen_to(d, EPOLL_CTL_ADD, ch, err);
	if (r != OK)
		discharge(d, ch);
	return r;
}

/* ---- threads ---- */

static void attend(const struct seat *s, struct channel *ch)
{
	struct err err = { 0 };
	enum result r = answer_one(s->answer, ch->fd, &err);

	if (r == OK)
		r = listen_to(s->desk, EPOLL_CTL_MOD, ch, &err);
	if (r == OK)
		return;
	if (r != ERR_IO) /* the server closed it, as it does at its end */
		log_warning(s->desk->log, "channel closed", LOG_ERR(&err));
	discharge(s->desk, ch);
}

static void *seat_run(void *arg)
{
	const struct seat *s = arg;
	struct epoll_event event;
	int n;

	for (;;) {
		n = epoll_wait(s->desk->epoll, &event, 1, -1);
		if (n < 0 && errno != EINTR)
			log_error(s->desk->log, "epoll failed", LOG_INT("errno", errno));
		if (n < 0 && errno != EINTR)
			return NULL;
		if (n == 1 && !event.data.ptr)
			return NULL;
		if (n == 1)
			attend(s, event.data.ptr);
	}
}

static RESULT start_seat(struct desk *d, struct keyring *ring, struct err *err)
{
	static const struct thread_kind kind = { .name = "desk", .stack = STACK_BYTES };
	struct seat *s = &d->seats[d->n_seats];
	enum result r;

	s->desk = d;
	TRY(answer_new(&s->answer, ring, false, d->log, err));
	r = thread_start(&s->thread, &kind, d->n_seats, seat_run, s, err);
	if (r == OK)
		d->n_seats++;
	else
		answer_free(s->answer);
	return r;
}

static RESULT open_epoll(struct desk *d, struct err *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->epoll < 0 || d->stop < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->stop, &event))
		return err_errno(err, errno, "keeper: epoll");
	return OK;
}

enum result desk_new(struct desk **out, struct keyring *ring, unsigned n, const struct log *log,
		     struct err *err)
{
	CLEANUP(desk_freep) struct desk *d = calloc(1, sizeof(*d));
	unsigned i;

	if (!d)
		return err_nomem(err);
	d->log = log;
	d->epoll = d->stop = -1;
	(void)pthread_mutex_init(&d->lock, NULL);
	TRY(open_epoll(d, err));
	for (i = 0; i < n && i < SEATS_MAX; i++)
		TRY(start_seat(d, ring, err));
	*out = take(d);
	return OK;
}

void desk_free(struct desk *d)
{
	unsigned i;

	if (!d)
		return;
	if (d->stop >= 0)
		(void)eventfd_write(d->stop, 1); /* never read: all threads see it */
	for (i = 0; i < d->n_seats; i++) {
		(void)pthread_join(d->seats[i].thread, NULL);
		answer_free(d->seats[i].answer);
	}
	while (d->first)
		discharge(d, d->first);
	if (d->stop >= 0)
		(void)close(d->stop);
	if (d->epoll >= 0)
		(void)close(d->epoll);
	(void)pthread_mutex_destroy(&d->lock);
	free(d);
}
