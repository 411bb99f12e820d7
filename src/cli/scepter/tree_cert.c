/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/tree_cert.h"

#include "base/hex.h"
#include "der/oid.h"
#include "pki/san.h"

#define SHOWN_MAX 48 /* octets of what is not understood */

void tree_put_key(struct tree *t, json_t *at, const char *name, struct span spki)
{
	struct pubkey_info info;
	struct err err = { 0 };

	if (pubkey_inspect(spki, &info, &err) == OK)
		tree_printf(t, at, name, "%s, %u bits", key_kind_name(info.kind), info.bits);
	else
		tree_text(t, at, name, err_text(&err));
}

void tree_put_alg(struct tree *t, json_t *at, const char *name, struct span algorithm_identifier)
{
	struct der_reader r;
	struct span oid;

	if (der_read_whole(algorithm_identifier, DER_SEQUENCE, name, &r, NULL) == OK &&
	    der_read_oid(&r, name, &oid, NULL) == OK)
		tree_oid(t, at, name, oid);
	else
		tree_hex(t, at, name, algorithm_identifier);
}

/* ---- extensions ---- */

typedef bool put_ext(struct tree *t, json_t *at, const char *name, struct span value);

static bool put_basic_constraints(struct tree *t, json_t *at, const char *name, struct span value)
{
	int path_len;
	bool ca;

	if (ext_read_basic_constraints(value, &ca, &path_len, NULL) != OK)
		return false;
	if (ca && path_len >= 0)
		tree_printf(t, at, name, "CA, path length %d", path_len);
	else
		tree_text(t, at, name, ca ? "CA" : "not a CA");
	return true;
}

static bool put_key_usage(struct tree *t, json_t *at, const char *name, struct span value)
{
	static const char *const bits[] = { "digitalSignature", "nonRepudiation", "keyEncipherment",
					    "dataEncipherment", "keyAgreement",   "keyCertSign",
					    "cRLSign",          "encipherOnly",   "decipherOnly" };
	uint32_t usage;
	json_t *list;
	size_t i;

	if (ext_read_key_usage(value, &usage, NULL) != OK)
		return false;
	list = tree_list(t, at, name);
	for (i = 0; i < ARRAY_LEN(bits); i++)
		if (usage & 1u << i)
			tree_append_text(t, list, span_str(bits[i]));
	return true;
}

static bool put_eku(struct tree *t, json_t *at, const char *name, struct span value)
{
	struct der_reader r;
	struct span oid;
	json_t *list;

	if (der_read_whole(value, DER_SEQUENCE, name, &r, NULL) != OK)
		return false;
	list = tree_list(t, at, name);
	while (!der_at_end(&r) && der_read_oid(&r, name, &oid, NULL) == OK) {
		const char *known = oid_name(oid);
		BUF text = BUF_INIT;

		if (!known)
			oid_put_text(&text, oid);
		tree_append_text(t, list, known ? span_str(known) : buf_span(&text));
	}
	return true;
}

static bool put_san(struct tree *t, json_t *at, const char *name, struct span value)
{
	struct der_reader r;
	struct san san;
	json_t *list;

	if (san_begin(value, &r, NULL) != OK)
		return false;
	list = tree_list(t, at, name);
	while (san_next(&r, &san)) {
		BUF text = BUF_INIT;

		buf_printf(&text, "%s:", san_kind_name(san.kind));
		if (san_put_text(&text, &san, NULL) != OK)
			hex_put(&text, san.value);
		tree_append_text(t, list, buf_span(&text));
	}
	return true;
}

static bool put_ski(struct tree *t, json_t *at, const char *name, struct span value)
{
	struct der_reader r;
	struct der_tlv id;

	der_reader_init(&r, value);
	if (der_read(&r, DER_OCTET_STRING, name, &id, NULL) != OK)
		return false;
	tree_hex(t, at, name, id.content);
	return true;
}

static bool put_aki(struct tree *t, json_t *at, const char *name, struct span value)
{
	struct der_reader r;
	struct der_tlv id;

	if (der_read_whole(value, DER_SEQUENCE, name, &r, NULL) != OK ||
	    der_read(&r, DER_CONTEXT(0), name, &id, NULL) != OK)
		return false;
	tree_hex(t, at, name, id.content);
	return true;
}

/* Deeper than a DistributionPoint's fullName nests. */
#define URI_DEPTH 6

/* GeneralNames that are URIs, wherever they stand in there. */
static void append_uris(struct tree *t, json_t *list, struct span der, int depth)
{
	struct der_reader r;
	struct der_tlv v;

	der_reader_init(&r, der);
	while (!der_at_end(&r) && der_read_any(&r, "URI", &v, NULL) == OK)
		if (v.tag == DER_CONTEXT(SAN_URI))
			tree_append_text(t, list, v.content);
		else if (v.tag & DER_CONSTRUCTED && depth)
			append_uris(t, list, v.content, depth - 1);
}

/* The list, unless nothing was found for it. */
static bool put_list(struct tree *t, json_t *at, const char *name, json_t *list)
{
	if (json_array_size(list)) {
		tree_set(t, at, name, list);
		return true;
	}
	json_decref(list);
	return false;
}

static bool put_crl_points(struct tree *t, json_t *at, const char *name, struct span value)
{
	json_t *list = json_array();

	append_uris(t, list, value, URI_DEPTH);
	return put_list(t, at, name, list);
}

