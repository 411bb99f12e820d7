/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures of the remote keys' provider (provider-signature(7)). Only the one-shot form is there,
 * which is what TLS uses: the key is given the whole message, never a digest.
 */
#include <stdlib.h>
#include <strings.h>

#include <openssl/core_dispatch.h>
#include <openssl/rsa.h>

#include "pki/key_remote.h"

#define FN(id, f)                                                                                  \
	{                                                                                          \
		id, (void (*)(void))(f)                                                            \
	}

struct signing {
	struct key_remote *remote;
	struct sig_alg alg;
};

static void *signing_new(void *provider, const char *properties)
{
	(void)provider;
	(void)properties;
	return calloc(1, sizeof(struct signing));
}

static void signing_free(void *ctx)
{
	free(ctx);
}

static bool set_digest(struct signing *s, const char *name)
{
	static const struct {
		const char *name;
		enum digest_alg alg;
	} rows[] = {
		{ "SHA256", DIGEST_SHA256 },  { "SHA2-256", DIGEST_SHA256 },
		{ "SHA384", DIGEST_SHA384 },  { "SHA2-384", DIGEST_SHA384 },
		{ "SHA512", DIGEST_SHA512 },  { "SHA2-512", DIGEST_SHA512 },
		{ "SHA-256", DIGEST_SHA256 }, { "SHA-384", DIGEST_SHA384 },
		{ "SHA-512", DIGEST_SHA512 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (strcasecmp(name, rows[i].name) == 0) {
			s->alg.digest = rows[i].alg;
			return true;
		}
	return false;
}

/* Text or number, as the padding comes in either. */
static bool set_padding(struct signing *s, const OSSL_PARAM *p)
{
	int pad = 0;

	if (p->data_type == OSSL_PARAM_UTF8_STRING) {
		s->alg.pss = strcasecmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
		return s->alg.pss || strcasecmp(p->data, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0;
	}
	if (OSSL_PARAM_get_int(p, &pad) != 1)
		return false;
	s->alg.pss = pad == RSA_PKCS1_PSS_PADDING;
	return s->alg.pss || pad == RSA_PKCS1_PADDING;
}

static int set_ctx_params(void *ctx, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p;

	if (!params)
		return 1;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
	if (p && (p->data_type != OSSL_PARAM_UTF8_STRING || !set_digest(ctx, p->data)))
		return 0;
	p = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);
	return p ? set_padding(ctx, p) : 1;
}

static const OSSL_PARAM *settable_ctx_params(void *ctx, void *provider)
{
	/* the salt is always as long as the digest, which is what TLS 1.3 asks for */
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
		OSSL_PARAM_END,
	};

	(void)ctx;
	(void)provider;
	return types;
}

static int digest_sign_init(void *ctx, const char *digest, void *keydata, const OSSL_PARAM params[])
{
	struct signing *s = ctx;
	struct key_remote_handle *h = keydata;

	s->remote = h->remote;
	s->alg = (struct sig_alg){ h->remote->key->kind, DIGEST_SHA256, false };
	if (digest && !set_digest(s, digest))
		return 0;
	return set_ctx_params(ctx, params);
}

static int digest_sign(void *ctx, unsigned char *sig, size_t *len, size_t max,
		       const unsigned char *message, size_t message_len)
{
	struct signing *s = ctx;
	BUF out = BUF_INIT;

	if (!sig) {
		*len = (size_t)EVP_PKEY_get_size(s->remote->pub);
		return 1;
	}
	if (key_sign(s->remote->key, NULL, KEY_FOR_TLS, s->alg, span_of(message, message_len), &out,
		     NULL) != OK ||
	    out.len > max)
		return 0;
	memcpy(sig, out.data, out.len);
	*len = out.len;
	return 1;
}

const OSSL_DISPATCH key_remote_signature[] = {
	FN(OSSL_FUNC_SIGNATURE_NEWCTX, signing_new),
	FN(OSSL_FUNC_SIGNATURE_FREECTX, signing_free),
	FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, digest_sign_init),
	FN(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, digest_sign),
	FN(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_ctx_params),
	FN(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_ctx_params),
	{ 0, NULL },
};
