/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/ext.h"

#include <limits.h>
#include <strings.h>

#include "der/oid.h"
#include "der/writer.h"

/* Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
static enum result read_ext(struct der_reader *list, struct ext *out, struct err *err)
{
	struct ext got = { .critical = false };
	struct der_tlv value;
	struct der_reader r;

	TRY(der_enter(list, DER_SEQUENCE, "Extension", &r, err));
	TRY(der_read_oid(&r, "extnID", &got.oid, err));
	if (der_peek(&r, DER_BOOLEAN))
		TRY(der_read_bool(&r, "Extension.critical", &got.critical, err));
	TRY(der_read(&r, DER_OCTET_STRING, "extnValue", &value, err));
	TRY(der_end(&r, "Extension", err));
	got.value = value.content;
	*out = got;
	return OK;
}

static const char *name_of(struct span oid)
{
	const char *name = oid_name(oid);

	return name ? name : "unknown";
}

enum result ext_check(struct span list, struct err *err)
{
	struct span seen[EXT_MAX];
	struct der_reader r;
	struct ext ext;
	size_t n = 0, i;

	der_reader_init(&r, list);
	for (; !der_at_end(&r); seen[n++] = ext.oid) {
		if (n == EXT_MAX)
			return err_set(err, ERR_LIMIT, "more than %d extensions", EXT_MAX);
		TRY(read_ext(&r, &ext, err));
		for (i = 0; i < n; i++)
			if (span_eq(seen[i], ext.oid))
				return err_set(err, ERR_SYNTAX,
					       "RFC 5280 4.2: extension %s stands there twice",
					       name_of(ext.oid));
	}
	return OK;
}

bool ext_next(struct der_reader *list, struct ext *out)
{
	return !der_at_end(list) && read_ext(list, out, NULL) == OK;
}

enum result ext_find(struct span list, struct span oid, struct ext *out, struct err *err)
{
	struct der_reader r;
	struct ext ext;

	der_reader_init(&r, list);
	while (!der_at_end(&r)) {
		TRY(read_ext(&r, &ext, err));
		if (span_eq(ext.oid, oid)) {
			*out = ext;
			return OK;
		}
	}
	return err_set(err, ERR_NOT_FOUND, "no extension %s", name_of(oid));
}

/* In the order of the bits (RFC 5280 4.2.1.3). */
static const char *const usages[] = {
	"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
	"keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly",
};

uint32_t key_usage_parse(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(usages); i++)
		if (strcasecmp(usages[i], name) == 0)
			return UINT32_C(1) << i;
	return strcasecmp(name, "contentCommitment") == 0 ? KU_NON_REPUDIATION : 0;
}

static const struct span *const purposes[] = {
	&OID_SERVER_AUTH,      &OID_CLIENT_AUTH,        &OID_CODE_SIGNING, &OID_EMAIL_PROTECTION,
	&OID_IPSEC_END_SYSTEM, &OID_IPSEC_TUNNEL,       &OID_IPSEC_USER,   &OID_TIME_STAMPING,
	&OID_OCSP_SIGNING,     &OID_EAP_OVER_LAN,       &OID_IPSEC_IKE,    &OID_IKE_INTERMEDIATE,
	&OID_CMC_RA,           &OID_MS_SMARTCARD_LOGON, &OID_ANY_EKU,
};

enum result eku_parse(const char *name, struct buf *out, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(purposes); i++)
		if (strcasecmp(oid_name(*purposes[i]), name) == 0) {
			buf_put(out, *purposes[i]);
			return buf_check(out, err);
		}
	if (oid_parse(name, out, NULL) != OK)
		return err_set(err, ERR_SYNTAX,
			       "\"%s\" is neither a known extended key usage nor an OID", name);
	return OK;
}

bool ext_has_eku(struct span exts, struct span purpose)
{
	struct der_reader list;
	struct ext eku = { 0 };
	struct span oid;

	if (ext_find(exts, OID_EXT_KEY_USAGE, &eku, NULL) != OK ||
	    der_read_whole(eku.value, DER_SEQUENCE, "extKeyUsage", &list, NULL) != OK)
		return false;
	while (!der_at_end(&list) && der_read_oid(&list, "extKeyUsage", &oid, NULL) == OK)
		if (span_eq(oid, purpose))
			return true;
	return false;
}

/* AccessDescription; empty: not of a responder by HTTP. */
static struct span ocsp_url_of(struct der_reader *access)
{
	static const char scheme[] = "http://";
	struct der_tlv place;
	struct span method;

	if (der_read_oid(access, "accessMethod", &method, NULL) != OK ||
	    der_read_any(access, "accessLocation", &place, NULL) != OK ||
	    !span_eq(method, OID_AD_OCSP) || place.tag != DER_CONTEXT(6) ||
	    !span_eq_str(span_sub(place.content, 0, sizeof(scheme) - 1), scheme))
		return SPAN_NONE;
	return place.content;
}

struct span ext_ocsp_url(struct span exts)
{
	struct der_reader list, access;
	struct ext aia = { 0 };
	struct span url;

	if (ext_find(exts, OID_AUTHORITY_INFO_ACCESS, &aia, NULL) != OK ||
	    der_read_whole(aia.value, DER_SEQUENCE, "authorityInfoAccess", &list, NULL) != OK)
		return SPAN_NONE;
	while (der_enter(&list, DER_SEQUENCE, "AccessDescription", &access, NULL) == OK) {
		url = ocsp_url_of(&access);
		if (url.len)
			return url;
	}
	return SPAN_NONE;
}