/* "id-ad-ocsp http://..." */
static bool put_access(struct tree *t, json_t *at, const char *name, struct span value)
{
	struct der_reader r, description;
	json_t *list = json_array();
	struct der_tlv place;
	struct span method;

	if (der_read_whole(value, DER_SEQUENCE, name, &r, NULL) != OK)
		der_reader_init(&r, SPAN_NONE);
	while (!der_at_end(&r) && der_enter(&r, DER_SEQUENCE, name, &description, NULL) == OK &&
	       der_read_oid(&description, name, &method, NULL) == OK &&
	       der_read(&description, DER_CONTEXT(SAN_URI), name, &place, NULL) == OK) {
		const char *known = oid_name(method);
		BUF text = BUF_INIT;

		if (known)
			buf_put_str(&text, known);
		else
			oid_put_text(&text, method);
		buf_put_byte(&text, ' ');
		buf_put(&text, place.content);
		tree_append_text(t, list, buf_span(&text));
	}
	return put_list(t, at, name, list);
}

static const struct {
	const struct span *oid;
	put_ext *put;
} known_exts[] = {
	{ &OID_BASIC_CONSTRAINTS, put_basic_constraints },
	{ &OID_KEY_USAGE, put_key_usage },
	{ &OID_EXT_KEY_USAGE, put_eku },
	{ &OID_SUBJECT_ALT_NAME, put_san },
	{ &OID_SUBJECT_KEY_ID, put_ski },
	{ &OID_AUTHORITY_KEY_ID, put_aki },
	{ &OID_CRL_DISTRIBUTION_POINTS, put_crl_points },
	{ &OID_AUTHORITY_INFO_ACCESS, put_access },
};

static void put_one_ext(struct tree *t, json_t *at, const struct ext *ext)
{
	const char *known = oid_name(ext->oid);
	BUF name = BUF_INIT;
	size_t i;

	if (known)
		buf_put_str(&name, known);
	else
		oid_put_text(&name, ext->oid);
	if (ext->critical)
		buf_put_str(&name, " (critical)");
	if (!buf_cstr(&name)) {
		t->failed = true;
		return;
	}
	for (i = 0; i < ARRAY_LEN(known_exts); i++)
		if (span_eq(*known_exts[i].oid, ext->oid) &&
		    known_exts[i].put(t, at, buf_cstr(&name), ext->value))
			return;
	tree_hex(t, at, buf_cstr(&name), span_sub(ext->value, 0, SHOWN_MAX));
}

static void put_exts(struct tree *t, json_t *at, const char *name, struct span exts)
{
	struct der_reader r;
	struct ext ext;
	json_t *node;

	if (exts.len == 0)
		return;
	node = tree_node(t, at, name);
	der_reader_init(&r, exts);
	while (ext_next(&r, &ext))
		put_one_ext(t, node, &ext);
}

/* ---- certificates and requests ---- */

static void put_fingerprint(struct tree *t, json_t *at, const char *name, enum digest_alg alg,
			    struct span der)
{
	uint8_t digest[DIGEST_MAX];

	if (t->c && cert_fingerprint(t->c, der, alg, digest, NULL) == OK)
		tree_hex(t, at, name, span_of(digest, digest_size(alg)));
}

void tree_put_cert(struct tree *t, json_t *at, const struct cert *cert)
{
	tree_name(t, at, "subject", cert->subject);
	tree_name(t, at, "issuer", cert->issuer);
	tree_hex(t, at, "serial", cert->serial);
	tree_time(t, at, "notBefore", cert->not_before);
	tree_time(t, at, "notAfter", cert->not_after);
	tree_put_key(t, at, "key", cert->spki);
	tree_put_alg(t, at, "signatureAlgorithm", cert->sig_id);
	put_fingerprint(t, at, "SHA-256", DIGEST_SHA256, cert->der);
	put_fingerprint(t, at, "SHA-1", DIGEST_SHA1, cert->der);
	put_exts(t, at, "extensions", cert->exts);
}

/* Attributes that are not shown on their own. */
static void put_other_attrs(struct tree *t, json_t *at, struct span attrs)
{
	struct der_reader list, attr;
	struct der_tlv values;
	struct span type;

	der_reader_init(&list, attrs);
	while (!der_at_end(&list) &&
	       der_enter(&list, DER_SEQUENCE, "attribute", &attr, NULL) == OK &&
	       der_read_oid(&attr, "type", &type, NULL) == OK &&
	       der_read(&attr, DER_SET, "values", &values, NULL) == OK) {
		const char *known = oid_name(type);
		BUF dotted = BUF_INIT;

		if (span_eq(type, OID_CHALLENGE_PASSWORD) || span_eq(type, OID_EXTENSION_REQUEST))
			continue;
		oid_put_text(&dotted, type);
		if (!buf_cstr(&dotted))
			return;
		tree_hex(t, at, known ? known : buf_cstr(&dotted),
			 span_sub(values.content, 0, SHOWN_MAX));
	}
}

void tree_put_csr(struct tree *t, json_t *at, const struct csr *csr)
{
	struct err err = { 0 };

	tree_name(t, at, "subject", csr->subject);
	tree_put_key(t, at, "key", csr->spki);
	tree_put_alg(t, at, "signatureAlgorithm", csr->sig_id);
	if (t->c)
		tree_text(t, at, "proofOfPossession",
			  csr_verify(csr, t->c, &err) == OK ? "the signature verifies"
							    : err_text(&err));
	if (csr->challenge_tag)
		tree_printf(t, at, "challengePassword", "%zu octets, not shown",
			    csr->challenge.len);
	put_exts(t, at, "extensionRequest", csr->exts);
	put_other_attrs(t, at, csr->attrs);
}
