/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "keeper/answer.h"
#include "keeper/channel.h"
#include "keeper/desk.h"

/* A list of revoked certificates is being signed, or a key made. */
#define ERRANDS_MAX 64
/* One a server; another while one that died is being replaced. */
#define DESKS_MAX 4
/* Of a channel's thread; key operations need far less, a token's library may need it. */
#define STACK_BYTES (512u << 10)

/* An errand's channel, and its thread. */
struct served {
	struct served *next;
	struct served **link;
	struct keeper *keeper;
	int fd;
};

/* What a server has put up, and the socket that breaks when it dies. */
struct customer {
	struct desk *desk; /* NULL: no customer */
	int life;          /* -1: it has died, and the desk is closed */
};

struct keeper {
	struct keyring *ring;
	const struct log *log;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct served *first; /* the errands */
	unsigned count;
	unsigned seats; /* of a desk */
	struct customer customers[DESKS_MAX];
};

/* No dump, no debugger: what this process knows stays in it. */
static enum result seal(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none))
		return err_errno(err, errno, "keeper: no core dumps");
	return OK;
}

static bool enlist(struct keeper *k, struct served *s)
{
	bool room;

	(void)pthread_mutex_lock(&k->lock);
	room = k->count < ERRANDS_MAX;
	if (room) {
		s->next = k->first;
		s->link = &k->first;
		if (s->next)
			s->next->link = &s->next;
		k->first = s;
		k->count++;
	}
	(void)pthread_mutex_unlock(&k->lock);
	return room;
}

static void discharge(struct served *s)
{
	struct keeper *k = s->keeper;

	(void)pthread_mutex_lock(&k->lock);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	k->count--;
	/* closed under the lock: end_errands() must not shut down another file's descriptor */
	(void)close(s->fd);
	(void)pthread_cond_signal(&k->ended);
	(void)pthread_mutex_unlock(&k->lock);
	free(s);
}

static void *serve(void *arg)
{
	struct served *s = arg;

	CLEANUP(answer_freep) struct answer *a = NULL;
	struct err err = { 0 };
	enum result r = answer_new(&a, s->keeper->ring, s->keeper->log, &err);

	while (r == OK)
		r = answer_one(a, s->fd, &err);
	if (r != ERR_IO) /* the server closed it when it had its reply */
		log_warning(s->keeper->log, "channel closed", LOG_ERR(&err));
	answer_free(take(a));
	discharge(s);
	return NULL;
}

static enum result start_thread(struct served *s, struct err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	int failed;

	failed = pthread_attr_init(&attr);
	if (failed)
		return err_errno(err, failed, "keeper: thread");
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	(void)pthread_attr_setstacksize(&attr, STACK_BYTES);
	failed = pthread_create(&thread, &attr, serve, s);
	(void)pthread_attr_destroy(&attr);
	return failed ? err_errno(err, failed, "keeper: thread") : OK;
}

/* Takes the channel over. */
static enum result serve_errand(struct keeper *k, int fd, struct err *err)
{
	struct served *s = calloc(1, sizeof(*s));
	enum result r;

	if (s)
		*s = (struct served){ .keeper = k, .fd = fd };
	if (!s || !enlist(k, s)) {
		free(s);
		(void)close(fd);
		return err_set(err, ERR_LIMIT, "keeper: no room for another errand (at most %d)",
			       ERRANDS_MAX);
	}
	r = start_thread(s, err);
	if (r != OK)
		discharge(s);
	return r;
}

/* Cuts all channels and waits for their threads, which use the keyring. */
static void end_errands(struct keeper *k)
{
	const struct served *s;

	(void)pthread_mutex_lock(&k->lock);
	for (s = k->first; s; s = s->next)
		(void)shutdown(s->fd, SHUT_RDWR);
	while (k->count)
		(void)pthread_cond_wait(&k->ended, &k->lock);
	(void)pthread_mutex_unlock(&k->lock);
}

static void tell_away(void *ctx, const char *id, const struct err *why)
{
	const struct keeper *k = ctx;

	log_warning(k->log, "key cannot be used; it is tried again when it is asked for",
		    LOG_STR("key", id), LOG_ERR(why));
}

/* A token that hangs holds up nobody else. */
struct check {
	pthread_t thread;
	bool runs;
};

static void *run_check(void *arg)
{
	struct keeper *k = arg;

	keyring_check(k->ring, tell_away, k);
	return NULL;
}

static enum result start_check(struct keeper *k, const struct keeper_config *config,
			       struct check *check, struct err *err)
{
	static const struct thread_kind kind = { .name = "check", .stack = STACK_BYTES };
	const struct token_config *tokens = &config->keys.vault.tokens;

