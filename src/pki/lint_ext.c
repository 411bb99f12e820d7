/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"
#include "pki/lint_rules.h"
#include "pki/san.h"

#define BROKEN(err, ...) err_set(err, ERR_BAD_TEMPLATE, "RFC 5280 " __VA_ARGS__)

static enum result find(const struct lint *l, struct span oid, struct ext *out)
{
	return ext_find(l->cert.exts, oid, out, NULL);
}

static enum result read_facts(struct lint *l, struct err *err)
{
	struct ext ext;

	TRY(ext_check(l->cert.exts, err));
	if (find(l, OID_KEY_USAGE, &ext) == OK)
		TRY(ext_read_key_usage(ext.value, &l->key_usage, err));
	if (find(l, OID_BASIC_CONSTRAINTS, &ext) == OK)
		TRY(ext_read_basic_constraints(ext.value, &l->ca, &l->path_len, err));
	return OK;
}

enum result lint_ext_facts(struct lint *l, struct err *err)
{
	if (read_facts(l, err) != OK)
		return err_prefix(err, ERR_BAD_TEMPLATE, "RFC 5280 4.2");
	return OK;
}

static enum result check_ski(const struct lint *l, struct span value, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	(void)l;
	der_reader_init(&r, value);
	if (der_read(&r, DER_OCTET_STRING, "subjectKeyIdentifier", &tlv, err) != OK ||
	    der_end(&r, "subjectKeyIdentifier", err) != OK || tlv.content.len == 0)
		return BROKEN(err, "4.2.1.2: subjectKeyIdentifier is no OCTET STRING with content");
	return OK;
}

static enum result check_aki(const struct lint *l, struct span value, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	(void)l;
	if (der_read_whole(value, DER_SEQUENCE, "authorityKeyIdentifier", &r, NULL) != OK ||
	    der_read(&r, DER_CONTEXT(0), "keyIdentifier", &tlv, NULL) != OK || tlv.content.len == 0)
		return BROKEN(err, "4.2.1.1: authorityKeyIdentifier without a keyIdentifier");
	return OK;
}

static enum result check_key_usage(const struct lint *l, struct span value, struct err *err)
{
	const uint32_t only = KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY;

	(void)value;
	if (l->key_usage == 0)
		return BROKEN(err, "4.2.1.3: keyUsage without a bit");
	if (l->key_usage & only && !(l->key_usage & KU_KEY_AGREEMENT))
		return BROKEN(err, "4.2.1.3: encipherOnly or decipherOnly without keyAgreement");
	return OK;
}

static enum result check_eku(const struct lint *l, struct span value, struct err *err)
{
	struct der_reader r;
	struct span oid;

	(void)l;
	if (der_read_whole(value, DER_SEQUENCE, "extKeyUsage", &r, NULL) != OK || der_at_end(&r))
		return BROKEN(err, "4.2.1.12: extKeyUsage without a purpose");
	while (!der_at_end(&r))
		if (der_read_oid(&r, "extKeyUsage", &oid, NULL) != OK)
			return BROKEN(err, "4.2.1.12: extKeyUsage holds what is no OID");
	return OK;
}

static enum result check_san(const struct lint *l, struct span value, struct err *err)
{
	(void)l;
	return lint_san(value, err);
}

/* DistributionPointName: the URIs of a fullName are absolute. */
static enum result check_point_name(struct der_reader *point, struct err *err)
{
	struct der_reader name, full;
	struct der_tlv tlv;
	struct san san;

	TRY(der_enter(point, DER_CONTEXT_CONS(0), "distributionPoint", &name, err));
	if (!der_peek(&name, DER_CONTEXT_CONS(0)))
		return der_read_any(&name, "nameRelativeToCRLIssuer", &tlv, err);
	TRY(der_enter(&name, DER_CONTEXT_CONS(0), "fullName", &full, err));
	if (der_at_end(&full))
		return BROKEN(err, "4.2.1.13: fullName without a name");
	while (san_next(&full, &san))
		if (san.kind == SAN_URI)
			TRY(lint_uri(san.value, err));
	return der_end(&full, "fullName", err);
}

