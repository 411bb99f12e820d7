/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/protect_keys.h"

#include <limits.h>
#include <stdio.h>

#include "daemon/privileges.h"
#include "keeper/protect.h"

static RESULT read_old(const char *text, struct secret *out, struct err *err)
{
	struct passphrase_source source;
	enum result r;

	r = passphrase_parse(text, &source, err);
	if (r == OK)
		r = passphrase_read(&source, "old passphrase of the keys", false, out, err);
	return r == OK ? OK : err_prefix(err, r, "--old-passphrase");
}

static RESULT read_passphrase(const struct config *config, bool is_new, struct secret *out,
			      struct err *err)
{
	const struct passphrase_source *source = &config->keys.passphrase;
	enum result r;

	if (source->kind == PASSPHRASE_NONE)
		return err_set(err, ERR_USAGE,
			       "the configuration has no keys.passphrase; set it to where the "
			       "passphrase is to come from");
	r = passphrase_read(source, "passphrase of the keys", is_new, out, err);
	return r == OK ? OK : err_prefix(err, r, "keys.passphrase");
}

enum result protect_keys(const struct config *config, const char *old, struct err *err)
{
	SECRET passphrase = SECRET_INIT, was = SECRET_INIT;
	struct protect_count count = { 0 };
	char directory[PATH_MAX];

	if (snprintf(directory, sizeof(directory), "%s/keys", config->data) >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "data: path too long");
	if (old)
		TRY(read_old(old, &was, err));
	TRY(read_passphrase(config, old || !protect_has_sealed(directory), &passphrase, err));
	/* the files are to stay its own */
	TRY(privileges_become(config->keeper_user, err));
	TRY(protect_all(directory, &passphrase, old ? &was : NULL, &count, err));
	(void)printf("%s: %u keys encrypted, %u were already\n", directory, count.sealed,
		     count.kept);
	return OK;
}
