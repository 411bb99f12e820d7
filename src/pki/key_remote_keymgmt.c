/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key management of the remote keys' provider (provider-keymgmt(7)): what is asked of the public
 * part is passed on to the default provider's key; the private part is never given out.
 */
#include <stdlib.h>

#include <openssl/core_dispatch.h>

#include "pki/key_remote.h"

#define FN(id, f)                                                                                  \
	{                                                                                          \
		id, (void (*)(void))(f)                                                            \
	}

static void *handle_new(void *provider)
{
	(void)provider;
	return calloc(1, sizeof(struct key_remote_handle));
}

static void handle_free(void *keydata)
{
	free(keydata);
}

static int import(void *keydata, int selection, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, KEY_REMOTE_PARAM);
	struct key_remote_handle *h = keydata;
	const void *at = NULL;
	size_t len = 0;

	(void)selection;
	if (!p || OSSL_PARAM_get_octet_ptr(p, &at, &len) != 1 || len != sizeof(struct key_remote))
		return 0;
	h->remote = (struct key_remote *)(uintptr_t)at;
	return 1;
}

static const OSSL_PARAM *import_types(int selection)
{
	static const OSSL_PARAM types[] = {
		{ KEY_REMOTE_PARAM, OSSL_PARAM_OCTET_PTR, NULL, 0, 0 },
		{ NULL, 0, NULL, 0, 0 },
	};

	(void)selection;
	return types;
}

static int has(const void *keydata, int selection)
{
	const struct key_remote_handle *h = keydata;

	(void)selection;
	return h && h->remote;
}

static int match(const void *a, const void *b, int selection)
{
	const struct key_remote_handle *x = a, *y = b;

	(void)selection;
	return x->remote && y->remote && EVP_PKEY_eq(x->remote->pub, y->remote->pub) == 1;
}

static int get_params(void *keydata, OSSL_PARAM params[])
{
	struct key_remote_handle *h = keydata;

	return h->remote && EVP_PKEY_get_params(h->remote->pub, params);
}

static const OSSL_PARAM *gettable_params(void *provider)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)provider;
	return types;
}

static int export(void *keydata, int selection, OSSL_CALLBACK *callback, void *arg)
{
	struct key_remote_handle *h = keydata;
	OSSL_PARAM *params = NULL;
	int ok;

	if (!h->remote || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) ||
	    EVP_PKEY_todata(h->remote->pub, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return 0;
	ok = callback(params, arg);
	OSSL_PARAM_free(params);
	return ok;
}

static const char *ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

static const char *rsa_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "RSA" : NULL;
}

/* clang-format off */
#define COMMON \
	FN(OSSL_FUNC_KEYMGMT_NEW, handle_new), \
	FN(OSSL_FUNC_KEYMGMT_FREE, handle_free), \
	FN(OSSL_FUNC_KEYMGMT_IMPORT, import), \
	FN(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, import_types), \
	FN(OSSL_FUNC_KEYMGMT_EXPORT, export), \
	FN(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, import_types), \
	FN(OSSL_FUNC_KEYMGMT_HAS, has), \
	FN(OSSL_FUNC_KEYMGMT_MATCH, match), \
	FN(OSSL_FUNC_KEYMGMT_GET_PARAMS, get_params), \
	FN(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, gettable_params)

const OSSL_DISPATCH key_remote_rsa_keymgmt[] = {
	COMMON,
	FN(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, rsa_operation),
	{ 0, NULL },
};

const OSSL_DISPATCH key_remote_ec_keymgmt[] = {
	COMMON,
	FN(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, ec_operation),
	{ 0, NULL },
};
/* clang-format on */
