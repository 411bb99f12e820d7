/* SPDX-License-Identifier: Apache-2.0 */
#include "est/attributes.h"

#include "der/oid.h"
#include "der/reader.h"
#include "der/writer.h"

bool est_attributes_are_empty(const struct est_attributes *a)
{
	return !a->link && a->key == KEY_NONE && a->n_subject == 0 && !a->san;
}

/* ---- keys ---- */

static const struct key_type {
	enum key_kind kind;
	const struct span *algorithm;
	const struct span *curve; /* NULL: none */
} key_types[] = {
	{ KEY_RSA, &OID_RSA_ENCRYPTION, NULL },
	{ KEY_EC_P256, &OID_EC_PUBLIC_KEY, &OID_P256 },
	{ KEY_EC_P384, &OID_EC_PUBLIC_KEY, &OID_P384 },
	{ KEY_EC_P521, &OID_EC_PUBLIC_KEY, &OID_P521 },
	{ KEY_ED25519, &OID_ED25519, NULL },
};

static const struct key_type *type_of(enum key_kind kind)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(key_types); i++)
		if (key_types[i].kind == kind)
			return &key_types[i];
	return NULL;
}

static bool is_key_algorithm(struct span oid)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(key_types); i++)
		if (span_eq(oid, *key_types[i].algorithm))
			return true;
	return false;
}

/* KEY_NONE: an algorithm, or a curve, that we cannot make keys for. */
static enum key_kind kind_of(struct span algorithm, struct span curve)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(key_types); i++) {
		const struct key_type *t = &key_types[i];

		if (span_eq(algorithm, *t->algorithm) && (!t->curve || span_eq(curve, *t->curve)))
			return t->kind;
	}
	return KEY_NONE;
}

/* ---- out ---- */

/* An attribute of one value, or of none. */
static size_t open_attribute(struct buf *out, struct span type)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, type);
	return seq;
}

/* RFC 9908 3.2: the parameters that go with the kind of key. */
static void put_key_attribute(struct buf *out, const struct est_attributes *a)
{
	const struct key_type *t = type_of(a->key);
	size_t seq, set;

	if (!t)
		return;
	seq = open_attribute(out, *t->algorithm);
	set = der_open(out, DER_SET);
	if (t->curve)
		der_put_oid(out, *t->curve);
	else if (a->key == KEY_RSA && a->bits)
		der_put_uint(out, a->bits);
	der_close(out, set);
	der_close(out, seq);
}

/* RFC 9908 3.4: a placeholder of the length that is wanted; nobody knows its factors. */
static void put_rsa_placeholder(struct buf *out, unsigned bits)
{
	BUF modulus = BUF_INIT;
	BUF key = BUF_INIT;
	uint8_t *bytes = buf_extend(&modulus, bits / 8);
	size_t seq = der_open(&key, DER_SEQUENCE);

	if (!bytes) {
		out->failed = true;
		return;
	}
	memset(bytes, 0xff, bits / 8);
	der_put_magnitude(&key, buf_span(&modulus));
	der_put_uint(&key, 65537);
	der_close(&key, seq);
	der_put_bits(out, buf_span(&key));
	out->failed |= key.failed;
}

static void put_key_template(struct buf *out, const struct est_attributes *a)
{
	const struct key_type *t = type_of(a->key);
	size_t spki, id;

	if (!t)
		return;
	spki = der_open(out, DER_CONTEXT_CONS(0));
	id = der_open(out, DER_SEQUENCE);
	der_put_oid(out, *t->algorithm);
	if (t->curve)
		der_put_oid(out, *t->curve);
	else if (a->key == KEY_RSA)
		der_put_null(out);
	der_close(out, id);
	if (a->key == KEY_RSA && a->bits)
		put_rsa_placeholder(out, a->bits);
	der_close(out, spki);
}

/* Absent where nothing is wanted of it. */
static void put_subject_template(struct buf *out, const struct est_attributes *a)
{
	size_t name, set, part, i;

	if (a->n_subject == 0)
		return;
	name = der_open(out, DER_SEQUENCE);
	for (i = 0; i < a->n_subject; i++) {
		set = der_open(out, DER_SET);
		part = open_attribute(out, a->subject[i].type);
		buf_put(out, a->subject[i].value);
		der_close(out, part);
		der_close(out, set);
	}
	der_close(out, name);
}

static void put_san_template(struct buf *out)
{
	size_t attr = open_attribute(out, OID_EXTENSION_REQ_TEMPLATE);
	size_t set = der_open(out, DER_SET), list = der_open(out, DER_SEQUENCE);
	size_t ext = open_attribute(out, OID_SUBJECT_ALT_NAME);

	der_close(out, ext);
	der_close(out, list);
	der_close(out, set);
	der_close(out, attr);
}

