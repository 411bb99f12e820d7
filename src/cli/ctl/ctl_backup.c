/* SPDX-License-Identifier: Apache-2.0 */
/* scepterctl backup: a copy of the store, and if wanted of the keys, that --restore can take. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/backup_manifest.h"
#include "base/file.h"
#include "base/hex.h"
#include "cli/ctl/commands.h"
#include "pki/crypto.h"
#include "pki/key_file.h"

#define KEYS_MAX 8192
#define POLL_NS 200000000

struct opts {
	const char *directory;
	bool with_keys;
	bool plain_keys;
};

static const struct cli_option options[] = {
	{ "DIR", CLI_ARG, offsetof(struct opts, directory), NULL,
	  "where to put it; made, and must not be there" },
	{ "--with-keys", CLI_FLAG, offsetof(struct opts, with_keys), NULL,
	  "the private keys too, read from this machine's disk; only if they are encrypted" },
	{ "--plain-keys", CLI_FLAG, offsetof(struct opts, plain_keys), NULL,
	  "with --with-keys: also those that are not encrypted" },
	{ 0 },
};

/* One backup on its way. */
struct job {
	const struct cli *cli;
	const struct opts *o;
	struct crypto *c;
	char id[32];
	json_t *state;
	json_t *manifest;
};

static void job_clear(struct job *job)
{
	json_decref(job->state);
	json_decref(job->manifest);
	crypto_free(job->c);
}

static void tell(const char *what, uint64_t done, uint64_t total)
{
	cli_output_progress("%s %u %%", what, total ? (unsigned)(done * 100 / total) : 100);
}

/* ---- the store ---- */

static RESULT look(struct job *job, struct err *err)
{
	BUF path = BUF_INIT;

	json_decref(job->state);
	job->state = NULL;
	ctl_api_path(&path, "/v1/backups/", job->id);
	TRY(buf_check(&path, err));
	return ctl_api_get(job->cli, buf_cstr(&path), &job->state, err);
}

static uint64_t number(const json_t *o, const char *field)
{
	return (uint64_t)json_integer_value(json_object_get(o, field));
}

/* Until the server has its copy. */
static RESULT await_copy(struct job *job, struct err *err)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	CLEANUP_JSON body = json_object();

	TRY(ctl_api_post(job->cli, "/v1/backups", body, &job->state, err));
	(void)snprintf(job->id, sizeof(job->id), "%s", ctl_api_text(job->state, "id"));
	while (strcmp(ctl_api_text(job->state, "state"), "running") == 0) {
		tell("copying", number(job->state, "pages"), number(job->state, "total"));
		(void)nanosleep(&pause, NULL);
		TRY(look(job, err));
	}
	if (strcmp(ctl_api_text(job->state, "state"), "done") == 0)
		return OK;
	return err_set(err, ERR_IO, "the server's copy failed: %s",
		       ctl_api_text(job->state, "message"));
}

static RESULT write_part(int fd, struct span bytes, const char *path, struct err *err)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno != EINTR)
			return err_errno(err, errno, "%s", path);
		bytes = span_sub(bytes, n > 0 ? (size_t)n : 0, SIZE_MAX);
	}
	return OK;
}

static RESULT fetch_parts(struct job *job, int fd, const char *path, struct err *err)
{
	uint64_t have = 0, bytes = number(job->state, "bytes");

	while (have < bytes) {
		BUF url = BUF_INIT;
		BUF part = BUF_INIT;

		buf_printf(&url, "/v1/backups/%s/data?offset=%llu", job->id,
			   (unsigned long long)have);
		TRY(buf_check(&url, err));
		TRY(ctl_api_fetch(job->cli, buf_cstr(&url), &part, err));
		if (part.len == 0 || part.len > bytes - have)
			return err_set(err, ERR_IO,
				       "the server's copy ends after %llu bytes of %llu",
				       (unsigned long long)have, (unsigned long long)bytes);
		TRY(write_part(fd, buf_span(&part), path, err));
		have += part.len;
		tell("fetching", have, bytes);
	}
	return fsync(fd) ? err_errno(err, errno, "%s", path) : OK;
}

static RESULT check_hash(struct job *job, const char *path, struct err *err)
{
	BUF hash = BUF_INIT;

	TRY(backup_hash_file(job->c, path, &hash, err));
	if (strcmp(buf_cstr(&hash), ctl_api_text(job->state, "sha256")) == 0)
		return OK;
	return err_set(err, ERR_IO, "%s is not what the server sent: its SHA-256 is %s", path,
		       buf_cstr(&hash));
}

