/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key_pkey.h"

#include <stdlib.h>

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "pki/crypto_evp.h"
#include "pki/key_remote.h"

struct key_pkey {
	OSSL_LIB_CTX *lib;
	OSSL_PROVIDER *base;
	OSSL_PROVIDER *provider;
	EVP_PKEY *pub;
	EVP_PKEY *pkey;
	struct key_remote remote;
};

static const OSSL_ALGORITHM keymgmts[] = {
	{ "RSA:rsaEncryption", "provider=" KEY_REMOTE_PROVIDER, key_remote_rsa_keymgmt, NULL },
	{ "EC:id-ecPublicKey", "provider=" KEY_REMOTE_PROVIDER, key_remote_ec_keymgmt, NULL },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM signatures[] = {
	{ "RSA", "provider=" KEY_REMOTE_PROVIDER, key_remote_signature, NULL },
	{ "ECDSA", "provider=" KEY_REMOTE_PROVIDER, key_remote_signature, NULL },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	*no_cache = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return keymgmts;
	return operation == OSSL_OP_SIGNATURE ? signatures : NULL;
}

static const OSSL_DISPATCH provider_functions[] = {
	{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
	{ 0, NULL },
};

static int provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
			 const OSSL_DISPATCH **out, void **ctx)
{
	(void)in;
	*out = provider_functions;
	*ctx = (void *)(uintptr_t)core;
	return 1;
}

/* A library context that has our provider beside the default one, which does the public part. */
static enum result load(struct key_pkey *k, struct err *err)
{
	k->lib = OSSL_LIB_CTX_new();
	if (!k->lib)
		return err_nomem(err);
	k->base = OSSL_PROVIDER_load(k->lib, "default");
	if (!k->base || OSSL_PROVIDER_add_builtin(k->lib, KEY_REMOTE_PROVIDER, provider_init) != 1)
		return crypto_fail(err, ERR_INTERNAL, "OpenSSL provider");
	k->provider = OSSL_PROVIDER_load(k->lib, KEY_REMOTE_PROVIDER);
	return k->provider ? OK : crypto_fail(err, ERR_INTERNAL, "OpenSSL provider");
}

static enum result make(struct key_pkey *k, struct key *key, struct err *err)
{
	CLEANUP(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_octet_ptr(KEY_REMOTE_PARAM, (void **)&(void *){ &k->remote },
					       sizeof(k->remote)),
		OSSL_PARAM_construct_end(),
	};
	const unsigned char *at = key_spki(key).p;

	k->pub = d2i_PUBKEY_ex(NULL, &at, (long)key_spki(key).len, k->lib, "provider=default");
	if (!k->pub)
		return crypto_fail(err, ERR_BAD_ALG, "public key");
	k->remote.key = key;
	k->remote.pub = k->pub;
	ctx = EVP_PKEY_CTX_new_from_name(k->lib, key->kind == KEY_RSA ? "RSA" : "EC",
					 "provider=" KEY_REMOTE_PROVIDER);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &k->pkey, EVP_PKEY_KEYPAIR, params) <= 0)
		return crypto_fail(err, ERR_INTERNAL, "key of the TLS server");
	return OK;
}

enum result key_pkey_new(struct key_pkey **out, struct key *key, struct err *err)
{
	CLEANUP(key_pkey_freep) struct key_pkey *k = NULL;

	if (key->kind != KEY_RSA && !key_kind_is_ec(key->kind))
		return err_set(err, ERR_BAD_ALG, "a TLS server's key is RSA or EC, not %s",
			       key_kind_name(key->kind));
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem(err);
	TRY(load(k, err));
	TRY(make(k, key, err));
	*out = take(k);
	return OK;
}

void key_pkey_free(struct key_pkey *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	EVP_PKEY_free(k->pub);
	if (k->provider)
		OSSL_PROVIDER_unload(k->provider);
	if (k->base)
		OSSL_PROVIDER_unload(k->base);
	OSSL_LIB_CTX_free(k->lib);
	free(k);
}

void *key_pkey_get(struct key_pkey *k)
{
	return k->pkey;
}
