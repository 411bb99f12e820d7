/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "base/random.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/pkcs1.h"
#include "token/back.h"
#include "token/object.h"
#include "token/pkcs11_make.h"

#define SESSIONS_KEPT 64
#define RSA_MAX 1024 /* octets */

struct pkcs11_key {
	struct token_key base;
	struct token_module *module;
	struct token_uri uri;
	pthread_mutex_t lock; /* of what follows, which is of one epoch */
	unsigned epoch;
	ck_slot_id_t slot;
	ck_object_handle_t object;
	ck_session_handle_t idle[SESSIONS_KEPT];
	size_t n_idle;
};

static struct pkcs11_key *of(struct token_key *k)
{
	return (struct pkcs11_key *)k;
}

/* ---- sessions: one for each who uses the key at the same time, kept for the next ---- */

/* Forgets what another epoch had, or what turned out to be gone. */
static void begin_epoch(struct pkcs11_key *k, unsigned epoch)
{
	k->epoch = epoch;
	k->object = 0;
	k->n_idle = 0;
}

static bool take_idle(struct pkcs11_key *k, unsigned epoch, struct token_session *s,
		      ck_object_handle_t *object)
{
	bool found;

	(void)pthread_mutex_lock(&k->lock);
	if (k->epoch != epoch)
		begin_epoch(k, epoch);
	found = k->n_idle > 0;
	if (found) {
		s->handle = k->idle[--k->n_idle];
		*object = k->object;
	}
	(void)pthread_mutex_unlock(&k->lock);
	return found;
}

static void put_idle(struct pkcs11_key *k, unsigned epoch, const struct token_session *s)
{
	bool kept;

	(void)pthread_mutex_lock(&k->lock);
	kept = k->epoch == epoch && k->n_idle < SESSIONS_KEPT;
	if (kept)
		k->idle[k->n_idle++] = s->handle;
	(void)pthread_mutex_unlock(&k->lock);
	if (!kept)
		(void)s->calls->C_CloseSession(s->handle);
}

static ck_rv_t open_new(struct pkcs11_key *k, unsigned epoch, struct token_session *s,
			ck_object_handle_t *object)
{
	ck_slot_id_t slot = 0;
	ck_rv_t rv;

	rv = token_module_find_slot(k->module, &k->uri, &slot);
	if (rv == CKR_OK)
		rv = token_module_open_session(k->module, &k->uri, slot, false, &s->handle);
	if (rv != CKR_OK)
		return rv;
	rv = token_object_find(s, &k->uri, object);
	if (rv != CKR_OK) {
		(void)s->calls->C_CloseSession(s->handle);
		return rv;
	}
	(void)pthread_mutex_lock(&k->lock);
	if (k->epoch == epoch)
		k->object = *object;
	(void)pthread_mutex_unlock(&k->lock);
	return CKR_OK;
}

/* What is done with a session and the key in it. */
typedef ck_rv_t use_fn(void *ctx, const struct token_session *s, ck_object_handle_t object);

/* *gone: it may be worth another try. */
static ck_rv_t use_once(struct pkcs11_key *k, use_fn *use, void *ctx, unsigned *epoch, bool *gone)
{
	struct token_session s = { .calls = token_module_calls(k->module) };
	ck_object_handle_t object = 0;
	ck_rv_t rv = CKR_OK;
	bool fresh;

	*epoch = token_module_enter(k->module);
	fresh = !take_idle(k, *epoch, &s, &object);
	if (fresh)
		rv = open_new(k, *epoch, &s, &object);
	*gone = token_module_is_gone(rv) || token_module_is_odd(rv);
	if (rv == CKR_OK) {
		rv = use(ctx, &s, object);
		/* in a session of just now an odd error is the operation's own */
		*gone = token_module_is_gone(rv) || (!fresh && token_module_is_odd(rv));
		if (rv == CKR_OK)
			put_idle(k, *epoch, &s);
		else
			(void)s.calls->C_CloseSession(s.handle);
	}
	token_module_leave(k->module);
	return rv;
}

/* The other idle sessions went with the token. */
static void drop_idle(struct pkcs11_key *k, unsigned epoch)
{
	struct token_session s = { .calls = token_module_calls(k->module) };
	ck_object_handle_t object;

	if (token_module_enter(k->module) == epoch)
		while (take_idle(k, epoch, &s, &object))
			(void)s.calls->C_CloseSession(s.handle);
	token_module_leave(k->module);
}

/* With new sessions, then with the module initialised anew, where the token seems to be gone. */
static ck_rv_t use_key(struct pkcs11_key *k, use_fn *use, void *ctx)
{
	unsigned epoch = 0;
	bool gone = false;
	ck_rv_t rv;

	rv = use_once(k, use, ctx, &epoch, &gone);
	if (!gone)
		return rv;
	drop_idle(k, epoch);
	rv = use_once(k, use, ctx, &epoch, &gone);
	if (!gone)
		return rv;
	token_module_renew(k->module, epoch);
	return use_once(k, use, ctx, &epoch, &gone);
}

/* ---- a signature or a decryption: one has the shape of the other ---- */

