/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(const int *fd)
{
	if (*fd > STDERR_FILENO)
		(void)close(*fd);
}

static enum result read_all(int fd, const char *path, size_t max, struct buf *out, struct err *err)
{
	uint8_t chunk[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "%s: read", path);
		total += (size_t)n;
		if (total > max)
			return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, max);
		buf_put(out, span_of(chunk, (size_t)n));
	}
	explicit_bzero(chunk, sizeof(chunk));
	return buf_check(out, err);
}

enum result file_read(const char *path, size_t max, struct buf *out, struct err *err)
{
	CLEANUP(close_fd) int fd = STDIN_FILENO;
	BUF_SECRET got = BUF_INIT;

	if (strcmp(path, "-") != 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s: no such file", path)
				       : err_errno(err, errno, "%s", path);
	TRY(read_all(fd, path, max, &got, err));
	buf_put(out, buf_span(&got));
	return buf_check(out, err);
}

static enum result write_all(int fd, const char *path, struct span bytes, struct err *err)
{
	ssize_t n;

	while (bytes.len) {
		n = write(fd, bytes.p, bytes.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, errno, "%s: write", path);
		bytes = span_sub(bytes, (size_t)n, SIZE_MAX);
	}
	return fsync(fd) ? err_errno(err, errno, "%s: fsync", path) : OK;
}

static enum result sync_parent(const char *path, struct err *err)
{
	char copy[PATH_MAX];
	CLEANUP(close_fd) int fd = -1;

	(void)snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return err_errno(err, errno, "%s: sync directory", path);
	return OK;
}

/* path: as it is to be called, in errors. */
static enum result write_tmp(const char *tmp, const char *path, mode_t mode, struct span bytes,
			     struct err *err)
{
	CLEANUP(close_fd) int fd = -1;

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_errno(err, errno, "%s: cannot be written", path);
	if (fchmod(fd, mode))
		return err_errno(err, errno, "%s: chmod", path);
	return write_all(fd, path, bytes, err);
}

static RESULT name_tmp(const char *path, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s.tmp", path) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", path);
	return OK;
}

enum result file_check_writable(const char *path, struct err *err)
{
	char tmp[PATH_MAX];
	struct stat st;
	enum result r;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return err_errno(err, EISDIR, "%s: cannot be written", path);
	TRY(name_tmp(path, tmp, err));
	r = write_tmp(tmp, path, 0600, SPAN_NONE, err);
	(void)unlink(tmp);
	return r;
}

enum result file_write_atomic(const char *path, mode_t mode, struct span bytes, struct err *err)
{
	char tmp[PATH_MAX];
	enum result r;

	TRY(name_tmp(path, tmp, err));
	r = write_tmp(tmp, path, mode, bytes, err);
	if (r == OK && rename(tmp, path))
		r = err_errno(err, errno, "%s: rename", path);
	if (r != OK) {
		(void)unlink(tmp);
		return r;
	}
	return sync_parent(path, err);
}

enum result file_rename(const char *from, const char *to, struct err *err)
{
	if (rename(from, to))
		return err_errno(err, errno, "%s: rename to %s", from, to);
	return sync_parent(to, err);
}

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

enum result file_mkdir(const char *path, mode_t mode, struct err *err)
{
	if (mkdir(path, mode) && errno != EEXIST)
		return err_errno(err, errno, "%s: mkdir", path);
	return OK;
}
