/* SPDX-License-Identifier: Apache-2.0 */
/* keys: how private keys are kept. */
#include "daemon/config_build.h"

static void build_source(struct config_build *b, const char *place, const char *text,
			 struct passphrase_source *out)
{
	struct err why = { 0 };

	if (text && passphrase_parse(text, out, &why) != OK)
		config_yaml_complain(&b->yaml, place, "%s", err_text(&why));
}

void config_build_keys(struct config_build *b)
{
	static const struct file_keys none;
	const struct file_keys *f = b->file->keys ? b->file->keys : &none;
	struct config_keys *k = &b->config->keys;

	build_source(b, "keys.passphrase", f->passphrase, &k->passphrase);
}
