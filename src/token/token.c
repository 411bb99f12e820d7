/* SPDX-License-Identifier: Apache-2.0 */
#include "token/token.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/hex.h"
#include "pki/key_tpm.h"
#include "token/back.h"
#include "token/module.h"

#define RECORD_MAX 65536

static const struct token_back *const backs[] = { &token_pkcs11, &token_tpm };

static const struct token_back *back_of(struct span uri)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(backs); i++) {
		size_t n = strlen(backs[i]->scheme);

		if (span_eq_str(span_sub(uri, 0, n), backs[i]->scheme))
			return backs[i];
	}
	return NULL;
}

bool token_is_uri(const char *text)
{
	return back_of(span_str(text)) != NULL;
}

enum result token_check_uri(const char *text, struct err *err)
{
	const struct token_back *back = back_of(span_str(text));

	if (!back)
		return err_set(err, ERR_USAGE, "\"%.40s\" is none of file, pkcs11:..., tpm:...",
			       text);
	return back->check_uri(span_str(text), err);
}

/* ---- records ---- */

static const struct {
	const char *name;
	size_t at;
	bool hex;
} fields[] = {
	{ "uri", offsetof(struct token_record, uri), false },
	{ "public", offsetof(struct token_record, spki), true },
	{ "blob", offsetof(struct token_record, blob), true },
};

void token_record_clear(struct token_record *r)
{
	buf_clear(&r->uri);
	buf_clear(&r->spki);
	buf_clear(&r->blob);
}

enum result token_record_write(const struct token_record *r, struct buf *out, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(fields); i++) {
		const struct buf *value = (const struct buf *)((const char *)r + fields[i].at);

		if (!value->len)
			continue;
		buf_printf(out, "%s ", fields[i].name);
		if (fields[i].hex)
			hex_put(out, buf_span(value));
		else
			buf_put(out, buf_span(value));
		buf_put_byte(out, '\n');
	}
	return buf_check(out, err);
}

static RESULT read_field(struct span line, struct token_record *out, struct err *err)
{
	size_t gap = span_find(line, ' '), i;
	struct span value = span_sub(line, gap + 1, SIZE_MAX);
	struct buf *to;

	for (i = 0; i < ARRAY_LEN(fields); i++)
		if (span_eq_str(span_sub(line, 0, gap), fields[i].name))
			break;
	if (i == ARRAY_LEN(fields) || !value.len)
		return err_set(err, ERR_SYNTAX, "key record: a line that is no field");
	to = (struct buf *)((char *)out + fields[i].at);
	if (to->len)
		return err_set(err, ERR_SYNTAX, "key record: %s stands twice", fields[i].name);
	if (fields[i].hex)
		return hex_parse(value, to, err);
	buf_put(to, value);
	return buf_check(to, err);
}

enum result token_record_read(struct span text, struct token_record *out, struct err *err)
{
	CLEANUP(token_record_clear) struct token_record r = { 0 };

	if (text.len > RECORD_MAX)
		return err_set(err, ERR_LIMIT, "key record of %zu bytes", text.len);
	while (text.len) {
		size_t end = span_find(text, '\n');

		if (end == text.len)
			return err_set(err, ERR_SYNTAX, "key record: the last line has no end");
		TRY(read_field(span_sub(text, 0, end), &r, err));
		text = span_sub(text, end + 1, SIZE_MAX);
	}
	if (!r.uri.len || !r.spki.len)
		return err_set(err, ERR_SYNTAX, "key record: uri or public is missing");
	*out = r;
	r = (struct token_record){ 0 };
	return OK;
}

/* ---- tokens ---- */

enum result tokens_new(struct tokens **out, const struct token_config *config, struct err *err)
{
	CLEANUP(tokens_freep) struct tokens *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(err);
	if (config->pkcs11_module)
		TRY(token_module_open(&t->module, config->pkcs11_module, config->pkcs11_pin, err));
	if (config->tpm_tcti)
		TRY(key_tpm_new(&t->tpm, config->tpm_tcti, err));
	*out = take(t);
	return OK;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	key_tpm_free(t->tpm);
	token_module_free(t->module);
	free(t);
}

static RESULT find_back(struct span uri, const struct token_back **out, struct err *err)
{
	*out = back_of(uri);
	if (!*out)
		return err_set(err, ERR_USAGE, "\"%.*s\" is no place for a key",
			       (int)(uri.len < 64 ? uri.len : 64), (const char *)uri.p);
	return (*out)->check_uri(uri, err);
}

enum result tokens_make(struct tokens *t, struct span uri, const char *label, struct key_spec spec,
			struct token_record *out, struct err *err)
{
	CLEANUP(token_record_clear) struct token_record r = { 0 };
	const struct token_back *back = NULL;
	struct pubkey_info info;

	TRY(find_back(uri, &back, err));
	TRY(back->make(t, uri, label, spec, &r, err));
	TRY(pubkey_inspect(buf_span(&r.spki), &info, err));
	if (info.kind != spec.kind || info.bits != spec.bits)
		return err_set(err, ERR_CONFLICT,
			       "the key in the token is %s of %u bits, not %s of %u: say so with "
			       "--key, or name another",
			       key_kind_name(info.kind), info.bits, key_kind_name(spec.kind),
			       spec.bits);
	*out = r;
	r = (struct token_record){ 0 };
	return OK;
}

