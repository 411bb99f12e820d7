/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/crl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mapped {
	struct crl_file base; /* first: what others see */
	_Atomic unsigned refs;
};

struct crl_file *crl_file_ref(struct crl_file *f)
{
	if (f)
		atomic_fetch_add(&((struct mapped *)f)->refs, 1);
	return f;
}

void crl_file_unref(struct crl_file *f)
{
	struct mapped *m = (struct mapped *)f;

	if (!m || atomic_fetch_sub(&m->refs, 1) != 1)
		return;
	if (f->der.len)
		(void)munmap((void *)(uintptr_t)f->der.p, f->der.len);
	free(m);
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static RESULT map(struct crl_file *f, const char *path, struct err *err)
{
	CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	void *at;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
	if (fd < 0 || fstat(fd, &st))
		return err_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return err_set(err, ERR_SYNTAX, "%s: no revocation list", path);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_errno(err, errno, "%s: map", path);
	f->der = span_of(at, (size_t)st.st_size);
	return OK;
}

enum result crl_file_open(struct crl_file **out, const char *path, struct crypto *c,
			  struct err *err)
{
	CLEANUP(crl_file_unrefp) struct crl_file *f = NULL;
	uint8_t digest[DIGEST_MAX];
	struct mapped *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	atomic_init(&m->refs, 1);
	f = &m->base;
	TRY(map(f, path, err));
	TRY(crypto_digest(c, DIGEST_SHA256, &f->der, 1, digest, err));
	memcpy(f->sha256, digest, STORE_HASH);
	*out = take(f);
	return OK;
}

static RESULT check_scope(const struct crl *crl, const struct store_crl *record, struct err *err)
{
	struct crl_scope scope = { 0 };

	TRY(crl_read_scope(crl, &scope, err));
	if (!scope.has_number || scope.number != record->number)
		return err_set(err, ERR_INTERNAL, "cRLNumber is %llu, %llu is expected",
			       (unsigned long long)scope.number,
			       (unsigned long long)record->number);
	if (scope.is_delta != record->is_delta || (scope.is_delta && scope.base != record->base))
		return err_set(err, ERR_INTERNAL, "BaseCRLNumber is %llu, %llu is expected",
			       (unsigned long long)scope.base, (unsigned long long)record->base);
	if ((scope.point.len > 0) != (record->scope[0] != '\0'))
		return err_set(err, ERR_INTERNAL, "issuingDistributionPoint %s",
			       scope.point.len ? "of a complete list" : "missing");
	return OK;
}

enum result crl_file_check(const struct crl_file *f, const struct store_crl *record,
			   struct span spki, struct crypto *c, struct err *err)
{
	struct crl crl = { 0 };
	size_t n = 0;

	TRY(crl_parse(f->der, &crl, err));
	TRY(crl_verify_signature(&crl, c, spki, err));
	TRY(check_scope(&crl, record, err));
	TRY(crl_count(&crl, &n, err));
	if (n != record->entries || crl.this_update != record->this_update ||
	    crl.next_update != record->next_update)
		return err_set(err, ERR_INTERNAL, "%zu entries, %llu are expected; or its times", n,
			       (unsigned long long)record->entries);
	return OK;
}