static void put_challenge(struct buf *out)
{
	size_t attr = open_attribute(out, OID_CHALLENGE_PASSWORD);

	der_close(out, der_open(out, DER_SET));
	der_close(out, attr);
}

static void put_template(struct buf *out, const struct est_attributes *a)
{
	size_t attr = open_attribute(out, OID_CSR_INFO_TEMPLATE);
	size_t set = der_open(out, DER_SET), info = der_open(out, DER_SEQUENCE), attrs;

	der_put_uint(out, 0);
	put_subject_template(out, a);
	put_key_template(out, a);
	attrs = der_open(out, DER_CONTEXT_CONS(1));
	if (a->link)
		put_challenge(out);
	if (a->san)
		put_san_template(out);
	der_close_set_of(out, attrs);
	der_close(out, info);
	der_close(out, set);
	der_close(out, attr);
}

void est_attributes_put(struct buf *out, const struct est_attributes *a)
{
	size_t list = der_open(out, DER_SEQUENCE);

	if (a->link)
		der_put_oid(out, OID_CHALLENGE_PASSWORD);
	put_key_attribute(out, a);
	put_template(out, a);
	der_close(out, list);
}

/* ---- in ---- */

static bool is_link(struct span oid)
{
	return span_eq(oid, OID_CHALLENGE_PASSWORD) || span_eq(oid, OID_EST_IDENTITY_LINKING);
}

static RESULT read_extensions(struct der_reader *values, struct est_attributes *a, struct err *err)
{
	struct der_reader list, ext;
	struct span oid;

	/* the example of RFC 7030 4.5.2 has bare OIDs there, which servers have taken over */
	if (!der_peek(values, DER_SEQUENCE))
		return OK;
	TRY(der_enter(values, DER_SEQUENCE, "CsrAttrs extensions", &list, err));
	while (!der_at_end(&list)) {
		TRY(der_enter(&list, DER_SEQUENCE, "CsrAttrs extension", &ext, err));
		TRY(der_read_oid(&ext, "CsrAttrs extension.extnID", &oid, err));
		a->san |= span_eq(oid, OID_SUBJECT_ALT_NAME);
	}
	return OK;
}

/* values: of the SET, where an attribute has its parameters. */
static RESULT read_key(struct span type, struct der_reader *values, struct est_attributes *a,
		       struct err *err)
{
	struct span curve = SPAN_NONE;
	uint64_t bits = 0;

	if (der_peek(values, DER_OID))
		TRY(der_read_oid(values, "CsrAttrs key parameters", &curve, err));
	else if (der_peek(values, DER_INTEGER))
		TRY(der_read_uint(values, "CsrAttrs key size", 16384, &bits, err));
	a->key = kind_of(type, curve);
	a->bits = a->key == KEY_RSA ? (unsigned)bits : 0;
	return OK;
}

static RESULT read_attribute(struct der_reader *list, struct est_attributes *a, struct err *err)
{
	struct der_reader attr, values;
	struct span type;

	TRY(der_enter(list, DER_SEQUENCE, "CsrAttrs attribute", &attr, err));
	TRY(der_read_oid(&attr, "CsrAttrs attribute.type", &type, err));
	TRY(der_enter(&attr, DER_SET, "CsrAttrs attribute.values", &values, err));
	TRY(der_end(&attr, "CsrAttrs attribute", err));
	a->link |= is_link(type);
	if (is_key_algorithm(type))
		return read_key(type, &values, a, err);
	if (span_eq(type, OID_EXTENSION_REQUEST) || span_eq(type, OID_EXTENSION_REQ_TEMPLATE))
		return read_extensions(&values, a, err);
	return OK;
}

static RESULT read_subject(struct der_reader *info, struct est_attributes *a, struct err *err)
{
	struct der_reader name, rdn, part;
	struct est_name_part *p;
	struct der_tlv value;

	TRY(der_enter(info, DER_SEQUENCE, "CsrAttrs template.subject", &name, err));
	while (!der_at_end(&name)) {
		TRY(der_enter(&name, DER_SET, "CsrAttrs template RDN", &rdn, err));
		while (!der_at_end(&rdn)) {
			if (a->n_subject == EST_SUBJECT_MAX)
				return err_set(err, ERR_LIMIT, "CsrAttrs: more than %d RDNs",
					       EST_SUBJECT_MAX);
			p = &a->subject[a->n_subject];
			*p = (struct est_name_part){ 0 };
			TRY(der_enter(&rdn, DER_SEQUENCE, "CsrAttrs RDN attribute", &part, err));
			TRY(der_read_oid(&part, "CsrAttrs RDN attribute.type", &p->type, err));
			if (!der_at_end(&part)) {
				TRY(der_read_any(&part, "CsrAttrs RDN value", &value, err));
				p->value = value.whole;
			}
			TRY(der_end(&part, "CsrAttrs RDN attribute", err));
			a->n_subject++;
		}
	}
	return OK;
}

