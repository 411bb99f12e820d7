/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate of the next CA waits beside the one in use until its time (RFC 8894, figure 9):
 * FILE.next for the certificate, its key and the CA's certificates. The certificate is written last
 * and taken last, so that a power cut leaves either pair whole.
 */
#include <stdio.h>

#include "base/file.h"
#include "client/device_state.h"

#define PATH_ROOM 4096

struct waiting {
	char key[PATH_ROOM]; /* FILE.next */
	char cert[PATH_ROOM];
	char ca[PATH_ROOM];
	char new_key[PATH_ROOM]; /* FILE.new, where device_recover takes it from */
	char new_cert[PATH_ROOM];
};

static RESULT put(char out[PATH_ROOM], const char *path, const char *suffix, struct err *err)
{
	if (snprintf(out, PATH_ROOM, "%s%s", path, suffix) < PATH_ROOM)
		return OK;
	return err_set(err, ERR_USAGE, "%.80s...: path too long", path);
}

static RESULT name_files(struct waiting *w, const struct device_files *files, struct err *err)
{
	TRY(put(w->key, files->key, ".next", err));
	TRY(put(w->cert, files->cert, ".next", err));
	TRY(put(w->ca, files->ca ? files->ca : "", ".next", err));
	TRY(put(w->new_key, files->key, ".new", err));
	return put(w->new_cert, files->cert, ".new", err);
}

enum result device_keep_next(const struct device *d, const char *new_key,
			     const struct device_files *files, struct err *err)
{
	struct waiting w;

	TRY(name_files(&w, files, err));
	if (files->ca)
		TRY(device_save_ca(d, w.ca, err));
	if (new_key)
		TRY(file_rename(new_key, w.key, err));
	return device_save_cert(d, w.cert, err);
}

enum result device_take_next(struct crypto *c, const struct device_files *files, int64_t now,
			     int64_t *from, struct err *err)
{
	struct waiting w;
	BUF der = BUF_INIT;
	struct cert cert;

	*from = 0;
	TRY(name_files(&w, files, err));
	if (!file_exists(w.cert))
		return OK;
	TRY(cert_load(w.cert, &der, err));
	TRY(cert_parse(buf_span(&der), &cert, err));
	*from = cert.not_before;
	if (now < cert.not_before)
		return OK;
	if (file_exists(w.key))
		TRY(file_rename(w.key, w.new_key, err));
	if (files->ca && file_exists(w.ca))
		TRY(file_rename(w.ca, files->ca, err));
	TRY(file_rename(w.cert, w.new_cert, err));
	return device_recover(c, w.new_key, files->key, files->cert, err);
}
