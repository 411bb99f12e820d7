/* SPDX-License-Identifier: Apache-2.0 */
#include "est/shared_keys.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/hex.h"
#include "pki/key_wrap.h"
#include "pki/name.h"

#define FILE_MAX (8u << 20)
#define SUBJECT_MAX 2048
#define ID_MAX 64

struct shared_key {
	struct buf id;
	struct buf key;
	struct buf subject; /* Name; empty: whatever the request is for */
};

static void shared_key_clear(struct shared_key *k)
{
	buf_clear(&k->id);
	buf_wipe(&k->key);
	buf_clear(&k->subject);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word; *line moves behind it. */
static struct span take_word(struct span *line)
{
	size_t from = 0, to;

	while (from < line->len && is_blank(line->p[from]))
		from++;
	for (to = from; to < line->len && !is_blank(line->p[to]);)
		to++;
	*line = span_sub(*line, to, SIZE_MAX);
	return span_of(line->p - (to - from), to - from);
}

/* What is left, which may have blanks within. */
static struct span take_rest(struct span *line)
{
	while (line->len && is_blank(line->p[0]))
		*line = span_sub(*line, 1, SIZE_MAX);
	while (line->len && is_blank(line->p[line->len - 1]))
		line->len--;
	return *line;
}

static RESULT read_subject(struct span text, struct buf *out, struct err *err)
{
	char dn[SUBJECT_MAX];

	if (span_eq(text, SPAN_LIT("*")))
		return OK;
	if (text.len == 0 || text.len >= sizeof(dn))
		return err_set(err, ERR_CONFIG,
			       "the subject is missing that the key is for; * stands for all");
	memcpy(dn, text.p, text.len);
	dn[text.len] = '\0';
	return name_parse_text(dn, out, err);
}

static RESULT read_line(struct span line, struct shared_key *k, struct err *err)
{
	struct span id = take_word(&line), key = take_word(&line);

	if (hex_parse(id, &k->id, NULL) != OK || k->id.len == 0 || k->id.len > ID_MAX)
		return err_set(err, ERR_CONFIG, "the identifier is not 1 to %d octets in hex",
			       ID_MAX);
	if (hex_parse(key, &k->key, NULL) != OK || wrap_alg_for(k->key.len) == WRAP_NONE)
		return err_set(
		    err, ERR_CONFIG,
		    "the key is not 16, 24 or 32 octets in hex: \"openssl rand -hex 32\" "
		    "makes one");
	return read_subject(take_rest(&line), &k->subject, err);
}

struct shared_keys {
	struct buf text;
	struct span rest;
	unsigned line;
};

static void shared_keys_clear(struct shared_keys *f)
{
	buf_wipe(&f->text);
}

static RESULT open_file(const char *path, struct shared_keys *f, struct err *err)
{
	struct stat st;

	if (stat(path, &st))
		return err_errno(err, errno, "%s", path);
	if (st.st_mode & 0007)
		return err_set(err, ERR_CONFIG,
			       "%s: mode %04o lets everyone at the keys in it: chmod o= %s", path,
			       (unsigned)(st.st_mode & 07777), path);
	TRY(file_read(path, FILE_MAX, &f->text, err));
	f->rest = buf_span(&f->text);
	return OK;
}

/* *more: there was one. */
static RESULT next(struct shared_keys *f, const char *path, struct shared_key *k, bool *more,
		   struct err *err)
{
	struct span line;
	enum result r;
	size_t n;

	for (*more = false; f->rest.len;) {
		n = span_find(f->rest, '\n');
		line = span_sub(f->rest, 0, n);
		f->rest = span_sub(f->rest, n + 1, SIZE_MAX);
		f->line++;
		take_rest(&line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		*more = true;
		r = read_line(line, k, err);
		if (r == OK || r == ERR_NOMEM)
			return r;
		return err_prefix(err, ERR_CONFIG, "%s: line %u", path, f->line);
	}
	return OK;
}

enum result est_shared_keys_check(const char *path, struct err *err)
{
	CLEANUP(shared_keys_clear) struct shared_keys f = { .line = 0 };
	bool more = true;

	TRY(open_file(path, &f, err));
	while (more) {
		CLEANUP(shared_key_clear) struct shared_key k = { .id = BUF_INIT };

		TRY(next(&f, path, &k, &more, err));
	}
	return OK;
}

static bool is_for(const struct shared_key *k, struct span id, struct span subject)
{
	return span_eq(buf_span(&k->id), id) &&
	       (k->subject.len == 0 || name_equal(buf_span(&k->subject), subject));
}

enum result est_shared_keys_find(const char *path, struct span id, struct span subject,
				 struct secret *out, struct err *err)
{
	CLEANUP(shared_keys_clear) struct shared_keys f = { .line = 0 };
	bool more = true;

	TRY(open_file(path, &f, err));
	while (more) {
		CLEANUP(shared_key_clear) struct shared_key k = { .id = BUF_INIT };

		TRY(next(&f, path, &k, &more, err));
		if (more && is_for(&k, id, subject))
			return secret_set(out, buf_span(&k.key), err);
	}
	return err_set(err, ERR_NOT_FOUND, "no shared key");
}
