/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "pki/key_tpm.h"
#include "token/back.h"

#define SCHEME "tpm:"
#define HANDLE "handle="
#define HANDLE_MAX 16

struct tpm_key {
	struct token_key base;
	struct key_tpm *tpm;
	struct buf blob;
	char handle[HANDLE_MAX]; /* "": it is a blob */
};

static struct tpm_key *of(struct token_key *k)
{
	return (struct tpm_key *)k;
}

static struct key_tpm_ref ref_of(const struct tpm_key *k)
{
	return (struct key_tpm_ref){ buf_span(&k->blob), k->handle[0] ? k->handle : NULL };
}

/* ---- URIs: "tpm:" a new key, "tpm:handle=0x81000001" one that the TPM keeps ---- */

static RESULT read_uri(struct span uri, char handle[HANDLE_MAX], struct err *err)
{
	struct span rest = span_sub(uri, sizeof(SCHEME) - 1, SIZE_MAX);
	struct span value = span_sub(rest, sizeof(HANDLE) - 1, SIZE_MAX);
	size_t i;

	handle[0] = '\0';
	if (rest.len == 0)
		return OK;
	if (!span_eq(span_sub(rest, 0, sizeof(HANDLE) - 1), SPAN_LIT(HANDLE)) || value.len != 10 ||
	    !span_eq(span_sub(value, 0, 4), SPAN_LIT("0x81")))
		return err_set(err, ERR_USAGE,
			       "TPM key: write tpm: or tpm:handle=0x81...... of a persistent key");
	for (i = 2; i < value.len; i++)
		if (!isxdigit(value.p[i]))
			return err_set(err, ERR_USAGE, "TPM key: handle is no number");
	(void)snprintf(handle, HANDLE_MAX, "%.*s", (int)value.len, (const char *)value.p);
	return OK;
}

static enum result tpm_check_uri(struct span uri, struct err *err)
{
	char handle[HANDLE_MAX];

	return read_uri(uri, handle, err);
}

static enum result tpm_store(struct span uri, struct buf *out, struct err *err)
{
	(void)uri;
	buf_put_str(out, SCHEME);
	return buf_check(out, err);
}

static RESULT need_tpm(const struct tokens *t, struct err *err)
{
	if (t && t->tpm)
		return OK;
	return err_set(err, ERR_CONFIG,
		       "a key in a TPM, and no keys.tpm.tcti in the configuration");
}

/* ---- use ---- */

static enum result tpm_sign(struct token_key *key, struct sig_alg alg, struct span tbs,
			    struct buf *out, struct err *err)
{
	const struct key_tpm_ref ref = ref_of(of(key));

	return key_tpm_sign(of(key)->tpm, &ref, alg, tbs, out, err);
}

static enum result tpm_decrypt(struct token_key *key, const struct transport_alg *alg,
			       struct span cipher, struct secret *out, struct err *err)
{
	const struct key_tpm_ref ref = ref_of(of(key));

	return key_tpm_decrypt(of(key)->tpm, &ref, alg, cipher, out, err);
}

static enum result tpm_check(struct token_key *key, struct err *err)
{
	const struct key_tpm_ref ref = ref_of(of(key));
	BUF spki = BUF_INIT;

	return key_tpm_public(of(key)->tpm, &ref, &spki, err);
}

static void tpm_free(struct token_key *key)
{
	buf_clear(&of(key)->blob);
	free(key);
}

static const struct token_key_ops tpm_ops = {
	.sign = tpm_sign,
	.decrypt = tpm_decrypt,
	.check = tpm_check,
	.free = tpm_free,
};

static enum result tpm_open(struct tokens *t, const struct token_record *record,
			    struct token_key **out, struct err *err)
{
	struct tpm_key *k;
	char handle[HANDLE_MAX];
	BUF blob = BUF_INIT;

	TRY(need_tpm(t, err));
	TRY(read_uri(buf_span(&record->uri), handle, err));
	if (!handle[0] && !record->blob.len)
		return err_set(err, ERR_SYNTAX, "key record: neither handle nor blob");
	buf_put(&blob, buf_span(&record->blob));
	TRY(buf_check(&blob, err));
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem(err);
	k->base.ops = &tpm_ops;
	k->tpm = t->tpm;
	memcpy(k->handle, handle, sizeof(handle));
	k->blob = buf_take(&blob);
	*out = &k->base;
	return OK;
}

/* ---- finding and making ---- */

static enum result tpm_find(struct tokens *t, struct span uri, struct token_record *out,
			    struct err *err)
{
	struct key_tpm_ref ref = { .handle = NULL };
	char handle[HANDLE_MAX];

	TRY(need_tpm(t, err));
	TRY(read_uri(uri, handle, err));
	if (!handle[0])
		return err_set(err, ERR_USAGE, "TPM key: which one? write tpm:handle=0x81......");
	ref.handle = handle;
	TRY(key_tpm_public(t->tpm, &ref, &out->spki, err));
	buf_put(&out->uri, uri);
	return buf_check(&out->uri, err);
}

static enum result tpm_make(struct tokens *t, struct span uri, const char *label,
			    struct key_spec spec, struct token_record *out, struct err *err)
{
	struct key_tpm_ref ref = { .handle = NULL };
	char handle[HANDLE_MAX];

	(void)label;
	TRY(need_tpm(t, err));
	TRY(read_uri(uri, handle, err));
	if (handle[0])
		return tpm_find(t, uri, out, err);
	TRY(key_tpm_generate(t->tpm, spec, &out->blob, err));
	ref.blob = buf_span(&out->blob);
	TRY(key_tpm_public(t->tpm, &ref, &out->spki, err));
	buf_put(&out->uri, uri);
	return buf_check(&out->uri, err);
}

const struct token_back token_tpm = {
	.scheme = SCHEME,
	.check_uri = tpm_check_uri,
	.make = tpm_make,
	.open = tpm_open,
	.store = tpm_store,
	.find = tpm_find,
};