static RESULT fetch_store(struct job *job, struct err *err)
{
	char path[PATH_MAX];
	enum result r;
	int fd;

	if (snprintf(path, sizeof(path), "%s/" BACKUP_STORE, job->o->directory) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", job->o->directory);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	r = fetch_parts(job, fd, path, err);
	(void)close(fd);
	return r == OK ? check_hash(job, path, err) : r;
}

/* The server's copy is of no use any more, however it ended. */
static void remove_copy(const struct job *job)
{
	CLEANUP_JSON answer = NULL;
	BUF path = BUF_INIT;

	if (!job->id[0])
		return;
	ctl_api_path(&path, "/v1/backups/", job->id);
	if (buf_cstr(&path))
		(void)!ctl_api_delete(job->cli, buf_cstr(&path), &answer, NULL);
}

/* ---- the keys ---- */

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

static RESULT copy_key(struct job *job, const char *from, const char *name, struct err *err)
{
	char source[PATH_MAX], target[PATH_MAX];
	BUF_SECRET bytes = BUF_INIT;

	(void)snprintf(source, sizeof(source), "%.2048s/%.255s", from, name);
	(void)snprintf(target, sizeof(target), "%.2048s/" BACKUP_KEYS "/%.255s", job->o->directory,
		       name);
	TRY(file_read(source, KEY_FILE_MAX, &bytes, err));
	if (has_suffix(name, ".key") && !job->o->plain_keys &&
	    memmem(bytes.data, bytes.len, "PRIVATE KEY", 11) &&
	    !key_file_is_sealed(buf_span(&bytes)))
		return err_set(
		    err, ERR_DENIED,
		    "%s is not encrypted: encrypt the keys (scepterd --protect-keys), or "
		    "say --plain-keys and guard the copy like the keys themselves",
		    source);
	TRY(file_write_atomic(target, 0600, buf_span(&bytes), err));
	return backup_manifest_add_key(job->manifest, job->c, name, buf_span(&bytes), err);
}

/* A key, what says where in a token one is, or what it is for. */
static bool is_of_keys(const char *name)
{
	return has_suffix(name, ".key") || has_suffix(name, ".token") || has_suffix(name, ".rule");
}

static RESULT copy_keys(struct job *job, const char *from, DIR *dir, struct err *err)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (is_of_keys(entry->d_name))
			TRY(copy_key(job, from, entry->d_name, err));
	return OK;
}

/* Behind the store's copy, so that each key which that speaks of is there. */
static RESULT take_keys(struct job *job, struct err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	enum result r;
	DIR *dir;

	(void)snprintf(from, sizeof(from), "%.2048s/keys", ctl_api_text(job->state, "data"));
	(void)snprintf(to, sizeof(to), "%.2048s/" BACKUP_KEYS, job->o->directory);
	dir = opendir(from);
	if (!dir)
		return err_errno(err, errno,
				 "the keys are read from the disk of the server's machine, as root "
				 "or its keeper's user: %s",
				 from);
	r = file_mkdir(to, 0700, err);
	if (r == OK)
		r = copy_keys(job, from, dir, err);
	(void)closedir(dir);
	return r;
}

/* ---- the whole ---- */

static RESULT make_directory(const char *path, struct err *err)
{
	if (mkdir(path, 0700) == 0)
		return OK;
	if (errno == EEXIST)
		return err_set(err, ERR_CONFLICT,
			       "%s is there already: name a directory that is not", path);
	return err_errno(err, errno, "%s", path);
}

static RESULT check_options(const struct cli *cli, const struct opts *o, struct err *err)
{
	const struct ctl_globals *globals = cli->globals;

	if (o->plain_keys && !o->with_keys)
		return err_set(err, ERR_USAGE, "--plain-keys goes with --with-keys");
	if (o->with_keys && globals->url)
		return err_set(err, ERR_USAGE,
			       "--with-keys: no server gives its keys away; run it on its machine, "
			       "by --socket");
	return OK;
}

/* The manifest comes last: a directory without one is no backup. */
static RESULT fill(struct job *job, struct err *err)
{
	TRY(fetch_store(job, err));
	job->manifest = backup_manifest_new(job->state);
	if (!job->manifest)
		return err_nomem(err);
	if (job->o->with_keys)
		TRY(take_keys(job, err));
	return backup_manifest_write(job->manifest, job->o->directory, err);
}

/* What we have just made. */
static void remove_all_of(int in, const char *name)
{
	int fd = openat(in, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		(void)close(fd);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(dir);
	(void)unlinkat(in, name, AT_REMOVEDIR);
}

/* Half a backup would be in the way of the next attempt, and on a full disk. */
static void remove_half(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0) {
		remove_all_of(fd, BACKUP_KEYS);
		(void)close(fd);
	}
	remove_all_of(AT_FDCWD, directory);
}

static RESULT back_up(struct job *job, struct err *err)
{
	enum result r;

	TRY(await_copy(job, err));
	TRY(make_directory(job->o->directory, err));
	r = fill(job, err);
	if (r != OK)
		remove_half(job->o->directory);
	return r;
}

static RESULT report(const struct job *job, struct err *err)
{
	const struct cli_output *out = &job->cli->out;
	size_t keys = json_array_size(json_object_get(job->manifest, "keys"));

	if (out->json)
		return cli_output_json(out, job->manifest, err);
	cli_output_pair(out, "Backup", "%s", job->o->directory);
	cli_output_pair(out, "Store", "%llu bytes, events up to %llu",
			(unsigned long long)number(job->state, "bytes"),
			(unsigned long long)number(job->state, "last_event"));
	if (keys)
		cli_output_pair(out, "Key files", "%zu", keys);
	else
		cli_output_line(out, CLI_YELLOW,
				"Without the private keys: back them up, too "
				"(--with-keys, or your HSM's way).");
	return OK;
}

static enum result run(struct cli *cli, const void *opts, struct err *err)
{
	CLEANUP(job_clear) struct job job = { .cli = cli, .o = opts };
	enum result r;

	TRY(check_options(cli, opts, err));
	if (access(job.o->directory, F_OK) == 0)
		return make_directory(job.o->directory, err);
	TRY(crypto_new(&job.c, false, err));
	r = back_up(&job, err);
	cli_output_progress_end();
	remove_copy(&job);
	return r == OK ? report(&job, err) : r;
}

const struct cli_command ctl_backup = {
	.name = "backup",
	.summary =
	    "Copy all that the server knows, while it runs; scepterd --restore takes it back.",
	.examples = "scepterctl backup /backup/scepter-2026-11-22\n"
		    "scepterctl backup /backup/scepter-2026-11-22 --with-keys\n",
	.options = options,
	.opts_size = sizeof(struct opts),
	.run = run,
};
