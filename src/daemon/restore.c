/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/backup_manifest.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon/privileges.h"
#include "pki/key_file.h"
#include "store/revocation.h"

#define COPY_PART (1u << 20)

/*
 * Revocation lists that were published after the backup have numbers that the store does not know:
 * so many are passed over at least, and so many for each second since.
 */
#define NUMBERS 1000000
#define NUMBERS_A_SECOND 100

struct restore {
	const struct config *config;
	const char *directory;
	struct backup_manifest manifest;
	struct crypto *c;
	char store[PATH_MAX];  /* where it belongs */
	char making[PATH_MAX]; /* where it is until it is whole */
	unsigned keys;
	unsigned missing_keys;
	uint64_t numbers;
};

static void restore_clear(struct restore *r)
{
	backup_manifest_clear(&r->manifest);
	crypto_free(r->c);
}

static RESULT join(char out[PATH_MAX], const char *a, const char *b, struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", a, b) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s/%s: path too long", a, b);
	return OK;
}

/* ---- is all there, and nothing in the way? ---- */

static RESULT check_hash(struct restore *r, const char *path, const char *want, struct err *err)
{
	BUF hash = BUF_INIT;

	TRY(backup_hash_file(r->c, path, &hash, err));
	if (strcmp(buf_cstr(&hash), want) == 0)
		return OK;
	return err_set(err, ERR_BAD_CHECK,
		       "%s is not what was backed up: its SHA-256 is %s, the manifest has %s", path,
		       buf_cstr(&hash), want);
}

static RESULT key_paths(const struct restore *r, const json_t *key, char from[PATH_MAX],
			char to[PATH_MAX], struct err *err)
{
	const char *file = json_string_value(json_object_get(key, "file"));
	char folder[PATH_MAX];

	TRY(join(folder, r->directory, BACKUP_KEYS, err));
	TRY(join(from, folder, file, err));
	TRY(join(folder, r->config->data, BACKUP_KEYS, err));
	return join(to, folder, file, err);
}

static RESULT check_key(struct restore *r, const json_t *key, struct err *err)
{
	const char *hash = json_string_value(json_object_get(key, "sha256"));
	char from[PATH_MAX], to[PATH_MAX];

	TRY(key_paths(r, key, from, to, err));
	TRY(check_hash(r, from, hash, err));
	if (!file_exists(to) || check_hash(r, to, hash, NULL) == OK)
		return OK;
	return err_set(err, ERR_CONFLICT,
		       "%s is there, and is another key than that of the backup: move it away", to);
}

static RESULT check_free(const char *path, struct err *err)
{
	if (!file_exists(path))
		return OK;
	return err_set(err, ERR_CONFLICT,
		       "%s is there: nothing is overwritten; stop scepterd and move it away, or "
		       "name another data directory",
		       path);
}

static RESULT check_all(struct restore *r, struct err *err)
{
	char from[PATH_MAX], wal[PATH_MAX];
	const json_t *key;
	size_t i;

	TRY(join(r->store, r->config->data, BACKUP_STORE, err));
	TRY(join(wal, r->config->data, BACKUP_STORE "-wal", err));
	TRY(join(r->making, r->config->data, "restore.db", err));
	TRY(check_free(r->store, err));
	TRY(check_free(wal, err));
	TRY(join(from, r->directory, BACKUP_STORE, err));
	TRY(check_hash(r, from, r->manifest.store_sha256, err));
	json_array_foreach(r->manifest.keys, i, key) TRY(check_key(r, key, err));
	return OK;
}

/* ---- the store ---- */

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static RESULT copy_bytes(int from, int to, const char *path, struct err *err)
{
	CLEANUP(buf_clear) struct buf part = BUF_INIT;
	uint8_t *at = buf_extend(&part, COPY_PART);
	ssize_t n, m, done;

	if (!at)
		return err_nomem(err);
	while ((n = read(from, at, COPY_PART)) > 0)
		for (done = 0; done < n; done += m) {
			m = write(to, at + done, (size_t)(n - done));
			if (m < 0)
				return err_errno(err, errno, "%s", path);
		}
	if (n < 0 || fsync(to) != 0)
		return err_errno(err, errno, "%s", path);
	return OK;
}

