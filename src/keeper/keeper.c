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

/* Slow ones: a list of revoked certificates is being signed, or a key made. */
#define CHANNELS_MAX 64
/* Of a channel's thread; key operations need far less, a token's library may need it. */
#define STACK_BYTES (512u << 10)

struct served {
	struct served *next;
	struct served **link;
	struct keeper *keeper;
	int fd;
};

struct keeper {
	struct keyring *ring;
	const struct log *log;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct served *first; /* the slow channels, one a thread */
	unsigned count;
	struct desk *desk; /* for all others */
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
	room = k->count < CHANNELS_MAX;
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
	/* closed under the lock: end_all() must not shut down another file's descriptor */
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
	enum result r = answer_new(&a, s->keeper->ring, true, s->keeper->log, &err);

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
static enum result serve_slow(struct keeper *k, int fd, struct err *err)
{
	struct served *s = calloc(1, sizeof(*s));
	enum result r;

	if (s)
		*s = (struct served){ .keeper = k, .fd = fd };
	if (!s || !enlist(k, s)) {
		free(s);
		(void)close(fd);
		return err_set(err, ERR_LIMIT,
			       "keeper: no room for another slow channel (at most %d)",
			       CHANNELS_MAX);
	}
	r = start_thread(s, err);
	if (r != OK)
		discharge(s);
	return r;
}

/* Cuts all channels and waits for their threads, which use the keyring. */
static void end_all(struct keeper *k)
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

static enum result accept_channels(struct keeper *k, const struct keeper_config *config,
				   struct err *err)
{
	struct pollfd fds[] = { { .fd = config->stop_fd, .events = POLLIN },
				{ .fd = config->intro_fd, .events = POLLIN } };
	enum result r = OK;
	bool slow = false;
	int fd;

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_errno(err, errno, "keeper: poll");
		if (fds[0].revents)
			return OK;
		if (!fds[1].revents)
			continue;
		r = channel_accept(config->intro_fd, &fd, &slow, err);
		if (r == ERR_IO)
			return r;
		if (r == OK)
			r = slow ? serve_slow(k, fd, err) : desk_add(k->desk, fd, err);
		if (r != OK)
			log_warning(k->log, "channel refused", LOG_ERR(err));
	}
}

/*
 * One a processor; two at least, for a request that comes in parts holds one up. Beyond these as
 * many as may wait for tokens at the same time, which are never all.
 */
static unsigned seats(const struct token_config *tokens)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned waiting = tokens->pkcs11_module || tokens->tpm_tcti ? TOKENS_WAITING_MAX : 0;

	return (n > 2 ? (unsigned)n : 2) + waiting;
}

enum result keeper_run(const struct keeper_config *config, struct err *err)
{
	CLEANUP(keyring_freep) struct keyring *ring = NULL;
	CLEANUP(desk_freep) struct desk *desk = NULL;
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
	TRY(desk_new(&desk, ring, seats(&config->keys.vault.tokens), k.log, err));
	k.desk = desk;
	log_info(k.log, "keeper ready", LOG_INT("keys", keyring_count(ring)));
	if (config->keys.vault.passphrase && keyring_count_plain(ring))
		log_warning(k.log, "key files are not encrypted; scepterd --protect-keys does it",
			    LOG_INT("plain", keyring_count_plain(ring)));
	TRY(start_check(&k, config, &check, err));
	r = accept_channels(&k, config, err);
	end_all(&k);
	if (check.runs)
		(void)pthread_join(check.thread, NULL);
	return r;
}