struct operation {
	bool decrypts;
	struct ck_mechanism mechanism;
	union {
		struct ck_rsa_pkcs_pss_params pss;
		struct ck_rsa_pkcs_oaep_params oaep;
	} parameters;
	struct span in;
	uint8_t out[RSA_MAX];
	unsigned long len;
};

static ck_rv_t perform(void *ctx, const struct token_session *s, ck_object_handle_t object)
{
	struct operation *op = ctx;
	const struct ck_function_list *calls = s->calls;
	/* the module only reads */
	unsigned char *in = (unsigned char *)(uintptr_t)op->in.p;
	ck_rv_t rv = (op->decrypts ? calls->C_DecryptInit
				   : calls->C_SignInit)(s->handle, &op->mechanism, object);

	op->len = sizeof(op->out);
	if (rv != CKR_OK)
		return rv;
	return (op->decrypts ? calls->C_Decrypt : calls->C_Sign)(s->handle, in, op->in.len, op->out,
								 &op->len);
}

static const struct {
	ck_mechanism_type_t hash;
	ck_rsa_pkcs_mgf_type_t mgf;
} hashes[] = {
	[DIGEST_SHA1] = { CKM_SHA_1, CKG_MGF1_SHA1 },
	[DIGEST_SHA256] = { CKM_SHA256, CKG_MGF1_SHA256 },
	[DIGEST_SHA384] = { CKM_SHA384, CKG_MGF1_SHA384 },
	[DIGEST_SHA512] = { CKM_SHA512, CKG_MGF1_SHA512 },
};

/* ---- signing ---- */

static void put_ecdsa(struct buf *out, struct span raw)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_magnitude(out, span_sub(raw, 0, raw.len / 2));
	der_put_magnitude(out, span_sub(raw, raw.len / 2, SIZE_MAX));
	der_close(out, seq);
}

static void choose_mechanism(struct operation *op, const struct token_key *k, struct sig_alg alg,
			     struct buf *digest_info)
{
	if (key_kind_is_ec(k->kind)) {
		op->mechanism.mechanism = CKM_ECDSA;
	} else if (k->kind == KEY_ED25519) {
		op->mechanism.mechanism = CKM_EDDSA;
	} else if (alg.pss) {
		op->parameters.pss = (struct ck_rsa_pkcs_pss_params){ hashes[alg.digest].hash,
								      hashes[alg.digest].mgf,
								      digest_size(alg.digest) };
		op->mechanism = (struct ck_mechanism){ CKM_RSA_PKCS_PSS, &op->parameters.pss,
						       sizeof(op->parameters.pss) };
	} else {
		pkcs1_put_digest_info(digest_info, alg.digest, op->in);
		op->in = buf_span(digest_info);
		op->mechanism.mechanism = CKM_RSA_PKCS;
	}
}

static enum result pkcs11_sign(struct token_key *key, struct sig_alg alg, struct span tbs,
			       struct buf *out, struct err *err)
{
	struct operation op = { .in = tbs };
	struct pkcs11_key *k = of(key);
	BUF digest_info = BUF_INIT;
	ck_rv_t rv;

	if (alg.digest >= ARRAY_LEN(hashes) || (alg.digest && !hashes[alg.digest].hash))
		return err_set(err, ERR_BAD_ALG, "a token does not sign with %s",
			       digest_name(alg.digest));
	choose_mechanism(&op, key, alg, &digest_info);
	TRY(buf_check(&digest_info, err));
	rv = use_key(k, perform, &op);
	if (rv != CKR_OK)
		return token_module_fail(&k->uri, rv, "signing", err);
	if (key_kind_is_ec(key->kind))
		put_ecdsa(out, span_of(op.out, op.len));
	else
		buf_put(out, span_of(op.out, op.len));
	return buf_check(out, err);
}

/* ---- decrypting ---- */

static bool is_bad_cipher(ck_rv_t rv)
{
	return rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE ||
	       rv == CKR_DATA_INVALID || rv == CKR_DATA_LEN_RANGE;
}

/* The block as long as the modulus: a token may leave out zeros that it begins with. */
static RESULT open_block(const struct pkcs11_key *k, struct operation *op, struct secret *out,
			 struct err *err)
{
	size_t size = (k->base.bits + 7) / 8;
	uint8_t block[RSA_MAX] = { 0 };
	enum result r;

	if (op->len > size)
		return err_set(err, ERR_INTERNAL, "token: a block of %lu octets", op->len);
	memcpy(block + size - op->len, op->out, op->len);
	r = pkcs1_open(span_of(block, size), out, err);
	explicit_bzero(block, sizeof(block));
	return r;
}

/*
 * Raw where the token does that, for the padding is then ours to look at, in constant time. A token
 * that insists on doing it itself says what is wrong: then a random key stands for the answer.
 */
static RESULT decrypt_pkcs1(struct pkcs11_key *k, struct operation *op, struct secret *out,
			    struct err *err)
{
	uint8_t random[PKCS1_KEY_MAX];
	ck_rv_t rv;

