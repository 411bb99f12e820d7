/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PIECE (64u << 10)

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static RESULT write_all(int fd, struct span bytes, struct err *err)
{
	while (bytes.len) {
		ssize_t n = write(fd, bytes.p, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "revocation list: write");
		bytes = span_sub(bytes, (size_t)n, SIZE_MAX);
	}
	return OK;
}

/* ---- entries ---- */

enum result crl_spool_open(struct crl_spool *s, const char *directory, struct err *err)
{
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/.entries-XXXXXX", directory) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	(void)unlink(path);
	*s = (struct crl_spool){ .fd = fd };
	return OK;
}

void crl_spool_close(struct crl_spool *s)
{
	close_fd(&s->fd);
	buf_clear(&s->pending);
}

static RESULT flush(struct crl_spool *s, struct err *err)
{
	TRY(buf_check(&s->pending, err));
	TRY(write_all(s->fd, buf_span(&s->pending), err));
	s->written += s->pending.len;
	buf_reset(&s->pending);
	return OK;
}

enum result crl_spool_add(struct crl_spool *s, const struct crl_entry *entry, struct err *err)
{
	crl_put_entry(&s->pending, entry);
	s->entries++;
	return s->pending.len < PIECE ? OK : flush(s, err);
}

/* ---- the list around them ---- */

/* TBSCertList as it is read for signing and for writing: head, entries, tail. */
struct reading {
	struct key_pieces base;
	const struct crl_spool *spool;
	struct span head;
	struct span tail;
	uint64_t at; /* of the entries */
	struct buf piece;
};

static void reading_clear(struct reading *r)
{
	buf_clear(&r->piece);
}

static RESULT read_entries(struct reading *r, struct span *piece, struct err *err)
{
	uint64_t left = r->spool->written - r->at;
	ssize_t n;

	buf_reset(&r->piece);
	buf_reserve(&r->piece, PIECE);
	TRY(buf_check(&r->piece, err));
	do
		n = pread(r->spool->fd, r->piece.data, left < PIECE ? left : PIECE, (off_t)r->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return err_errno(err, n < 0 ? errno : EIO, "revocation list: read");
	r->at += (uint64_t)n;
	*piece = span_of(r->piece.data, (size_t)n);
	return OK;
}

static enum result next_piece(struct key_pieces *base, struct span *piece, struct err *err)
{
	struct reading *r = (struct reading *)base;

	if (r->head.len) {
		*piece = r->head;
		r->head = SPAN_NONE;
		return OK;
	}
	if (r->at < r->spool->written)
		return read_entries(r, piece, err);
	*piece = r->tail;
	r->tail = SPAN_NONE;
	return OK;
}

static struct reading reading_of(const struct crl_spool *s, const struct buf *head,
				 const struct buf *tail)
{
	return (struct reading){
		.base = { head->len + s->written + tail->len, next_piece },
		.spool = s,
		.head = buf_span(head),
		.tail = buf_span(tail),
	};
}

static RESULT write_tbs(int fd, struct reading *tbs, struct err *err)
{
	struct span piece = SPAN_NONE;

	for (;;) {
		TRY(next_piece(&tbs->base, &piece, err));
		if (piece.len == 0)
			return OK;
		TRY(write_all(fd, piece, err));
	}
}

static RESULT write_list(int fd, struct reading *tbs, struct sig_alg alg, struct span signature,
			 struct err *err)
{
	BUF before = BUF_INIT;
	BUF behind = BUF_INIT;

	TRY(crl_put_shell(tbs->base.total, alg, signature, &before, &behind, err));
	TRY(write_all(fd, buf_span(&before), err));
	TRY(write_tbs(fd, tbs, err));
	TRY(write_all(fd, buf_span(&behind), err));
	return fsync(fd) ? err_errno(err, errno, "revocation list: fsync") : OK;
}

enum result crl_spool_write(struct crl_spool *s, const struct crl_template *t, struct key *issuer,
			    struct crypto *c, const char *path, struct err *err)
{
	BUF head = BUF_INIT;
	BUF tail = BUF_INIT;
	BUF signature = BUF_INIT;
	CLEANUP(reading_clear) struct reading to_sign = { 0 };
	CLEANUP(reading_clear) struct reading to_write = { 0 };
	CLEANUP(close_fd) int fd = -1;

	TRY(flush(s, err));
	TRY(crl_put_frame(t, s->written, &head, &tail, err));
	to_sign = reading_of(s, &head, &tail);
	TRY(key_sign_pieces(issuer, c, KEY_FOR_CRL, t->sig_alg, &to_sign.base, &signature, err));
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	to_write = reading_of(s, &head, &tail);
	return err_prefix(err, write_list(fd, &to_write, t->sig_alg, buf_span(&signature), err),
			  "%s", path);
}