/* The placeholder's length is what counts. */
static RESULT read_placeholder(struct der_reader *spki, struct est_attributes *a, struct err *err)
{
	struct der_reader key;
	struct span bits, modulus;

	TRY(der_read_bits(spki, "CsrAttrs placeholder", &bits, err));
	if (a->key != KEY_RSA)
		return OK;
	TRY(der_read_whole(bits, DER_SEQUENCE, "CsrAttrs RSA placeholder", &key, err));
	TRY(der_read_integer(&key, "CsrAttrs placeholder.modulus", &modulus, err));
	while (modulus.len && modulus.p[0] == 0)
		modulus = span_sub(modulus, 1, SIZE_MAX);
	if (modulus.len > 2048)
		return err_set(err, ERR_LIMIT, "CsrAttrs: an RSA key of %zu octets", modulus.len);
	a->bits = (unsigned)modulus.len * 8;
	return OK;
}

static RESULT read_key_template(struct der_reader *info, struct est_attributes *a, struct err *err)
{
	struct der_reader spki, id;
	struct span algorithm;

	TRY(der_enter(info, DER_CONTEXT_CONS(0), "CsrAttrs template.subjectPKInfo", &spki, err));
	TRY(der_enter(&spki, DER_SEQUENCE, "CsrAttrs template.algorithm", &id, err));
	TRY(der_read_oid(&id, "CsrAttrs template.algorithm", &algorithm, err));
	TRY(read_key(algorithm, &id, a, err));
	return der_at_end(&spki) ? OK : read_placeholder(&spki, a, err);
}

static RESULT read_template(struct der_reader *attr, struct est_attributes *a, struct err *err)
{
	struct der_reader values, info, attrs;
	uint64_t version;

	TRY(der_enter(attr, DER_SET, "CsrAttrs template", &values, err));
	TRY(der_enter(&values, DER_SEQUENCE, "CsrAttrs template", &info, err));
	TRY(der_end(&values, "CsrAttrs template", err));
	TRY(der_read_uint(&info, "CsrAttrs template.version", 0, &version, err));
	if (der_peek(&info, DER_SEQUENCE))
		TRY(read_subject(&info, a, err));
	if (der_peek(&info, DER_CONTEXT_CONS(0)))
		TRY(read_key_template(&info, a, err));
	TRY(der_enter(&info, DER_CONTEXT_CONS(1), "CsrAttrs template.attributes", &attrs, err));
	while (!der_at_end(&attrs))
		TRY(read_attribute(&attrs, a, err));
	return der_end(&info, "CsrAttrs template", err);
}

/* *templated: *a is the template's, and nothing else counts any more. */
static RESULT read_one(struct der_reader *list, struct est_attributes *a, bool *templated,
		       struct err *err)
{
	struct der_reader attr, again = *list;
	struct span type;

	if (der_peek(list, DER_OID)) {
		TRY(der_read_oid(list, "CsrAttrs", &type, err));
		a->link |= !*templated && is_link(type);
		a->key = !*templated && is_key_algorithm(type) && a->key == KEY_NONE
			     ? kind_of(type, SPAN_NONE)
			     : a->key;
		return OK;
	}
	TRY(der_enter(list, DER_SEQUENCE, "CsrAttrs attribute", &attr, err));
	TRY(der_read_oid(&attr, "CsrAttrs attribute.type", &type, err));
	if (span_eq(type, OID_CSR_INFO_TEMPLATE)) {
		if (*templated)
			return err_set(err, ERR_SYNTAX, "RFC 9908 3.4: two templates");
		*templated = true;
		*a = (struct est_attributes){ 0 };
		return read_template(&attr, a, err);
	}
	return *templated ? OK : read_attribute(&again, a, err);
}

enum result est_attributes_parse(struct span der, struct est_attributes *out, struct err *err)
{
	struct est_attributes got = { 0 };
	struct der_reader list;
	bool templated = false;

	TRY(der_read_whole(der, DER_SEQUENCE, "CsrAttrs", &list, err));
	while (!der_at_end(&list))
		TRY(read_one(&list, &got, &templated, err));
	*out = got;
	return OK;
}