/* DistributionPoint: of reasons alone it must not consist. */
static enum result check_point(struct der_reader *list, struct err *err)
{
	struct der_reader point;
	struct der_tlv reasons;
	bool named;

	TRY(der_enter(list, DER_SEQUENCE, "DistributionPoint", &point, err));
	named = der_peek(&point, DER_CONTEXT_CONS(0));
	if (named)
		TRY(check_point_name(&point, err));
	if (der_peek(&point, DER_CONTEXT(1)))
		TRY(der_read_any(&point, "reasons", &reasons, err));
	if (!named && !der_peek(&point, DER_CONTEXT_CONS(2)))
		return BROKEN(err, "4.2.1.13: DistributionPoint without name and cRLIssuer");
	return OK;
}

static enum result check_crl_points(const struct lint *l, struct span value, struct err *err)
{
	struct der_reader list;

	(void)l;
	if (der_read_whole(value, DER_SEQUENCE, "cRLDistributionPoints", &list, NULL) != OK ||
	    der_at_end(&list))
		return BROKEN(err, "4.2.1.13: cRLDistributionPoints without a point");
	while (!der_at_end(&list))
		if (check_point(&list, err) != OK)
			return err_prefix(err, ERR_BAD_TEMPLATE, "cRLDistributionPoints");
	return OK;
}

static enum result check_access(const struct lint *l, struct span value, struct err *err)
{
	struct der_reader list, access;
	struct span method;
	struct san san;

	(void)l;
	if (der_read_whole(value, DER_SEQUENCE, "authorityInfoAccess", &list, NULL) != OK ||
	    der_at_end(&list))
		return BROKEN(err, "4.2.2.1: authorityInfoAccess without an AccessDescription");
	while (!der_at_end(&list)) {
		if (der_enter(&list, DER_SEQUENCE, "AccessDescription", &access, NULL) != OK ||
		    der_read_oid(&access, "accessMethod", &method, NULL) != OK ||
		    !san_next(&access, &san) || !der_at_end(&access))
			return BROKEN(err, "4.2.2.1: malformed AccessDescription");
		if (san.kind == SAN_URI)
			TRY(lint_uri(san.value, err));
	}
	return OK;
}

enum criticality { EITHER, MUST_BE, MUST_NOT_BE };

static const struct ext_rule {
	const struct span *oid;
	const char *clause;
	enum criticality critical;
	bool ca_only;
	RESULT (*check)(const struct lint *l, struct span value, struct err *err);
} ext_rules[] = {
	{ &OID_AUTHORITY_KEY_ID, "4.2.1.1", MUST_NOT_BE, false, check_aki },
	{ &OID_SUBJECT_KEY_ID, "4.2.1.2", MUST_NOT_BE, false, check_ski },
	{ &OID_KEY_USAGE, "4.2.1.3", MUST_BE, false, check_key_usage },
	{ &OID_POLICY_MAPPINGS, "4.2.1.5", EITHER, true, NULL },
	{ &OID_SUBJECT_ALT_NAME, "4.2.1.6", EITHER, false, check_san },
	{ &OID_NAME_CONSTRAINTS, "4.2.1.10", MUST_BE, true, NULL },
	{ &OID_POLICY_CONSTRAINTS, "4.2.1.11", MUST_BE, true, NULL },
	{ &OID_EXT_KEY_USAGE, "4.2.1.12", EITHER, false, check_eku },
	{ &OID_CRL_DISTRIBUTION_POINTS, "4.2.1.13", EITHER, false, check_crl_points },
	{ &OID_INHIBIT_ANY_POLICY, "4.2.1.14", MUST_BE, true, NULL },
	{ &OID_FRESHEST_CRL, "4.2.1.15", MUST_NOT_BE, false, check_crl_points },
	{ &OID_AUTHORITY_INFO_ACCESS, "4.2.2.1", MUST_NOT_BE, false, check_access },
	{ &OID_SUBJECT_INFO_ACCESS, "4.2.2.2", MUST_NOT_BE, false, check_access },
};