enum result ext_read_key_usage(struct span value, uint32_t *out, struct err *err)
{
	struct der_reader r;
	uint32_t bits;

	der_reader_init(&r, value);
	TRY(der_read_named_bits(&r, "keyUsage", &bits, err));
	TRY(der_end(&r, "keyUsage", err));
	*out = bits;
	return OK;
}

enum result ext_read_basic_constraints(struct span value, bool *ca, int *path_len, struct err *err)
{
	struct der_reader r;
	uint64_t len = 0;
	bool is_ca = false, has_len;

	TRY(der_read_whole(value, DER_SEQUENCE, "basicConstraints", &r, err));
	if (der_peek(&r, DER_BOOLEAN))
		TRY(der_read_bool(&r, "basicConstraints.cA", &is_ca, err));
	has_len = !der_at_end(&r);
	if (has_len)
		TRY(der_read_uint(&r, "pathLenConstraint", INT_MAX, &len, err));
	TRY(der_end(&r, "basicConstraints", err));
	*ca = is_ca;
	*path_len = has_len ? (int)len : -1;
	return OK;
}

/* An Extension whose value is being written. */
struct open_ext {
	size_t ext;
	size_t value;
};

static struct open_ext open_ext(struct buf *out, struct span oid, bool critical)
{
	struct open_ext o;

	o.ext = der_open(out, DER_SEQUENCE);
	der_put_oid(out, oid);
	if (critical)
		der_put_bool(out, true);
	o.value = der_open(out, DER_OCTET_STRING);
	return o;
}

static void close_ext(struct buf *out, struct open_ext o)
{
	der_close(out, o.value);
	der_close(out, o.ext);
}

void ext_put(struct buf *out, struct span oid, bool critical, struct span value)
{
	struct open_ext o = open_ext(out, oid, critical);

	buf_put(out, value);
	close_ext(out, o);
}

void ext_put_key_usage(struct buf *out, uint32_t bits)
{
	struct open_ext o = open_ext(out, OID_KEY_USAGE, true);

	der_put_named_bits(out, bits);
	close_ext(out, o);
}

void ext_put_basic_constraints(struct buf *out, bool ca, int path_len)
{
	struct open_ext o = open_ext(out, OID_BASIC_CONSTRAINTS, true);
	size_t seq = der_open(out, DER_SEQUENCE);

	if (ca)
		der_put_bool(out, true);
	if (ca && path_len >= 0)
		der_put_uint(out, (uint64_t)path_len);
	der_close(out, seq);
	close_ext(out, o);
}

void ext_put_eku(struct buf *out, const struct span *oids, size_t n, bool critical)
{
	struct open_ext o = open_ext(out, OID_EXT_KEY_USAGE, critical);
	size_t seq = der_open(out, DER_SEQUENCE), i;

	for (i = 0; i < n; i++)
		der_put_oid(out, oids[i]);
	der_close(out, seq);
	close_ext(out, o);
}

void ext_put_ski(struct buf *out, struct span key_id)
{
	struct open_ext o = open_ext(out, OID_SUBJECT_KEY_ID, false);

	der_put_octets(out, key_id);
	close_ext(out, o);
}

void ext_put_aki(struct buf *out, struct span key_id)
{
	struct open_ext o = open_ext(out, OID_AUTHORITY_KEY_ID, false);
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_tlv(out, DER_CONTEXT(0), key_id);
	der_close(out, seq);
	close_ext(out, o);
}

void ext_put_san(struct buf *out, struct span general_names, bool critical)
{
	struct open_ext o = open_ext(out, OID_SUBJECT_ALT_NAME, critical);

	der_put_tlv(out, DER_SEQUENCE, general_names);
	close_ext(out, o);
}

static void put_uri(struct buf *out, const char *url)
{
	der_put_tlv(out, DER_CONTEXT(6), span_str(url));
}

/* One DistributionPoint: its names are several ways to the same CRL (RFC 5280 4.2.1.13). */
void ext_put_crl_distribution_points(struct buf *out, const char *const *urls, size_t n)
{
	struct open_ext o = open_ext(out, OID_CRL_DISTRIBUTION_POINTS, false);
	size_t list = der_open(out, DER_SEQUENCE);
	size_t point = der_open(out, DER_SEQUENCE);
	size_t name = der_open(out, DER_CONTEXT_CONS(0));
	size_t full_name = der_open(out, DER_CONTEXT_CONS(0)), i;

	for (i = 0; i < n; i++)
		put_uri(out, urls[i]);
	der_close(out, full_name);
	der_close(out, name);
	der_close(out, point);
	der_close(out, list);
	close_ext(out, o);
}

static void put_access(struct buf *out, struct span method, const char *url)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, method);
	put_uri(out, url);
	der_close(out, seq);
}

void ext_put_authority_info_access(struct buf *out, const char *const *ocsp, size_t n_ocsp,
				   const char *const *ca_issuers, size_t n_issuers)
{
	struct open_ext o = open_ext(out, OID_AUTHORITY_INFO_ACCESS, false);
	size_t seq = der_open(out, DER_SEQUENCE), i;

	for (i = 0; i < n_ocsp; i++)
		put_access(out, OID_AD_OCSP, ocsp[i]);
	for (i = 0; i < n_issuers; i++)
		put_access(out, OID_AD_CA_ISSUERS, ca_issuers[i]);
	der_close(out, seq);
	close_ext(out, o);
}
