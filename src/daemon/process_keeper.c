/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>

#include "daemon/privileges.h"
#include "daemon/process.h"
#include "keeper/keeper.h"
#include "keeper/tls_key.h"

/* The key files of the TLS listeners, for the keeper to find one by its certificate. */
static enum result each_tls_key(void *ctx, keeper_tls_key_fn *use, void *use_ctx, struct err *err)
{
	const struct config *config = ctx;
	size_t i;

	for (i = 0; i < config->n_listeners; i++)
		if (config->listeners[i].tls_key)
			TRY(use(use_ctx, config->listeners[i].tls_key, err));
	return OK;
}

/* What speaks to a token may have to open a socket, at any time: the token may go and come back. */
static enum sandbox_role sandbox_of(const struct config_keys *keys)
{
	return keys->pkcs11_module || keys->tpm_tcti ? SANDBOX_KEEPER_TOKENS : SANDBOX_KEEPER;
}

enum result process_keeper(const struct process_context *ctx, struct err *err)
{
	const struct privileges privileges = { ctx->config->keeper_user, ctx->parent,
					       sandbox_of(&ctx->config->keys) };
	char keys[PATH_MAX];
	const struct keeper_tls_keys tls_keys = { each_tls_key, (void *)(uintptr_t)ctx->config };
	const struct config_keys *how = &ctx->config->keys;
	SECRET passphrase = SECRET_INIT, pin = SECRET_INIT;
	struct keeper_config keeper = {
		.keys = { .vault = { .directory = keys }, .tls_keys = &tls_keys },
		.intro_fd = ctx->intro,
		.stop_fd = ctx->control, /* whatever comes, and its end, means: stop */
		.log = ctx->log,
	};

	TRY(secrets_get(ctx->secrets, SECRETS_PASSPHRASE, &passphrase, err));
	TRY(secrets_get(ctx->secrets, SECRETS_PIN, &pin, err));
	keeper.keys.vault.store = how->store;
	keeper.keys.vault.passphrase = how->passphrase.kind ? &passphrase : NULL;
	keeper.keys.vault.tokens = (struct token_config){ .pkcs11_module = how->pkcs11_module,
							  .pkcs11_pin = how->pin.kind ? &pin : NULL,
							  .tpm_tcti = how->tpm_tcti };
	TRY(privileges_drop(&privileges, &ctx->log, err));
	if (snprintf(keys, sizeof(keys), "%s/keys", ctx->config->data) >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "data: path too long");
	return keeper_run(&keeper, err);
}