static RESULT copy_store(const struct restore *r, struct err *err)
{
	char source[PATH_MAX];
	CLEANUP(close_fd) int from = -1;
	CLEANUP(close_fd) int to = -1;

	TRY(join(source, r->directory, BACKUP_STORE, err));
	from = open(source, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return err_errno(err, errno, "%s", source);
	(void)unlink(r->making);
	to = open(r->making, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (to < 0)
		return err_errno(err, errno, "%s", r->making);
	return copy_bytes(from, to, r->making, err);
}

static RESULT check_record(const struct restore *r, struct store *store, struct err *err)
{
	const struct backup_manifest *m = &r->manifest;
	struct store_snapshot at;

	TRY(store_check_whole(store, r->c, &at, err));
	if (at.last_event == m->last_event &&
	    span_eq(SPAN_ARRAY(at.hash), SPAN_ARRAY(m->last_event_hash)))
		return OK;
	return err_set(err, ERR_BAD_CHECK,
		       "the record ends with event %lld, the manifest says %lld, or another one of "
		       "that number",
		       (long long)at.last_event, (long long)m->last_event);
}

static RESULT key_is_there(const struct restore *r, const char *id, const char *suffix, bool *there,
			   struct err *err)
{
	char name[STORE_NAME_MAX + 8], folder[PATH_MAX], path[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s%s", id, suffix);
	TRY(join(folder, r->config->data, BACKUP_KEYS, err));
	TRY(join(path, folder, name, err));
	*there |= file_exists(path);
	return OK;
}

/* As a file, or as what says where in a token it is. */
static enum result count_missing(void *ctx, const struct store_ca *ca, struct err *err)
{
	struct restore *r = ctx;
	size_t i;

	for (i = 0; i < ca->n_keys; i++) {
		const char *id = ca->keys[i].key_id;
		bool there = false;

		TRY(key_is_there(r, id, ".key", &there, err));
		TRY(key_is_there(r, id, ".token", &there, err));
		if (there)
			continue;
		(void)printf("missing: %s/%s/%s.key, of CA %s\n", r->config->data, BACKUP_KEYS, id,
			     ca->name);
		r->missing_keys++;
	}
	return OK;
}

static RESULT settle(struct restore *r, struct store *store, bool keep_challenges, struct err *err)
{
	const struct clock clock = CLOCK_SYSTEM;
	char reason[256], actor[32], when[CLOCK_TEXT_MAX];
	struct store_restoration what = { .revoke_challenges = !keep_challenges };
	int64_t now = clock_now(&clock);

	r->numbers = NUMBERS;
	if (now > r->manifest.time)
		r->numbers += NUMBERS_A_SECOND * (uint64_t)(now - r->manifest.time);
	clock_format(r->manifest.time, when);
	(void)snprintf(actor, sizeof(actor), "uid %u", (unsigned)geteuid());
	(void)snprintf(reason, sizeof(reason),
		       "from the backup of %s; what came after event %lld is lost; %llu numbers of "
		       "revocation lists are passed over%s",
		       when, (long long)r->manifest.last_event, (unsigned long long)r->numbers,
		       keep_challenges ? "" : "; open challenges are revoked");
	what.crl_numbers = r->numbers;
	what.event = (struct store_event){
		.time = now, .kind = "store.restored", .actor = actor, .reason = reason
	};
	return store_restored(store, &what, err);
}

static RESULT make_store(struct restore *r, bool keep_challenges, struct err *err)
{
	const struct store_options options = { .path = r->making };
	CLEANUP(store_closep) struct store *store = NULL;

	TRY(copy_store(r, err));
	TRY(store_open(&store, &options, err));
	TRY(check_record(r, store, err));
	TRY(settle(r, store, keep_challenges, err));
	return store_each_ca(store, count_missing, r, err);
}

/* ---- the keys ---- */

static RESULT take_key(struct restore *r, const json_t *key, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	BUF_SECRET bytes = BUF_INIT;

	TRY(key_paths(r, key, from, to, err));
	if (!file_exists(to)) {
		TRY(file_read(from, KEY_FILE_MAX, &bytes, err));
		TRY(file_write_atomic(to, 0600, buf_span(&bytes), err));
	}
	r->keys++;
	return OK;
}

static RESULT take_keys(struct restore *r, struct err *err)
{
	const json_t *key;
	size_t i;

	json_array_foreach(r->manifest.keys, i, key) TRY(take_key(r, key, err));
	return OK;
}

/* What was there already may have been copied there by root. */
static RESULT give_all(const struct restore *r, struct err *err)
{
	char keys[PATH_MAX], lists[PATH_MAX];

	TRY(join(keys, r->config->data, BACKUP_KEYS, err));
	TRY(join(lists, r->config->data, "crl", err));
	TRY(privileges_give_all(r->config->keeper_user, keys, err));
	return privileges_give_all(r->config->user, lists, err);
}

/* ---- the whole ---- */

static void remove_beside(const char *path)
{
	static const char *const suffixes[] = { "-lock", "-wal", "-shm" };
	char beside[PATH_MAX + 8];
	size_t i;

	for (i = 0; i < ARRAY_LEN(suffixes); i++) {
		(void)snprintf(beside, sizeof(beside), "%s%s", path, suffixes[i]);
		(void)unlink(beside);
	}
}

/* The store comes last: until it is in its place, all of this can be done again. */
static RESULT take_all(struct restore *r, bool keep_challenges, struct err *err)
{
	enum result res;

	TRY(privileges_prepare(r->config, err));
	TRY(take_keys(r, err));
	TRY(give_all(r, err));
	res = make_store(r, keep_challenges, err);
	remove_beside(r->making);
	if (res == OK)
		res = privileges_give(r->config->user, r->making, 0600, err);
	if (res == OK)
		res = file_rename(r->making, r->store, err);
	if (res != OK)
		(void)unlink(r->making);
	return res;
}

static void report(const struct restore *r)
{
	char when[CLOCK_TEXT_MAX];

	clock_format(r->manifest.time, when);
	(void)printf("%s: restored as of %s, events up to %lld\n", r->store, when,
		     (long long)r->manifest.last_event);
	(void)printf("revocation lists: %llu numbers passed over\n",
		     (unsigned long long)r->numbers);
	if (r->keys)
		(void)printf("keys: %u files\n", r->keys);
	if (r->missing_keys)
		(void)printf("%u keys are missing: put them back before scepterd starts\n",
			     r->missing_keys);
	(void)printf("What was issued or revoked after the backup is not known any more: see "
		     "docs/backup.md.\n");
}

enum result restore_run(const struct config *config, const char *directory, bool keep_challenges,
			struct err *err)
{
	CLEANUP(restore_clear) struct restore r = { .config = config, .directory = directory };

	TRY(backup_manifest_read(directory, &r.manifest, err));
	TRY(crypto_new(&r.c, false, err));
	TRY(check_all(&r, err));
	TRY(take_all(&r, keep_challenges, err));
	report(&r);
	return OK;
}