	if (!tokens->pkcs11_module && !tokens->tpm_tcti)
		return OK;
	TRY(thread_start(&check->thread, &kind, 0, run_check, k, err));
	check->runs = true;
	return OK;
}

/* ---- customers ---- */

/* Of those that have died. May wait for a token: what else there is to do goes first. */
static void clear_away(struct keeper *k)
{
	size_t i;

	for (i = 0; i < DESKS_MAX; i++)
		if (k->customers[i].life < 0)
			desk_free(take(k->customers[i].desk));
}

static void see_off(struct customer *c)
{
	(void)close(c->life);
	c->life = -1;
	desk_close(c->desk);
}

static enum result serve_board(struct keeper *k, int memory, int life, struct err *err)
{
	struct customer *c = k->customers, *const end = c + DESKS_MAX;
	enum result r;

	while (c < end && c->desk)
		c++;
	if (c < end)
		r = desk_new(&c->desk, memory, k->ring, k->seats, k->log, err);
	else
		r = err_set(err, ERR_LIMIT, "keeper: no room for another server (at most %d)",
			    DESKS_MAX);
	(void)close(memory);
	if (r == OK)
		c->life = life;
	else
		(void)close(life);
	clear_away(k);
	return r;
}

static void end_customers(struct keeper *k)
{
	size_t i;

	for (i = 0; i < DESKS_MAX; i++)
		if (k->customers[i].desk && k->customers[i].life >= 0)
			see_off(&k->customers[i]);
	clear_away(k);
}

/* ---- introductions ---- */

static enum result welcome(struct keeper *k, int intro_fd, struct err *err)
{
	enum channel_kind kind = CHANNEL_ERRAND;
	int fds[CHANNEL_FDS_MAX];
	enum result r;

	TRY(channel_accept(intro_fd, &kind, fds, err));
	r = kind == CHANNEL_BOARD ? serve_board(k, fds[0], fds[1], err)
				  : serve_errand(k, fds[0], err);
	if (r != OK)
		log_warning(k->log, "channel refused", LOG_ERR(err));
	return OK;
}

enum { AT_STOP, AT_INTRO, AT_LIVES, FDS = AT_LIVES + DESKS_MAX };

/* poll(2) passes over those that are negative. */
static void watch(const struct keeper *k, struct pollfd fds[FDS])
{
	size_t i;

	for (i = 0; i < DESKS_MAX; i++)
		fds[AT_LIVES + i] =
		    (struct pollfd){ .fd = k->customers[i].desk ? k->customers[i].life : -1,
				     .events = POLLIN };
}

static enum result accept_all(struct keeper *k, const struct keeper_config *config, struct err *err)
{
	struct pollfd fds[FDS] = { [AT_STOP] = { .fd = config->stop_fd, .events = POLLIN },
				   [AT_INTRO] = { .fd = config->intro_fd, .events = POLLIN } };
	enum result r;
	size_t i;

	for (;;) {
		watch(k, fds);
		if (poll(fds, FDS, -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "keeper: poll");
		if (fds[AT_STOP].revents)
			return OK;
		for (i = 0; i < DESKS_MAX; i++)
			if (fds[AT_LIVES + i].revents)
				see_off(&k->customers[i]);
		r = fds[AT_INTRO].revents ? welcome(k, config->intro_fd, err) : OK;
		if (r == ERR_IO)
			return r;
		if (r != OK)
			log_warning(k->log, "introduction refused", LOG_ERR(err));
	}
}

/*
 * One a processor, two at least. Beyond these as many as may wait for tokens at the same time,
 * which are never all.
 */
static unsigned seats_of(const struct token_config *tokens)
{
	unsigned n = thread_cores();
	unsigned waiting = tokens->pkcs11_module || tokens->tpm_tcti ? TOKENS_WAITING_MAX : 0;

	return (n > 2 ? n : 2) + waiting;
}

enum result keeper_run(const struct keeper_config *config, struct err *err)
{
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	struct keeper k = { .log = &config->log,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .ended = PTHREAD_COND_INITIALIZER };
	struct check check = { .runs = false };
	struct err local;
	enum result r;

	if (!err)
		err = &local;
	TRY(seal(err));
	TRY(keyring_open(&ring, &config->keys, err));
	k.ring = ring;
	k.seats = seats_of(&config->keys.vault.tokens);
	log_info(k.log, "keeper ready", LOG_INT("keys", keyring_count(ring)));
	if (config->keys.vault.passphrase && keyring_count_plain(ring))
		log_warning(k.log, "key files are not encrypted; scepterd --protect-keys does it",
			    LOG_INT("plain", keyring_count_plain(ring)));
	TRY(start_check(&k, config, &check, err));
	r = accept_all(&k, config, err);
	end_customers(&k);
	end_errands(&k);
	if (check.runs)
		(void)pthread_join(check.thread, NULL);
	return r;
}
