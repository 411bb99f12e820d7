/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/key_tpm.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>

#include "base/clock.h"
#include "base/random.h"
#include "pki/crypto_evp.h"
#include "pki/key_file.h"
#include "pki/pkcs1.h"

#define PROVIDER "tpm2"
#define ITS_OWN "provider=" PROVIDER
#define RETRY_US 1000000 /* between two attempts to reach it */
/* A TPM without a resource manager has room for three objects, and loading takes one more. */
#define LOADED_MAX 2
#define RSA_MAX 1024

struct loaded {
	struct buf name; /* the key's blob or handle */
	EVP_PKEY *pkey;
};

struct key_tpm {
	char *tcti;
	pthread_mutex_t lock; /* of all that follows */
	OSSL_LIB_CTX *lib;    /* NULL: not connected */
	OSSL_PROVIDER *tpm;
	OSSL_PROVIDER *standard;
	struct loaded loaded[LOADED_MAX]; /* the last one used comes first */
	int64_t failed;                   /* when it was not there; monotonic us, 0: it was */
};

/* ---- the connection ---- */

static void disconnect(struct key_tpm *t)
{
	size_t i;

	for (i = 0; i < LOADED_MAX; i++) {
		EVP_PKEY_free(t->loaded[i].pkey);
		buf_clear(&t->loaded[i].name);
		t->loaded[i] = (struct loaded){ .pkey = NULL };
	}
	if (t->tpm)
		(void)OSSL_PROVIDER_unload(t->tpm);
	if (t->standard)
		(void)OSSL_PROVIDER_unload(t->standard);
	OSSL_LIB_CTX_free(t->lib);
	t->tpm = t->standard = NULL;
	t->lib = NULL;
	ERR_clear_error();
}

static RESULT not_there(struct key_tpm *t, const char *what, struct err *err)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(e);

	ERR_clear_error();
	return err_set(err, ERR_BUSY, "TPM \"%s\": %s%s%s", t->tcti, what, reason ? ": " : "",
		       reason ? reason : "");
}

static RESULT connect_to(struct key_tpm *t, struct err *err)
{
	if (t->lib)
		return OK;
	if (t->failed && clock_mono_us() - t->failed < RETRY_US)
		return not_there(t, "it is not there", err);
	t->lib = OSSL_LIB_CTX_new();
	if (!t->lib)
		return err_nomem(err);
	t->standard = OSSL_PROVIDER_load(t->lib, "default");
	if (t->standard)
		t->tpm = OSSL_PROVIDER_load(t->lib, PROVIDER);
	t->failed = t->tpm ? 0 : clock_mono_us();
	if (t->tpm)
		return OK;
	disconnect(t);
	return not_there(t,
			 "it is not there, or OpenSSL has no provider \"" PROVIDER "\" (Debian: "
			 "tpm2-openssl)",
			 err);
}

enum result key_tpm_new(struct key_tpm **out, const char *tcti, struct err *err)
{
	CLEANUP(key_tpm_freep) struct key_tpm *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(err);
	(void)pthread_mutex_init(&t->lock, NULL);
	t->tcti = strdup(tcti);
	/* the provider and the TSS look there; what the latter would write is no line of our log */
	if (!t->tcti || setenv("TPM2OPENSSL_TCTI", tcti, 1) || setenv("TSS2_LOG", "all+NONE", 0))
		return err_nomem(err);
	*out = take(t);
	return OK;
}

