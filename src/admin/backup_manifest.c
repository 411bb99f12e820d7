/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/backup_manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/record.h"
#include "base/file.h"
#include "base/hex.h"

#define MANIFEST_MAX (8u << 20)
#define FORM 1

/* ---- hashes ---- */

static RESULT put_hash(struct crypto *c, struct span bytes, struct buf *out, struct err *err)
{
	uint8_t digest[DIGEST_MAX];

	TRY(crypto_digest(c, DIGEST_SHA256, &bytes, 1, digest, err));
	hex_put(out, span_of(digest, digest_size(DIGEST_SHA256)));
	return buf_cstr(out) ? OK : err_nomem(err);
}

static RESULT hash_fd(struct crypto *c, int fd, const char *path, struct buf *out, struct err *err)
{
	enum result r;
	struct stat st;
	void *at;

	if (fstat(fd, &st) != 0)
		return err_errno(err, errno, "%s", path);
	if (st.st_size == 0)
		return put_hash(c, SPAN_NONE, out, err);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return err_errno(err, errno, "%s", path);
	r = put_hash(c, span_of(at, (size_t)st.st_size), out, err);
	(void)munmap(at, (size_t)st.st_size);
	return r;
}

enum result backup_hash_file(struct crypto *c, const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum result r;

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	r = hash_fd(c, fd, path, out, err);
	(void)close(fd);
	return r;
}

/* ---- writing ---- */

json_t *backup_manifest_new(const json_t *copy)
{
	return json_pack("{s:i, s:s, s:O, s:{s:O, s:O}, s:O, s:O, s:[]}", "scepter_backup", FORM,
			 "version", SCEPTER_VERSION, "time", json_object_get(copy, "started"),
			 "store", "bytes", json_object_get(copy, "bytes"), "sha256",
			 json_object_get(copy, "sha256"), "last_event",
			 json_object_get(copy, "last_event"), "last_event_hash",
			 json_object_get(copy, "last_event_hash"), "keys");
}

enum result backup_manifest_add_key(json_t *manifest, struct crypto *c, const char *file,
				    struct span bytes, struct err *err)
{
	BUF hash = BUF_INIT;

	TRY(put_hash(c, bytes, &hash, err));
	if (json_array_append_new(
		json_object_get(manifest, "keys"),
		json_pack("{s:s, s:s}", "file", file, "sha256", buf_cstr(&hash))) != 0)
		return err_nomem(err);
	return OK;
}

static RESULT path_of(const char *directory, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/" BACKUP_MANIFEST, directory) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", directory);
	return OK;
}

enum result backup_manifest_write(const json_t *manifest, const char *directory, struct err *err)
{
	char *text = json_dumps(manifest, JSON_INDENT(1));
	char path[PATH_MAX];
	enum result r = text ? path_of(directory, path, err) : err_nomem(err);

	if (r == OK)
		r = file_write_atomic(path, 0600, span_str(text), err);
	free(text);
	return r;
}

/* ---- reading ---- */

void backup_manifest_clear(struct backup_manifest *m)
{
	json_decref(m->json);
	*m = (struct backup_manifest){ 0 };
}

/* A name that leads nowhere else. */
static bool is_safe(const char *name)
{
	return name && *name && *name != '.' && !strchr(name, '/') && strlen(name) < NAME_MAX;
}

static RESULT check_keys(const json_t *keys, const char *path, struct err *err)
{
	const json_t *key;
	size_t i;

	json_array_foreach(keys, i, key)
	{
		const char *file = json_string_value(json_object_get(key, "file"));

		if (!is_safe(file) || !json_is_string(json_object_get(key, "sha256")))
			return err_set(err, ERR_SYNTAX, "%s: keys[%zu] is no file with its SHA-256",
				       path, i);
	}
	return OK;
}

static RESULT read_hash(const char *text, uint8_t out[STORE_HASH], struct err *err)
{
	BUF bytes = BUF_INIT;

	TRY(hex_parse(span_str(text), &bytes, err));
	if (bytes.len != STORE_HASH)
		return err_set(err, ERR_SYNTAX, "last_event_hash: not %d octets", STORE_HASH);
	memcpy(out, bytes.data, STORE_HASH);
	return OK;
}

static RESULT parse(struct backup_manifest *m, const char *path, struct err *err)
{
	const char *time = NULL, *hash = NULL;
	json_int_t last = 0;
	int form = 0;

	if (json_unpack(m->json, "{s:i}", "scepter_backup", &form) != 0 || form != FORM)
		return err_set(err, ERR_SYNTAX,
			       "%s: not of a backup that this program can read (form %d)", path,
			       FORM);
	if (json_unpack(m->json, "{s:s, s:{s:s}, s:I, s:s, s:o}", "time", &time, "store", "sha256",
			&m->store_sha256, "last_event", &last, "last_event_hash", &hash, "keys",
			&m->keys) != 0 ||
	    !json_is_array(m->keys) || last < 0)
		return err_set(err, ERR_SYNTAX, "%s: a field is missing, or not what it must be",
			       path);
	m->last_event = last;
	TRY(read_hash(hash, m->last_event_hash, err));
	TRY(audit_record_time(time, &m->time, err));
	return check_keys(m->keys, path, err);
}

enum result backup_manifest_read(const char *directory, struct backup_manifest *out,
				 struct err *err)
{
	CLEANUP(backup_manifest_clear) struct backup_manifest m = { 0 };
	char path[PATH_MAX];
	BUF text = BUF_INIT;

	TRY(path_of(directory, path, err));
	if (!file_exists(path))
		return err_set(err, ERR_NOT_FOUND,
			       "%s: not there, so this is no backup, or one that was not finished",
			       path);
	TRY(file_read(path, MANIFEST_MAX, &text, err));
	m.json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (!m.json)
		return err_set(err, ERR_SYNTAX, "%s: not JSON", path);
	TRY(parse(&m, path, err));
	*out = m;
	m = (struct backup_manifest){ 0 };
	return OK;
}
