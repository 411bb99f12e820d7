/* SPDX-License-Identifier: Apache-2.0 */
/* keys: how private keys are kept. */
#include "config/build.h"
#include "token/token.h"

static void build_source(struct config_build *b, const char *place, const char *text,
			 struct passphrase_source *out)
{
	struct err why = { 0 };

	if (text && passphrase_parse(text, out, &why) != OK)
		config_yaml_complain(&b->yaml, place, "%s", err_text(&why));
}

/* Is there what a key of this URI takes? */
void config_check_key_uri(struct config_build *b, const char *place, const char *uri)
{
	const struct file_keys *keys = b->file->keys;
	struct err why = { 0 };

	if (token_check_uri(uri, &why) != OK)
		config_yaml_complain(&b->yaml, place, "%s", err_text(&why));
	else if (strncmp(uri, "pkcs11:", 7) == 0 && (!keys || !keys->pkcs11))
		config_yaml_complain(&b->yaml, place,
				     "is in a PKCS#11 token; set keys.pkcs11.module to the "
				     "library that knows it");
	else if (strncmp(uri, "tpm:", 4) == 0 && (!keys || !keys->tpm))
		config_yaml_complain(&b->yaml, place,
				     "is in a TPM; set keys.tpm.tcti, as to device:/dev/tpmrm0");
}

static void build_store(struct config_build *b, const char *store)
{
	if (!store || strcmp(store, "file") == 0)
		return;
	b->config->keys.store = store;
	config_check_key_uri(b, "keys.store", store);
}

void config_build_keys(struct config_build *b)
{
	static const struct file_keys none;
	const struct file_keys *f = b->file->keys ? b->file->keys : &none;
	struct config_keys *k = &b->config->keys;

	build_source(b, "keys.passphrase", f->passphrase, &k->passphrase);
	build_store(b, f->store);
	if (f->tpm)
		k->tpm_tcti = f->tpm->tcti;
	if (!f->pkcs11)
		return;
	k->pkcs11_module = f->pkcs11->module;
	build_source(b, "keys.pkcs11.pin", f->pkcs11->pin, &k->pin);
	if (f->pkcs11->module[0] != '/')
		config_yaml_complain(&b->yaml, "keys.pkcs11.module",
				     "\"%s\" is no absolute path to a PKCS#11 library",
				     f->pkcs11->module);
	else
		config_check_readable(b, "keys.pkcs11.module", f->pkcs11->module);
}
