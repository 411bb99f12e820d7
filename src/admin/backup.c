/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/random.h"
#include "base/thread.h"
#include "pki/crypto.h"
#include "store/health.h"

#define FILE_NAME "backup.db"
#define SPARE_BYTES (64u << 20) /* that the disk must have left beside the copy */

struct backup {
	struct backup_config config;
	char path[PATH_MAX];
	pthread_mutex_t lock; /* of state, and of begin and remove as a whole */
	struct backup_state state;
	bool there;   /* state says something */
	bool running; /* the thread is to be joined */
	atomic_bool give_up;
	pthread_t thread;
};

/* ---- the thread ---- */

static bool on_pages(void *ctx, uint64_t done, uint64_t total)
{
	struct backup *b = ctx;

	(void)pthread_mutex_lock(&b->lock);
	b->state.pages = done;
	b->state.total = total;
	(void)pthread_mutex_unlock(&b->lock);
	return !atomic_load(&b->give_up);
}

static RESULT hash_file(int fd, uint64_t size, uint8_t out[STORE_HASH], struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	uint8_t digest[DIGEST_MAX];
	struct span bytes;
	enum result r;
	void *at;

	TRY(crypto_new(&c, false, err));
	at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return err_errno(err, errno, "backup");
	bytes = span_of(at, size);
	r = crypto_digest(c, DIGEST_SHA256, &bytes, 1, digest, err);
	(void)munmap(at, size);
	if (r == OK)
		memcpy(out, digest, STORE_HASH);
	return r;
}

