/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/protect.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/file.h"
#include "pki/key_evp.h"
#include "pki/key_file.h"

struct protecting {
	const char *directory;
	const struct secret *passphrase;
	const struct secret *old;
	struct crypto *crypto;
	bool write; /* second round: the first has opened them all */
	struct protect_count count;
};

typedef enum result file_fn(void *ctx, const char *path, struct err *err);

static void close_dir(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* The files that the keeper would load: not those that a write under way has for a moment. */
static RESULT each_file(const char *directory, file_fn *use, void *ctx, struct err *err)
{
	CLEANUP(close_dir) DIR *dir = opendir(directory);
	const struct dirent *file;
	char path[PATH_MAX];

	if (!dir)
		return err_errno(err, errno, "%s", directory);
	while ((file = readdir(dir))) {
		size_t len = strlen(file->d_name);

		if (len < 5 || strcmp(file->d_name + len - 4, ".key") != 0)
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", directory, file->d_name) >= PATH_MAX)
			return err_set(err, ERR_LIMIT, "%s: path too long", directory);
		TRY(use(ctx, path, err));
	}
	return OK;
}

static enum result stop_at_sealed(void *ctx, const char *path, struct err *err)
{
	BUF_SECRET file = BUF_INIT;

	(void)ctx;
	if (file_read(path, KEY_FILE_MAX, &file, NULL) == OK && key_file_is_sealed(buf_span(&file)))
		return err_set(err, ERR_CONFLICT, "%s is encrypted", path);
	return OK;
}

bool protect_has_sealed(const char *directory)
{
	return each_file(directory, stop_at_sealed, NULL, NULL) == ERR_CONFLICT;
}

static RESULT open_file(const struct protecting *p, struct span file, struct key **key, bool *kept,
			struct err *err)
{
	bool sealed = key_file_is_sealed(file);
	enum result r;

	r = key_evp_from_bytes(key, p->crypto, file, p->passphrase, err);
	*kept = sealed && r == OK;
	if (r == ERR_DENIED && p->old)
		r = key_evp_from_bytes(key, p->crypto, file, p->old, err);
	return r;
}

static enum result protect(void *ctx, const char *path, struct err *err)
{
	struct protecting *p = ctx;
	CLEANUP(key_freep) struct key *key = NULL;
	BUF_SECRET file = BUF_INIT;
	BUF_SECRET pem = BUF_INIT;
	bool kept = false;
	enum result r;

	TRY(file_read(path, KEY_FILE_MAX, &file, err));
	r = open_file(p, buf_span(&file), &key, &kept, err);
	if (r != OK)
		return err_prefix(err, r, "%s", path);
	if (!p->write || kept) {
		p->count.kept += p->write;
		return OK;
	}
	TRY(key_evp_export(key, p->passphrase, &pem, err));
	TRY(file_write_atomic(path, 0600, buf_span(&pem), err));
	p->count.sealed++;
	return OK;
}

enum result protect_all(const char *directory, const struct secret *passphrase,
			const struct secret *old, struct protect_count *out, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct protecting p = { .directory = directory, .passphrase = passphrase, .old = old };

	TRY(crypto_new(&c, false, err));
	p.crypto = c;
	TRY(each_file(directory, protect, &p, err));
	p.write = true;
	TRY(each_file(directory, protect, &p, err));
	*out = p.count;
	return OK;
}