enum result token_record_store(const struct token_record *r, struct buf *out, struct err *err)
{
	const struct token_back *back = NULL;

	TRY(find_back(buf_span(&r->uri), &back, err));
	return back->store(buf_span(&r->uri), out, err);
}

/* ---- keys ---- */

static RESULT copy_public(struct token_key *k, struct span spki, struct err *err)
{
	struct pubkey_info info;

	TRY(pubkey_inspect(spki, &info, err));
	buf_put(&k->spki, spki);
	k->kind = info.kind;
	k->bits = info.bits;
	return buf_check(&k->spki, err);
}

enum result tokens_open(struct tokens *t, const struct token_record *record, struct token_key **out,
			struct err *err)
{
	CLEANUP(token_key_freep) struct token_key *k = NULL;
	const struct token_back *back = NULL;

	TRY(find_back(buf_span(&record->uri), &back, err));
	TRY(back->open(t, record, &k, err));
	k->tokens = t;
	TRY(copy_public(k, buf_span(&record->spki), err));
	*out = take(k);
	return OK;
}

enum result tokens_open_uri(struct tokens *t, struct span uri, struct token_key **out,
			    struct err *err)
{
	CLEANUP(token_record_clear) struct token_record r = { 0 };
	const struct token_back *back = NULL;

	TRY(find_back(uri, &back, err));
	TRY(back->find(t, uri, &r, err));
	return tokens_open(t, &r, out, err);
}

void token_key_free(struct token_key *k)
{
	if (!k)
		return;
	buf_clear(&k->spki);
	k->ops->free(k);
}

struct span token_key_spki(const struct token_key *k)
{
	return buf_span(&k->spki);
}

enum result token_key_check(struct token_key *k, struct err *err)
{
	return k->ops->check(k, err);
}

/* ---- the handle of a thread ---- */

static void leave(struct token_key *k)
{
	(void)atomic_fetch_sub(&k->waiting, 1);
	(void)atomic_fetch_sub(&k->tokens->waiting, 1);
}

static RESULT enter(struct token_key *k, struct err *err)
{
	unsigned here = atomic_fetch_add(&k->waiting, 1);
	unsigned all = atomic_fetch_add(&k->tokens->waiting, 1);

	if (here < TOKENS_WAITING_ONE && all < TOKENS_WAITING_MAX)
		return OK;
	leave(k);
	return err_set(err, ERR_BUSY, "%u requests wait for the token already", all);
}

static RESULT sign(struct token_key *k, struct sig_alg alg, struct span tbs, struct buf *out,
		   struct err *err)
{
	enum result r;

	TRY(enter(k, err));
	r = k->ops->sign(k, alg, tbs, out, err);
	leave(k);
	return r;
}

struct handle {
	struct key base;
	struct token_key *token;
};

static enum result handle_sign(struct key *key, struct crypto *c, UNUSED enum key_purpose purpose,
			       struct sig_alg alg, struct span message, struct buf *out,
			       struct err *err)
{
	struct token_key *k = ((struct handle *)key)->token;
	uint8_t digest[DIGEST_MAX];

	if (key_kind_is_pure(k->kind))
		return sign(k, alg, message, out, err);
	TRY(crypto_digest(c, alg.digest, &message, 1, digest, err));
	return sign(k, alg, span_of(digest, digest_size(alg.digest)), out, err);
}

static enum result handle_sign_pieces(struct key *key, struct crypto *c,
				      UNUSED enum key_purpose purpose, struct sig_alg alg,
				      struct key_pieces *pieces, struct buf *out, struct err *err)
{
	struct token_key *k = ((struct handle *)key)->token;
	uint8_t digest[DIGEST_MAX];
	BUF held = BUF_INIT;

	if (key_kind_is_pure(k->kind)) {
		TRY(key_pieces_hold(pieces, &held, err));
		return sign(k, alg, buf_span(&held), out, err);
	}
	TRY(key_pieces_digest(pieces, c, alg.digest, digest, err));
	return sign(k, alg, span_of(digest, digest_size(alg.digest)), out, err);
}

static enum result handle_decrypt(struct key *key, UNUSED struct crypto *c,
				  const struct transport_alg *alg, struct span cipher,
				  struct secret *out, struct err *err)
{
	struct token_key *k = ((struct handle *)key)->token;
	enum result r;

	if (cipher.len != (k->bits + 7) / 8)
		return err_set(err, ERR_BAD_CHECK, "encrypted key of %zu octets for RSA of %u bits",
			       cipher.len, k->bits);
	TRY(enter(k, err));
	r = k->ops->decrypt(k, alg, cipher, out, err);
	leave(k);
	return r;
}

static void handle_free(struct key *key)
{
	free(key);
}

static const struct key_ops handle_ops = {
	.sign = handle_sign,
	.decrypt = handle_decrypt,
	.free = handle_free,
	.sign_pieces = handle_sign_pieces,
};

enum result token_key_use(struct token_key *k, struct key **out, struct err *err)
{
	struct handle *h = calloc(1, sizeof(*h));
	CLEANUP(key_freep) struct key *base = NULL;

	if (!h)
		return err_nomem(err);
	base = &h->base;
	*base = (struct key){ .ops = &handle_ops, .kind = k->kind, .bits = k->bits };
	h->token = k;
	buf_put(&base->spki, buf_span(&k->spki));
	TRY(buf_check(&base->spki, err));
	*out = take(base);
	return OK;
}