static enum result apply(const struct ext_rule *rule, const struct lint *l, const struct ext *ext,
			 struct err *err)
{
	if (rule->critical == MUST_BE && !ext->critical)
		return BROKEN(err, "%s: %s is not critical", rule->clause, oid_name(*rule->oid));
	if (rule->critical == MUST_NOT_BE && ext->critical)
		return BROKEN(err, "%s: %s is critical", rule->clause, oid_name(*rule->oid));
	if (rule->ca_only && !l->ca)
		return BROKEN(err, "%s: %s in a certificate of no CA", rule->clause,
			      oid_name(*rule->oid));
	return rule->check ? rule->check(l, ext->value, err) : OK;
}

static enum result check_each(const struct lint *l, struct err *err)
{
	struct der_reader list;
	struct ext ext;
	size_t i;

	der_reader_init(&list, l->cert.exts);
	while (ext_next(&list, &ext))
		for (i = 0; i < ARRAY_LEN(ext_rules); i++)
			if (span_eq(ext.oid, *ext_rules[i].oid))
				TRY(apply(&ext_rules[i], l, &ext, err));
	return OK;
}

/* What a CA's certificate must say, and no other may (RFC 5280 4.2.1.2, 4.2.1.3, 4.2.1.9). */
static enum result check_ca(const struct lint *l, struct err *err)
{
	struct ext ext;

	if (!l->ca && l->key_usage & KU_KEY_CERT_SIGN)
		return BROKEN(err, "4.2.1.9: keyCertSign without basicConstraints CA:TRUE");
	if (!l->ca && l->path_len >= 0)
		return BROKEN(err, "4.2.1.9: pathLenConstraint without CA:TRUE");
	if (!l->ca)
		return OK;
	if (find(l, OID_BASIC_CONSTRAINTS, &ext) != OK || !ext.critical)
		return BROKEN(err, "4.2.1.9: basicConstraints of a CA is not critical");
	if (!(l->key_usage & KU_KEY_CERT_SIGN))
		return BROKEN(err, "4.2.1.3: a CA without keyCertSign");
	if (find(l, OID_SUBJECT_KEY_ID, &ext) != OK)
		return BROKEN(err, "4.2.1.2: a CA without subjectKeyIdentifier");
	return OK;
}

/* Bits that a key of its kind cannot live up to. */
static const struct {
	uint32_t bits;
	const char *clause;
} unfit[] = {
	[KEY_RSA] = { KU_KEY_AGREEMENT, "RFC 3279 2.3.1" },
	[KEY_EC_P256] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT, "RFC 8813 3" },
	[KEY_EC_P384] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT, "RFC 8813 3" },
	[KEY_EC_P521] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT, "RFC 8813 3" },
	[KEY_ED25519] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT,
			  "RFC 8410 5" },
	[KEY_ML_DSA_44] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT,
			    "RFC 9881 5" },
	[KEY_ML_DSA_65] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT,
			    "RFC 9881 5" },
	[KEY_ML_DSA_87] = { KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT,
			    "RFC 9881 5" },
};

static enum result check_usage_of_key(const struct lint *l, struct err *err)
{
	if (l->key_usage & unfit[l->key].bits)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "%s: keyUsage has bits that are not for a key of kind %s",
			       unfit[l->key].clause, key_kind_name(l->key));
	return OK;
}

/* RFC 5280 4.2.1.1: only a self-signed certificate can do without. */
static enum result check_aki_present(const struct lint *l, struct err *err)
{
	struct ext ext;

	if (!span_eq(l->cert.issuer, l->cert.subject) && find(l, OID_AUTHORITY_KEY_ID, &ext) != OK)
		return BROKEN(err, "4.2.1.1: authorityKeyIdentifier is missing");
	return OK;
}

enum result lint_exts(const struct lint *l, struct err *err)
{
	TRY(check_each(l, err));
	TRY(check_ca(l, err));
	TRY(check_usage_of_key(l, err));
	return check_aki_present(l, err);
}
