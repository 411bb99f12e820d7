/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_listener.h"

#include <stdlib.h>

#include "keeper/tls_key.h"
#include "pki/cert.h"
#include "pki/key_evp.h"
#include "pki/key_pkey.h"

struct tls_listener {
	struct key *key;
	struct key_pkey *pkey;
	struct tls_server *server;
};

void tls_listener_free(struct tls_listener *t)
{
	if (!t)
		return;
	tls_server_free(t->server);
	key_pkey_free(t->pkey);
	key_free(t->key);
	free(t);
}

struct tls_server *tls_listener_get(const struct tls_listener *t)
{
	return t ? t->server : NULL;
}

/* With t->key at hand. */
static enum result make(struct tls_listener *t, const struct config_listener *l, struct err *err)
{
	struct tls_server_config config = { .certificate = l->tls_certificate };

	TRY(key_pkey_new(&t->pkey, t->key, err));
	config.key = key_pkey_get(t->pkey);
	return tls_server_new(&t->server, &config, err);
}

static enum result open_key(struct key **out, struct crypto *c, const struct config_listener *l,
			    struct keeper_client *keeper, struct err *err)
{
	char id[KEEPER_TLS_ID_MAX];
	struct cert cert;
	BUF der = BUF_INIT;
	enum result r;

	TRY(cert_load(l->tls_certificate, &der, err));
	TRY(cert_parse(buf_span(&der), &cert, err));
	TRY(keeper_tls_key_id(c, cert.spki, id, err));
	r = keeper_key_open(out, keeper, id, err);
	if (r == ERR_NOT_FOUND)
		return err_set(err, ERR_CONFIG,
			       "%s is not the private key of %s, or the keeper cannot read it",
			       l->tls_key, l->tls_certificate);
	return r;
}

enum result tls_listener_open(struct tls_listener **out, const struct config_listener *l,
			      struct keeper_client *keeper, struct err *err)
{
	CLEANUP(tls_listener_freep) struct tls_listener *t = calloc(1, sizeof(*t));
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	enum result r;

	if (!t)
		return err_nomem(err);
	TRY(crypto_new(&c, false, err));
	r = open_key(&t->key, c, l, keeper, err);
	if (r == OK)
		r = make(t, l, err);
	if (r != OK)
		return err_prefix(err, r, "listener %s", l->name);
	*out = take(t);
	return OK;
}

static enum result check_one(const struct config_listener *l, struct crypto *c, struct err *err)
{
	CLEANUP(tls_listener_freep) struct tls_listener *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(err);
	TRY(key_evp_load(&t->key, c, l->tls_key, NULL, err));
	return make(t, l, err);
}

enum result tls_listener_check(const struct config *config, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	enum result r;
	size_t i;

	TRY(crypto_new(&c, false, err));
	for (i = 0; i < config->n_listeners; i++) {
		if (!config->listeners[i].tls_certificate)
			continue;
		r = check_one(&config->listeners[i], c, err);
		if (r != OK)
			return err_prefix(err, r, "listener %s", config->listeners[i].name);
	}
	return OK;
}
