/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/vault.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "pki/key_file.h"

/* Our own keys are for their owner; an administrator's may be for a group, as ssl-cert is. */
#define OWN_KEY_MODE 0600
#define TLS_KEY_MODE 0640

struct vault {
	struct vault_config config;
	struct crypto *crypto;
	struct tokens *tokens; /* NULL: none are configured */
	size_t plain;
};

enum result vault_open(struct vault **out, const struct vault_config *config, struct err *err)
{
	CLEANUP(vault_freep) struct vault *v = calloc(1, sizeof(*v));

	if (!v)
		return err_nomem(err);
	v->config = *config;
	TRY(crypto_new(&v->crypto, false, err));
	TRY(tokens_new(&v->tokens, &config->tokens, err));
	*out = take(v);
	return OK;
}

void vault_free(struct vault *v)
{
	if (!v)
		return;
	tokens_free(v->tokens);
	crypto_free(v->crypto);
	free(v);
}

size_t vault_count_plain(const struct vault *v)
{
	return v->plain;
}

struct crypto *vault_crypto(struct vault *v)
{
	return v->crypto;
}

/* ---- a key ---- */

void kept_key_clear(struct kept_key *k)
{
	key_free(k->key);
	token_key_free(k->token);
	token_record_clear(&k->record);
}

struct span kept_key_spki(const struct kept_key *k)
{
	return k->key ? key_spki(k->key) : token_key_spki(k->token);
}

enum result kept_key_use(const struct kept_key *k, struct crypto *c, struct key **out,
			 struct err *err)
{
	return k->key ? key_evp_copy(out, c, k->key, err) : token_key_use(k->token, out, err);
}

enum result kept_key_check(const struct kept_key *k, struct err *err)
{
	return k->key ? OK : token_key_check(k->token, err);
}

enum result kept_key_store(const struct kept_key *k, struct buf *out, struct err *err)
{
	if (k->token)
		return token_record_store(&k->record, out, err);
	buf_put_str(out, "file");
	return buf_check(out, err);
}

/* ---- loading ---- */

static RESULT path_of(const struct vault *v, const char *id, const char *suffix, char out[PATH_MAX],
		      struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s%s", v->config.directory, id, suffix) >= PATH_MAX)
		return err_set(err, ERR_LIMIT, "%s: path too long", v->config.directory);
	return OK;
}

static RESULT check_mode(const char *path, mode_t widest, struct err *err)
{
	struct stat st;

	if (stat(path, &st))
		return err_errno(err, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0777 & ~(widest | 0100)))
		return err_set(err, ERR_CONFIG,
			       "%s: mode %04o, too wide for a file with a private key: chmod %o it",
			       path, (unsigned)(st.st_mode & 07777), (unsigned)widest);
	return OK;
}

static RESULT load_key(struct vault *v, const char *path, struct kept_key *out, struct err *err)
{
	const struct secret *passphrase = v->config.passphrase;
	BUF_SECRET file = BUF_INIT;
	enum result r;

	TRY(file_read(path, KEY_FILE_MAX, &file, err));
	r = key_evp_from_bytes(&out->key, v->crypto, buf_span(&file), passphrase, err);
	if (r == ERR_DENIED)
		return err_set(err, r, "%s: the key is encrypted%s", path,
			       passphrase ? ", and the passphrase of keys.passphrase is not its"
					  : "; set keys.passphrase to where its passphrase is");
	if (r != OK)
		return err_prefix(err, r, "%s", path);
	v->plain += !key_file_is_sealed(buf_span(&file));
	return OK;
}

static RESULT load_token(struct vault *v, const char *path, struct kept_key *out, struct err *err)
{
	CLEANUP(token_record_clear) struct token_record record = { 0 };
	BUF text = BUF_INIT;
	enum result r;

	TRY(file_read(path, KEY_FILE_MAX, &text, err));
	r = token_record_read(buf_span(&text), &record, err);
	if (r == OK)
		r = tokens_open(v->tokens, &record, &out->token, err);
	if (r != OK)
		return err_prefix(err, r, "%s", path);
	out->record = record;
	record = (struct token_record){ 0 };
	return OK;
}

typedef enum result load_fn(struct vault *v, const char *path, struct kept_key *out,
			    struct err *err);

static const struct {
	const char *suffix;
	load_fn *load;
} forms[] = {
	{ ".key", load_key },
	{ ".token", load_token },
};

/* Which of the forms a file of this name has; ARRAY_LEN(forms): none. */
static size_t form_of(struct span name)
{
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(forms); i++) {
		n = strlen(forms[i].suffix);
		if (name.len >= n && span_eq_str(span_sub(name, name.len - n, n), forms[i].suffix))
			break;
	}
	return i;
}

bool vault_is_key_file(const char *name, struct span *id)
{
	size_t form = form_of(span_str(name));

	if (form == ARRAY_LEN(forms))
		return false;
	*id = span_of(name, strlen(name) - strlen(forms[form].suffix));
	return true;
}

enum result vault_load(struct vault *v, const char *name, struct kept_key *out, struct err *err)
{
	size_t form = form_of(span_str(name));
	char path[PATH_MAX];

	if (form == ARRAY_LEN(forms))
		return err_set(err, ERR_NOT_FOUND, "%s is no key", name);
	TRY(path_of(v, name, "", path, err));
	TRY(check_mode(path, OWN_KEY_MODE, err));
	return forms[form].load(v, path, out, err);
}

enum result vault_load_foreign(struct vault *v, const char *place, struct kept_key *out,
			       struct err *err)
{
	if (token_is_uri(place))
		return tokens_open_uri(v->tokens, span_str(place), &out->token, err);
	TRY(check_mode(place, TLS_KEY_MODE, err));
	return load_key(v, place, out, err);
}

/* ---- making ---- */

enum result vault_make(struct vault *v, const char *id, struct span store, struct key_spec spec,
		       struct kept_key *out, struct err *err)
{
	if (store.len == 0)
		store = span_str(v->config.store ? v->config.store : "file");
	if (span_eq_str(store, "file"))
		return key_evp_generate(&out->key, v->crypto, spec, err);
	TRY(tokens_make(v->tokens, store, id, spec, &out->record, err));
	return tokens_open(v->tokens, &out->record, &out->token, err);
}

enum result vault_save(const struct vault *v, const char *id, const struct kept_key *k,
		       struct err *err)
{
	char path[PATH_MAX];
	BUF_SECRET text = BUF_INIT;

	if (k->key)
		TRY(key_evp_export(k->key, v->config.passphrase, &text, err));
	else
		TRY(token_record_write(&k->record, &text, err));
	TRY(path_of(v, id, k->key ? ".key" : ".token", path, err));
	return file_write_atomic(path, OWN_KEY_MODE, buf_span(&text), err);
}
