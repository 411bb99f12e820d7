/* SPDX-License-Identifier: Apache-2.0 */
#include "token/object.h"

#include <stdlib.h>

#include "der/oid.h"
#include "der/writer.h"

#define VALUE_MAX 4096
#define ATTRIBUTES_MAX 12

/* ---- attributes ---- */

struct template
{
	struct ck_attribute list[ATTRIBUTES_MAX];
	unsigned long n;
};

static void add(struct template *t, ck_attribute_type_t type, const void *value, size_t len)
{
	/* the module only reads */
	t->list[t->n++] = (struct ck_attribute){ type, (void *)(uintptr_t)value, len };
}

static void add_buf(struct template *t, ck_attribute_type_t type, const struct buf *value)
{
	if (value->len)
		add(t, type, value->data, value->len);
}

static void add_flag(struct template *t, ck_attribute_type_t type, bool value)
{
	static const unsigned char flags[] = { 0, 1 };

	add(t, type, &flags[value], 1);
}

/* Appended to out; one that is not there, or not to be seen, is CKR_ATTRIBUTE_TYPE_INVALID. */
static ck_rv_t get(const struct token_session *s, ck_object_handle_t object,
		   ck_attribute_type_t type, struct buf *out)
{
	uint8_t value[VALUE_MAX];
	struct ck_attribute a = { type, value, sizeof(value) };
	ck_rv_t rv = s->calls->C_GetAttributeValue(s->handle, object, &a, 1);

	if (rv != CKR_OK)
		return rv;
	if (a.value_len > sizeof(value))
		return CKR_ATTRIBUTE_TYPE_INVALID;
	buf_put(out, span_of(value, a.value_len));
	return out->failed ? CKR_HOST_MEMORY : CKR_OK;
}

static ck_rv_t get_number(const struct token_session *s, ck_object_handle_t object,
			  ck_attribute_type_t type, unsigned long *out)
{
	struct ck_attribute a = { type, out, sizeof(*out) };

	return s->calls->C_GetAttributeValue(s->handle, object, &a, 1);
}

/* ---- finding ---- */

static ck_rv_t find_one(const struct token_session *s, struct template *t, ck_object_handle_t *out)
{
	ck_object_handle_t found[2];
	unsigned long n = 0;
	ck_rv_t rv;

	rv = s->calls->C_FindObjectsInit(s->handle, t->list, t->n);
	if (rv != CKR_OK)
		return rv;
	rv = s->calls->C_FindObjects(s->handle, found, 2, &n);
	(void)s->calls->C_FindObjectsFinal(s->handle);
	if (rv != CKR_OK)
		return rv;
	if (n != 1)
		return n ? CKR_TEMPLATE_INCONSISTENT : CKR_KEY_HANDLE_INVALID;
	*out = found[0];
	return CKR_OK;
}

ck_rv_t token_object_find(const struct token_session *s, const struct token_uri *uri,
			  ck_object_handle_t *key)
{
	static const ck_object_class_t private_key = CKO_PRIVATE_KEY;
	struct template t = { .n = 0 };

	add(&t, CKA_CLASS, &private_key, sizeof(private_key));
	add_buf(&t, CKA_LABEL, &uri->object);
	add_buf(&t, CKA_ID, &uri->id);
	return find_one(s, &t, key);
}

/* ---- the public part ---- */

static const struct {
	enum key_kind kind;
	const struct span *oid;
} curves[] = {
	{ KEY_EC_P256, &OID_P256 },
	{ KEY_EC_P384, &OID_P384 },
	{ KEY_EC_P521, &OID_P521 },
	{ KEY_ED25519, &OID_ED25519 },
};

static void put_algorithm(struct buf *out, struct span oid, struct span params)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	buf_put(out, params);
	der_close(out, seq);
}

