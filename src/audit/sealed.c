/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/sealed.h"

#include "audit/record.h"
#include "base/hex.h"

void audit_sealed_clear(struct audit_sealed *s)
{
	buf_clear(&s->signature);
	*s = (struct audit_sealed){ 0 };
}

static void put_hex(struct buf *out, struct span octets)
{
	hex_put(out, octets);
	buf_put_byte(out, '\0');
}

json_t *audit_sealed_json(const struct audit_sealed *s)
{
	BUF prev = BUF_INIT, hash = BUF_INIT, key = BUF_INIT, signature = BUF_INIT;
	char at[CLOCK_TEXT_MAX];

	put_hex(&prev, SPAN_ARRAY(s->seal.prev));
	put_hex(&hash, SPAN_ARRAY(s->seal.hash));
	put_hex(&key, SPAN_ARRAY(s->key));
	put_hex(&signature, buf_span(&s->signature));
	if (prev.failed || hash.failed || key.failed || signature.failed)
		return NULL;
	clock_format(s->seal.time, at);
	return json_pack("{s:I, s:s, s:I, s:s, s:s, s:s, s:s}", "first", (json_int_t)s->seal.first,
			 "prev", (char *)prev.data, "last", (json_int_t)s->seal.last, "hash",
			 (char *)hash.data, "time", at, "key", (char *)key.data, "signature",
			 (char *)signature.data);
}

static enum result get_hash(const char *name, const char *text, uint8_t out[AUDIT_HASH],
			    struct err *err)
{
	BUF octets = BUF_INIT;

	TRY(hex_parse(span_str(text), &octets, err));
	if (octets.len != AUDIT_HASH)
		return err_set(err, ERR_SYNTAX, "seal: \"%s\" has %zu octets, not %d", name,
			       octets.len, AUDIT_HASH);
	memcpy(out, octets.data, AUDIT_HASH);
	return OK;
}

enum result audit_sealed_parse(const json_t *value, struct audit_sealed *out, struct err *err)
{
	CLEANUP(audit_sealed_clear) struct audit_sealed s = { 0 };
	const char *prev, *hash, *at, *key, *signature;
	json_int_t first, last;

	/* the cast: unpacking only reads, but has no const form */
	if (json_unpack((json_t *)(uintptr_t)value, "{s:I, s:s, s:I, s:s, s:s, s:s, s:s !}",
			"first", &first, "prev", &prev, "last", &last, "hash", &hash, "time", &at,
			"key", &key, "signature", &signature) != 0)
		return err_set(err, ERR_SYNTAX, "seal: a field is missing, unknown or no text");
	s.seal.first = first;
	s.seal.last = last;
	TRY(get_hash("prev", prev, s.seal.prev, err));
	TRY(get_hash("hash", hash, s.seal.hash, err));
	TRY(get_hash("key", key, s.key, err));
	TRY(audit_record_time(at, &s.seal.time, err));
	TRY(hex_parse(span_str(signature), &s.signature, err));
	*out = s;
	s = (struct audit_sealed){ 0 };
	return OK;
}

enum result audit_sealed_check(const struct audit_sealed *s, struct crypto *c, struct pubkey *key,
			       struct err *err)
{
	struct sig_alg alg = sig_alg_for(pubkey_info(key)->kind);
	BUF message = BUF_INIT;

	TRY(audit_seal_put(&s->seal, &message, err));
	return pubkey_verify(key, c, alg, buf_span(&message), buf_span(&s->signature), err);
}