void key_tpm_free(struct key_tpm *t)
{
	if (!t)
		return;
	disconnect(t);
	free(t->tcti);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- keys, loaded ---- */

static struct span name_of(const struct key_tpm_ref *key)
{
	return key->handle ? span_str(key->handle) : key->blob;
}

static EVP_PKEY *load_blob(struct key_tpm *t, struct span blob)
{
	EVP_PKEY *pkey = NULL;
	OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL,
							      EVP_PKEY_KEYPAIR, t->lib, ITS_OWN);
	BIO *bio = BIO_new_mem_buf(blob.p, (int)blob.len);

	if (!ctx || !bio || !OSSL_DECODER_from_bio(ctx, bio)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	BIO_free(bio);
	OSSL_DECODER_CTX_free(ctx);
	return pkey;
}

static EVP_PKEY *load_handle(struct key_tpm *t, const char *handle)
{
	char uri[64];
	EVP_PKEY *pkey = NULL;
	OSSL_STORE_CTX *store;

	(void)snprintf(uri, sizeof(uri), "handle:%s", handle);
	store = OSSL_STORE_open_ex(uri, t->lib, ITS_OWN, NULL, NULL, NULL, NULL, NULL);
	while (store && !pkey && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			pkey = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	(void)OSSL_STORE_close(store);
	return pkey;
}

/* To the front of the list. */
static void move_up(struct key_tpm *t, size_t i)
{
	struct loaded found = t->loaded[i];

	for (; i > 0; i--)
		t->loaded[i] = t->loaded[i - 1];
	t->loaded[0] = found;
}

static RESULT load(struct key_tpm *t, const struct key_tpm_ref *key, EVP_PKEY **out,
		   struct err *err)
{
	struct loaded *last = &t->loaded[LOADED_MAX - 1];
	size_t i;

	for (i = 0; i < LOADED_MAX; i++)
		if (t->loaded[i].pkey && span_eq(buf_span(&t->loaded[i].name), name_of(key)))
			break;
	if (i == LOADED_MAX) {
		i--;
		EVP_PKEY_free(last->pkey);
		buf_reset(&last->name);
		buf_put(&last->name, name_of(key));
		last->pkey = key->handle ? load_handle(t, key->handle) : load_blob(t, key->blob);
		if (!last->pkey)
			return not_there(t, "the key does not load", err);
		TRY(buf_check(&last->name, err));
	}
	move_up(t, i);
	*out = t->loaded[0].pkey;
	return OK;
}

/* What is done with the key in a connection. ERR_BUSY: it failed, another connection may help. */
typedef enum result use_fn(struct key_tpm *t, EVP_PKEY *pkey, void *ctx, struct err *err);

static enum result use_once(struct key_tpm *t, const struct key_tpm_ref *key, use_fn *use,
			    void *ctx, struct err *err)
{
	EVP_PKEY *pkey = NULL;

	TRY(connect_to(t, err));
	TRY(load(t, key, &pkey, err));
	return use(t, pkey, ctx, err);
}

static enum result use_key(struct key_tpm *t, const struct key_tpm_ref *key, use_fn *use, void *ctx,
			   struct err *err)
{
	enum result r;

	(void)pthread_mutex_lock(&t->lock);
	r = use_once(t, key, use, ctx, err);
	if (r == ERR_BUSY) {
		disconnect(t);
		r = use_once(t, key, use, ctx, err);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

/* ---- what is done with them ---- */

static enum result put_public(struct key_tpm *t, EVP_PKEY *pkey, void *ctx, struct err *err)
{
	(void)t;
	return key_file_put_spki(pkey, ctx, err);
}

enum result key_tpm_public(struct key_tpm *t, const struct key_tpm_ref *key, struct buf *spki,
			   struct err *err)
{
	return use_key(t, key, put_public, spki, err);
}

struct signing {
	struct sig_alg alg;
	struct span digest;
	struct buf *out;
};

static const char *const digests[] = {
	[DIGEST_SHA1] = "SHA1",
	[DIGEST_SHA256] = "SHA2-256",
	[DIGEST_SHA384] = "SHA2-384",
	[DIGEST_SHA512] = "SHA2-512",
};

static bool prepare_sign(EVP_PKEY_CTX *ctx, const struct sig_alg *alg)
{
	const OSSL_PARAM rsa[] = {
		crypto_param_text(OSSL_SIGNATURE_PARAM_PAD_MODE, alg->pss ? "pss" : "pkcs1"),
		crypto_param_text(OSSL_SIGNATURE_PARAM_DIGEST, digests[alg->digest]),
		OSSL_PARAM_construct_end(),
	};
	const OSSL_PARAM ec[] = {
		crypto_param_text(OSSL_SIGNATURE_PARAM_DIGEST, digests[alg->digest]),
		OSSL_PARAM_construct_end(),
	};

	return ctx && EVP_PKEY_sign_init(ctx) > 0 &&
	       EVP_PKEY_CTX_set_params(ctx, alg->kind == KEY_RSA ? rsa : ec) > 0;
}

static enum result sign_with(struct key_tpm *t, EVP_PKEY *pkey, void *arg, struct err *err)
{
	struct signing *job = arg;
	CLEANUP(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(t->lib, pkey, ITS_OWN);
	uint8_t signature[RSA_MAX];
	size_t len = sizeof(signature);

	if (!prepare_sign(ctx, &job->alg) ||
	    EVP_PKEY_sign(ctx, signature, &len, job->digest.p, job->digest.len) <= 0)
		return not_there(t, "signing", err);
	buf_put(job->out, span_of(signature, len));
	return buf_check(job->out, err);
}

enum result key_tpm_sign(struct key_tpm *t, const struct key_tpm_ref *key, struct sig_alg alg,
			 struct span digest, struct buf *out, struct err *err)
{
	struct signing job = { alg, digest, out };

	if (alg.digest >= ARRAY_LEN(digests) || !digests[alg.digest])
		return err_set(err, ERR_BAD_ALG, "a TPM does not sign with %s",
			       digest_name(alg.digest));
	return use_key(t, key, sign_with, &job, err);
}

struct decrypting {
	const struct transport_alg *alg;
	struct span cipher;
	struct secret *out;
	unsigned attempts; /* each in a connection and with a key that were good until then */
};

static bool prepare_decrypt(EVP_PKEY_CTX *ctx, const struct transport_alg *alg)
{
	const OSSL_PARAM pkcs1[] = {
		crypto_param_text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PKCSV15),
		OSSL_PARAM_construct_end(),
	};
	const OSSL_PARAM oaep[] = {
		crypto_param_text(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_OAEP),
		crypto_param_text(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digests[alg->digest]),
		OSSL_PARAM_construct_end(),
	};

	return ctx && EVP_PKEY_decrypt_init(ctx) > 0 &&
	       EVP_PKEY_CTX_set_params(ctx, alg->oaep ? oaep : pkcs1) > 0;
}

static enum result decrypt_with(struct key_tpm *t, EVP_PKEY *pkey, void *arg, struct err *err)
{
	struct decrypting *job = arg;
	CLEANUP(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(t->lib, pkey, ITS_OWN);
	uint8_t plain[RSA_MAX];
	size_t len = sizeof(plain);
	enum result r;

	job->attempts++;
	if (!prepare_decrypt(ctx, job->alg) ||
	    EVP_PKEY_decrypt(ctx, plain, &len, job->cipher.p, job->cipher.len) <= 0)
		return not_there(t, "decrypting", err);
	r = secret_set(job->out, span_of(plain, len), err);
	explicit_bzero(plain, sizeof(plain));
	return r;
}

enum result key_tpm_decrypt(struct key_tpm *t, const struct key_tpm_ref *key,
			    const struct transport_alg *alg, struct span cipher, struct secret *out,
			    struct err *err)
{
	struct decrypting job = { .alg = alg, .cipher = cipher, .out = out };
	uint8_t random[PKCS1_KEY_MAX];
	enum result r;

	if (alg->oaep && (alg->digest >= ARRAY_LEN(digests) || !digests[alg->digest] ||
			  alg->digest != alg->mgf_digest))
		return err_set(err, ERR_BAD_ALG, "the TPM has no RSA-OAEP with %s and MGF1 with %s",
			       digest_name(alg->digest), digest_name(alg->mgf_digest));
	r = use_key(t, key, decrypt_with, &job, err);
	/* refused twice by a TPM that answers: it is the cipher */
	if (r != ERR_BUSY || job.attempts < 2)
		return r;
	if (alg->oaep)
		return err_set(err, ERR_BAD_CHECK, "the content key does not decrypt");
	TRY(random_fill(random, sizeof(random), err));
	return secret_set(out, SPAN_ARRAY(random), err);
}

/* ---- making ---- */

static EVP_PKEY *generate(struct key_tpm *t, struct key_spec spec)
{
	const char *type = spec.kind == KEY_RSA ? "RSA" : "EC";
	size_t bits = spec.bits;
	const OSSL_PARAM rsa[] = {
		OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
		OSSL_PARAM_construct_end(),
	};
	const OSSL_PARAM ec[] = {
		crypto_param_text(OSSL_PKEY_PARAM_GROUP_NAME, key_kind_name(spec.kind)),
		OSSL_PARAM_construct_end(),
	};
	CLEANUP(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(t->lib, type, ITS_OWN);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_params(ctx, spec.kind == KEY_RSA ? rsa : ec) <= 0 ||
	    EVP_PKEY_generate(ctx, &pkey) <= 0)
		return NULL;
	return pkey;
}

static bool put_blob(EVP_PKEY *pkey, struct buf *out)
{
	OSSL_ENCODER_CTX *ctx =
	    OSSL_ENCODER_CTX_new_for_pkey(pkey, EVP_PKEY_KEYPAIR, "PEM", NULL, ITS_OWN);
	unsigned char *pem = NULL;
	size_t len = 0;
	bool ok = ctx && OSSL_ENCODER_to_data(ctx, &pem, &len) == 1;

	if (ok)
		buf_put(out, span_of(pem, len));
	OPENSSL_free(pem);
	OSSL_ENCODER_CTX_free(ctx);
	return ok;
}

static RESULT generate_once(struct key_tpm *t, struct key_spec spec, struct buf *blob,
			    struct err *err)
{
	CLEANUP(EVP_PKEY_freep) EVP_PKEY *pkey = NULL;

	TRY(connect_to(t, err));
	pkey = generate(t, spec);
	if (!pkey || !put_blob(pkey, blob))
		return not_there(t, "making the key", err);
	return buf_check(blob, err);
}

enum result key_tpm_generate(struct key_tpm *t, struct key_spec spec, struct buf *blob,
			     struct err *err)
{
	enum result r;

	if (spec.kind != KEY_RSA && !key_kind_is_ec(spec.kind))
		return err_set(err, ERR_BAD_ALG, "a TPM has no %s keys", key_kind_name(spec.kind));
	(void)pthread_mutex_lock(&t->lock);
	/* room for it among the few objects that a TPM holds; and a connection that is alive */
	disconnect(t);
	r = generate_once(t, spec, blob, err);
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}