static ck_rv_t put_rsa(const struct token_session *s, ck_object_handle_t object, struct buf *spki)
{
	BUF n = BUF_INIT, e = BUF_INIT, key = BUF_INIT;
	size_t seq;
	ck_rv_t rv;

	rv = get(s, object, CKA_MODULUS, &n);
	if (rv == CKR_OK)
		rv = get(s, object, CKA_PUBLIC_EXPONENT, &e);
	if (rv != CKR_OK)
		return rv;
	seq = der_open(&key, DER_SEQUENCE);
	der_put_magnitude(&key, buf_span(&n));
	der_put_magnitude(&key, buf_span(&e));
	der_close(&key, seq);
	seq = der_open(spki, DER_SEQUENCE);
	put_algorithm(spki, OID_RSA_ENCRYPTION, SPAN_LIT("\x05\x00"));
	der_put_bits(spki, buf_span(&key));
	der_close(spki, seq);
	return key.failed || spki->failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* In an OCTET STRING, as it should be, or bare, as some have it. */
static struct span point_of(const struct buf *value)
{
	struct der_reader r;
	struct der_tlv tlv;

	der_reader_init(&r, buf_span(value));
	if (der_read(&r, DER_OCTET_STRING, "CKA_EC_POINT", &tlv, NULL) == OK && der_at_end(&r))
		return tlv.content;
	return buf_span(value);
}

static ck_rv_t put_curve(const struct token_session *s, ck_object_handle_t object, bool edwards,
			 struct buf *spki)
{
	BUF params = BUF_INIT, point = BUF_INIT;
	size_t seq;
	ck_rv_t rv;

	rv = get(s, object, CKA_EC_POINT, &point);
	if (rv == CKR_OK && !edwards)
		rv = get(s, object, CKA_EC_PARAMS, &params);
	if (rv != CKR_OK)
		return rv;
	seq = der_open(spki, DER_SEQUENCE);
	put_algorithm(spki, edwards ? OID_ED25519 : OID_EC_PUBLIC_KEY, buf_span(&params));
	der_put_bits(spki, point_of(&point));
	der_close(spki, seq);
	return spki->failed ? CKR_HOST_MEMORY : CKR_OK;
}

static ck_rv_t put_public(const struct token_session *s, ck_object_handle_t object,
			  unsigned long type, struct buf *spki)
{
	if (type == CKK_RSA)
		return put_rsa(s, object, spki);
	if (type == CKK_EC || type == CKK_EC_EDWARDS)
		return put_curve(s, object, type == CKK_EC_EDWARDS, spki);
	return CKR_KEY_TYPE_INCONSISTENT;
}

/* The public key that goes with it has its id. */
static ck_rv_t find_public(const struct token_session *s, const struct token_uri *uri,
			   ck_object_handle_t *object)
{
	static const ck_object_class_t public_key = CKO_PUBLIC_KEY;
	struct template t = { .n = 0 };

	add(&t, CKA_CLASS, &public_key, sizeof(public_key));
	if (uri->id.len)
		add_buf(&t, CKA_ID, &uri->id);
	else
		add_buf(&t, CKA_LABEL, &uri->object);
	return find_one(s, &t, object);
}

ck_rv_t token_object_describe(const struct token_session *s, ck_object_handle_t key,
			      struct token_uri *uri, struct buf *spki)
{
	ck_object_handle_t other = 0;
	unsigned long type = 0;
	ck_rv_t rv;

	if (!uri->id.len)
		(void)get(s, key, CKA_ID, &uri->id);
	if (!uri->object.len)
		(void)get(s, key, CKA_LABEL, &uri->object);
	rv = get_number(s, key, CKA_KEY_TYPE, &type);
	if (rv != CKR_OK)
		return rv;
	if (type == CKK_RSA && put_public(s, key, type, spki) == CKR_OK)
		return CKR_OK;
	buf_reset(spki);
	rv = find_public(s, uri, &other);
	return rv == CKR_OK ? put_public(s, other, type, spki) : rv;
}

/* ---- making ---- */

static void add_identity(struct template *t, const struct token_uri *uri)
{
	add_flag(t, CKA_TOKEN, true);
	add_buf(t, CKA_LABEL, &uri->object);
	add_buf(t, CKA_ID, &uri->id);
}

static ck_rv_t make_pair(const struct token_session *s, const struct token_uri *uri,
			 struct ck_mechanism *mechanism, struct template *public, bool decrypts)
{
	struct template private = { .n = 0 };
	ck_object_handle_t handles[2];

	add_identity(public, uri);
	add_flag(public, CKA_VERIFY, true);
	add_identity(&private, uri);
	add_flag(&private, CKA_PRIVATE, true);
	add_flag(&private, CKA_SENSITIVE, true);
	add_flag(&private, CKA_EXTRACTABLE, false);
	add_flag(&private, CKA_SIGN, true);
	add_flag(&private, CKA_DECRYPT, decrypts);
	add_flag(&private, CKA_UNWRAP, false);
	if (decrypts)
		add_flag(public, CKA_ENCRYPT, true);
	return s->calls->C_GenerateKeyPair(s->handle, mechanism, public->list, public->n,
					   private.list, private.n, &handles[0], &handles[1]);
}

static ck_rv_t make_rsa(const struct token_session *s, const struct token_uri *uri, unsigned bits)
{
	static const uint8_t exponent[] = { 1, 0, 1 };
	struct ck_mechanism mechanism = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	struct template public = { .n = 0 };
	unsigned long size = bits;

	add(&public, CKA_MODULUS_BITS, &size, sizeof(size));
	add(&public, CKA_PUBLIC_EXPONENT, exponent, sizeof(exponent));
	return make_pair(s, uri, &mechanism, &public, true);
}

static ck_rv_t make_on_curve(const struct token_session *s, const struct token_uri *uri,
			     enum key_kind kind, struct span params)
{
	struct ck_mechanism mechanism = { kind == KEY_ED25519 ? CKM_EC_EDWARDS_KEY_PAIR_GEN
							      : CKM_EC_KEY_PAIR_GEN,
					  NULL, 0 };
	struct template public = { .n = 0 };

	add(&public, CKA_EC_PARAMS, params.p, params.len);
	return make_pair(s, uri, &mechanism, &public, false);
}

ck_rv_t token_object_make(const struct token_session *s, const struct token_uri *uri,
			  struct key_spec spec)
{
	BUF params = BUF_INIT;
	size_t i;
	ck_rv_t rv;

	if (spec.kind == KEY_RSA)
		return make_rsa(s, uri, spec.bits);
	for (i = 0; i < ARRAY_LEN(curves); i++)
		if (curves[i].kind == spec.kind)
			break;
	if (i == ARRAY_LEN(curves))
		return CKR_MECHANISM_INVALID;
	der_put_oid(&params, *curves[i].oid);
	if (params.failed)
		return CKR_HOST_MEMORY;
	rv = make_on_curve(s, uri, spec.kind, buf_span(&params));
	/* PKCS#11 3.0 has the curve by OID or by name; tokens know the one or the other */
	if (rv != CKR_OK && spec.kind == KEY_ED25519)
		rv = make_on_curve(s, uri, spec.kind,
				   SPAN_LIT("\x13\x0c"
					    "edwards25519"));
	return rv;
}