	op->mechanism.mechanism = CKM_RSA_X_509;
	rv = use_key(k, perform, op);
	if (rv == CKR_OK)
		return open_block(k, op, out, err);
	op->mechanism.mechanism = CKM_RSA_PKCS;
	if (rv == CKR_MECHANISM_INVALID || rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
		rv = use_key(k, perform, op);
	if (rv != CKR_OK && !is_bad_cipher(rv))
		return token_module_fail(&k->uri, rv, "decrypting", err);
	TRY(random_fill(random, sizeof(random), err));
	if (rv == CKR_OK)
		return secret_set(out, span_of(op->out, op->len), err);
	return secret_set(out, SPAN_ARRAY(random), err);
}

static RESULT decrypt_oaep(struct pkcs11_key *k, struct operation *op,
			   const struct transport_alg *alg, struct secret *out, struct err *err)
{
	ck_rv_t rv;

	op->parameters.oaep =
	    (struct ck_rsa_pkcs_oaep_params){ .hash_alg = hashes[alg->digest].hash,
					      .mgf = hashes[alg->mgf_digest].mgf,
					      .source = CKZ_DATA_SPECIFIED };
	op->mechanism = (struct ck_mechanism){ CKM_RSA_PKCS_OAEP, &op->parameters.oaep,
					       sizeof(op->parameters.oaep) };
	rv = use_key(k, perform, op);
	if (rv == CKR_OK)
		return secret_set(out, span_of(op->out, op->len), err);
	if (rv == CKR_ARGUMENTS_BAD || rv == CKR_MECHANISM_PARAM_INVALID ||
	    rv == CKR_MECHANISM_INVALID)
		return err_set(err, ERR_BAD_ALG,
			       "the token has no RSA-OAEP with %s and MGF1 with %s",
			       digest_name(alg->digest), digest_name(alg->mgf_digest));
	if (token_module_is_gone(rv))
		return token_module_fail(&k->uri, rv, "decrypting", err);
	return err_set(err, ERR_BAD_CHECK, "the content key does not decrypt");
}

static enum result pkcs11_decrypt(struct token_key *key, const struct transport_alg *alg,
				  struct span cipher, struct secret *out, struct err *err)
{
	struct operation op = { .decrypts = true, .in = cipher };
	enum result r;

	if (cipher.len > sizeof(op.out) || alg->digest >= ARRAY_LEN(hashes) ||
	    alg->mgf_digest >= ARRAY_LEN(hashes))
		return err_set(err, ERR_BAD_ALG, "not for a token");
	r = alg->oaep ? decrypt_oaep(of(key), &op, alg, out, err)
		      : decrypt_pkcs1(of(key), &op, out, err);
	explicit_bzero(op.out, sizeof(op.out));
	return r;
}

/* ---- the key ---- */

static ck_rv_t do_nothing(void *ctx, const struct token_session *s, ck_object_handle_t object)
{
	(void)ctx;
	(void)s;
	(void)object;
	return CKR_OK;
}

static enum result pkcs11_check(struct token_key *key, struct err *err)
{
	struct pkcs11_key *k = of(key);
	ck_rv_t rv = use_key(k, do_nothing, NULL);

	return rv == CKR_OK ? OK : token_module_fail(&k->uri, rv, "opening the key", err);
}

static void pkcs11_free(struct token_key *key)
{
	struct pkcs11_key *k = of(key);

	drop_idle(k, k->epoch);
	token_uri_clear(&k->uri);
	(void)pthread_mutex_destroy(&k->lock);
	free(k);
}

static const struct token_key_ops pkcs11_ops = {
	.sign = pkcs11_sign,
	.decrypt = pkcs11_decrypt,
	.check = pkcs11_check,
	.free = pkcs11_free,
};

static enum result pkcs11_open(struct tokens *t, const struct token_record *record,
			       struct token_key **out, struct err *err)
{
	CLEANUP(token_uri_clear) struct token_uri uri = { .has_slot = false };
	struct pkcs11_key *k;

	TRY(pkcs11_make_check(t, err));
	TRY(token_uri_parse(buf_span(&record->uri), &uri, err));
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem(err);
	k->base.ops = &pkcs11_ops;
	k->module = t->module;
	k->uri = uri;
	uri = (struct token_uri){ .has_slot = false };
	(void)pthread_mutex_init(&k->lock, NULL);
	*out = &k->base;
	return OK;
}

static enum result pkcs11_check_uri(struct span text, struct err *err)
{
	CLEANUP(token_uri_clear) struct token_uri uri = { .has_slot = false };

	return token_uri_parse(text, &uri, err);
}

static enum result pkcs11_store(struct span text, struct buf *out, struct err *err)
{
	CLEANUP(token_uri_clear) struct token_uri uri = { .has_slot = false };

	TRY(token_uri_parse(text, &uri, err));
	buf_reset(&uri.object);
	buf_reset(&uri.id);
	return token_uri_write(&uri, out, err);
}

const struct token_back token_pkcs11 = {
	.scheme = "pkcs11:",
	.check_uri = pkcs11_check_uri,
	.make = pkcs11_make_key,
	.open = pkcs11_open,
	.store = pkcs11_store,
	.find = pkcs11_make_find,
};