static RESULT measure(const struct backup *b, struct backup_state *out, struct err *err)
{
	int fd = open(b->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum result r = OK;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		r = err_errno(err, errno, "%s", b->path);
	if (r == OK)
		r = hash_file(fd, (uint64_t)st.st_size, out->sha256, err);
	if (r == OK)
		out->bytes = (uint64_t)st.st_size;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

static void *run(void *arg)
{
	struct backup *b = arg;
	struct backup_state made = { .phase = BACKUP_DONE };
	struct err err = { 0 };
	enum result r;

	r = store_backup(b->config.store, b->path, on_pages, b, &made.snapshot, &err);
	if (r == OK)
		r = measure(b, &made, &err);
	(void)pthread_mutex_lock(&b->lock);
	b->state.phase = r == OK ? BACKUP_DONE : BACKUP_FAILED;
	b->state.why = err;
	b->state.bytes = made.bytes;
	b->state.snapshot = made.snapshot;
	memcpy(b->state.sha256, made.sha256, STORE_HASH);
	(void)pthread_mutex_unlock(&b->lock);
	if (r != OK)
		log_error(b->config.log, "backup failed", LOG_ERR(&err));
	return NULL;
}

/* ---- for those who ask ---- */

/* Without the lock, which the thread takes. */
static void await(struct backup *b)
{
	atomic_store(&b->give_up, true);
	(void)pthread_join(b->thread, NULL);
}

enum result backup_new(struct backup **out, const struct backup_config *config, struct err *err)
{
	struct backup *b = calloc(1, sizeof(*b));

	if (!b)
		return err_nomem(err);
	b->config = *config;
	(void)pthread_mutex_init(&b->lock, NULL);
	if (snprintf(b->path, sizeof(b->path), "%s/%s", config->directory, FILE_NAME) >=
	    (int)sizeof(b->path)) {
		backup_free(b);
		return err_set(err, ERR_LIMIT, "%s: path too long", config->directory);
	}
	b->config.directory = NULL;
	(void)unlink(b->path);
	*out = b;
	return OK;
}

void backup_free(struct backup *b)
{
	if (!b)
		return;
	if (b->running)
		await(b);
	if (b->there)
		(void)unlink(b->path);
	(void)pthread_mutex_destroy(&b->lock);
	free(b);
}

/* A full disk would stop the store itself. */
static RESULT check_room(const struct backup *b, struct err *err)
{
	char directory[PATH_MAX];
	struct store_stats stats;
	struct statvfs fs;
	uint64_t need, have;

	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(strrchr(b->path, '/') - b->path),
		       b->path);
	store_stats(b->config.store, &stats);
	need = stats.file_bytes + stats.log_bytes + SPARE_BYTES;
	if (statvfs(directory, &fs) != 0)
		return err_errno(err, errno, "%s", directory);
	have = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (have >= need)
		return OK;
	return err_set(
	    err, ERR_IO, "%s has %llu MiB left, and the copy takes up to %llu: make room first",
	    directory, (unsigned long long)(have >> 20), (unsigned long long)(need >> 20));
}

static RESULT start(struct backup *b, struct err *err)
{
	static const struct thread_kind kind = { .name = "backup" };
	uint8_t id[8];

	TRY(check_room(b, err));
	TRY(random_fill(id, sizeof(id), err));
	b->state = (struct backup_state){ .started = clock_now(b->config.clock) };
	(void)snprintf(b->state.id, sizeof(b->state.id), "%02x%02x%02x%02x%02x%02x%02x%02x", id[0],
		       id[1], id[2], id[3], id[4], id[5], id[6], id[7]);
	atomic_store(&b->give_up, false);
	TRY(thread_start(&b->thread, &kind, 0, run, b, err));
	b->running = b->there = true;
	return OK;
}

enum result backup_begin(struct backup *b, struct backup_state *out, struct err *err)
{
	enum result r = OK;

	(void)pthread_mutex_lock(&b->lock);
	if (b->running && b->state.phase == BACKUP_RUNNING)
		r = err_set(err, ERR_BUSY, "backup %s is being made: wait for it", b->state.id);
	else if (b->running)
		(void)pthread_join(b->thread, NULL); /* it has nothing more to say */
	if (r == OK) {
		b->running = b->there = false;
		r = start(b, err);
	}
	if (r == OK)
		*out = b->state;
	(void)pthread_mutex_unlock(&b->lock);
	return r;
}

/* Locked. */
static RESULT find(const struct backup *b, const char *id, struct err *err)
{
	if (b->there && strcmp(b->state.id, id) == 0)
		return OK;
	return err_set(err, ERR_NOT_FOUND, "there is no backup %.32s any more", id);
}

enum result backup_look(struct backup *b, const char *id, struct backup_state *out, struct err *err)
{
	enum result r;

	(void)pthread_mutex_lock(&b->lock);
	r = find(b, id, err);
	if (r == OK)
		*out = b->state;
	(void)pthread_mutex_unlock(&b->lock);
	return r;
}

static RESULT read_at(const char *path, uint64_t offset, size_t max, struct buf *out,
		      struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = out->len;
	uint8_t *at = buf_extend(out, max);
	ssize_t n = -1;

	if (fd >= 0 && at)
		n = pread(fd, at, max, (off_t)offset);
	if (at)
		out->len = len + (n > 0 ? (size_t)n : 0);
	if (fd >= 0)
		(void)close(fd);
	if (!at)
		return err_nomem(err);
	return n < 0 ? err_errno(err, errno, "%s", path) : OK;
}

enum result backup_read(struct backup *b, const char *id, uint64_t offset, size_t max,
			struct buf *out, struct err *err)
{
	struct backup_state state;

	TRY(backup_look(b, id, &state, err));
	if (state.phase != BACKUP_DONE)
		return err_set(err, ERR_CONFLICT, "backup %s is not done", id);
	return read_at(b->path, offset, max, out, err);
}

enum result backup_remove(struct backup *b, const char *id, struct err *err)
{
	bool running;
	enum result r;

	(void)pthread_mutex_lock(&b->lock);
	r = find(b, id, err);
	running = r == OK && b->running;
	if (r == OK)
		b->there = b->running = false;
	(void)pthread_mutex_unlock(&b->lock);
	TRY(r);
	if (running)
		await(b);
	(void)unlink(b->path);
	return OK;
}
