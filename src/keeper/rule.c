/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/rule.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hex.h"
#include "der/oid.h"
#include "keeper/audit_seal.h"
#include "keeper/rule_ocsp.h"
#include "keeper/rule_tls.h"
#include "keeper/wire.h"
#include "pki/cert.h"

#define RULE_TEXT_MAX 65536

void key_rule_clear(struct key_rule *r)
{
	if (!r)
		return;
	buf_clear(&r->issuer);
	buf_clear(&r->family);
	*r = (struct key_rule){ 0 };
}

enum result key_rule_copy(const struct key_rule *r, struct key_rule *out, struct err *err)
{
	CLEANUP(key_rule_clear) struct key_rule copy = *r;

	copy.issuer = copy.family = BUF_INIT;
	buf_put(&copy.issuer, buf_span(&r->issuer));
	buf_put(&copy.family, buf_span(&r->family));
	TRY(buf_check(&copy.issuer, err));
	TRY(buf_check(&copy.family, err));
	*out = copy;
	copy = (struct key_rule){ 0 };
	return OK;
}

static enum result check_issuer(const struct key_rule *rule, struct span issuer, const char *what,
				struct err *err)
{
	if (!span_eq(buf_span(&rule->issuer), issuer))
		return err_set(err, ERR_DENIED, "key rule: the issuer of the %s is not the key's",
			       what);
	return OK;
}

/* Its own certificate may be a CA's and lasts longer; any other is bounded by the rule. */
static enum result check_ca_bit(const struct key_rule *rule, const struct cert *cert, bool own,
				struct err *err)
{
	struct ext ext = { 0 };
	uint32_t usage = 0;
	bool ca = false;
	int path_len = -1;

	if (cert->exts.len == 0)
		return OK;
	TRY(ext_check(cert->exts, err));
	if (ext_find(cert->exts, OID_BASIC_CONSTRAINTS, &ext, NULL) == OK)
		TRY(ext_read_basic_constraints(ext.value, &ca, &path_len, err));
	if (ext_find(cert->exts, OID_KEY_USAGE, &ext, NULL) == OK)
		TRY(ext_read_key_usage(ext.value, &usage, err));
	if (own || rule->ca_certificates)
		return OK;
	if (ca)
		return err_set(err, ERR_DENIED,
			       "key rule: basicConstraints CA:TRUE for a key that is not its own");
	if (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
		return err_set(err, ERR_DENIED,
			       "key rule: keyUsage keyCertSign or cRLSign for a key that is not "
			       "its own");
	return OK;
}

static enum result check_validity(const struct key_rule *rule, const struct cert *cert, bool own,
				  struct err *err)
{
	int64_t max = own ? rule->max_own_validity : rule->max_validity;
	int64_t lasts = cert->not_after - cert->not_before;

	if (lasts < 0 || lasts > max)
		return err_set(err, ERR_DENIED,
			       "key rule: validity of %" PRId64 " s, at most %" PRId64 " s for %s",
			       lasts, max, own ? "its own certificate" : "another's certificate");
	return OK;
}

static enum result check_certificate(const struct key_rule *rule, struct span own_spki,
				     struct span tbs, struct err *err)
{
	struct cert cert = { 0 };
	bool own;

	if (!rule->certificates)
		return err_set(err, ERR_DENIED, "key rule: the key signs no certificates");
	TRY(cert_parse_tbs(tbs, &cert, err));
	TRY(check_issuer(rule, cert.issuer, "certificate", err));
	if (cert.version != 3 || cert.has_unique_ids)
		return err_set(err, ERR_DENIED,
			       "key rule: only version 3 without unique identifiers is signed");
	own = span_eq(cert.spki, own_spki) && span_eq(cert.subject, cert.issuer);
	TRY(check_ca_bit(rule, &cert, own, err));
	return check_validity(rule, &cert, own, err);
}

/* TBSCertList (RFC 5280 5.1): its fourth element is a Time, a TBSCertificate's never is. */
static enum result check_crl_beginning(const struct key_rule *rule, struct span beginning,
				       uint64_t total, struct err *err)
{
	size_t header = 0, content = 0;
	struct der_reader r, sig;
	struct der_tlv issuer;
	uint64_t version;
	int64_t at;

	if (!rule->crls)
		return err_set(err, ERR_DENIED, "key rule: the key signs no revocation lists");
	TRY(der_read_header(beginning, DER_SEQUENCE, "tbsCertList", &header, &content, err));
	if (header + content != total)
		return err_set(err, ERR_SYNTAX,
			       "key rule: tbsCertList of %zu octets in a message of %" PRIu64,
			       header + content, total);
	der_reader_init(&r, span_sub(beginning, header, SIZE_MAX));
	TRY(der_read_uint(&r, "tbsCertList.version", 1, &version, err));
	TRY(der_enter(&r, DER_SEQUENCE, "tbsCertList.signature", &sig, err));
	TRY(der_read(&r, DER_SEQUENCE, "tbsCertList.issuer", &issuer, err));
	TRY(der_read_time(&r, "tbsCertList.thisUpdate", &at, err));
	return check_issuer(rule, issuer.whole, "revocation list", err);
}

static enum result check_crl(const struct key_rule *rule, UNUSED struct span own_spki,
			     struct span tbs, struct err *err)
{
	return check_crl_beginning(rule, tbs, tbs.len, err);
}

/* Signed attributes (RFC 5652 5.3). What they hold is the codec's matter; that they are attributes
 * and not something else that this key could be made to sign, is ours. */
static enum result check_content(const struct key_rule *rule, UNUSED struct span own_spki,
				 struct span attrs, struct err *err)
{
	bool has_type = false, has_digest = false;
	struct der_reader set, attr, values;
	struct span type;

	if (!rule->content)
		return err_set(err, ERR_DENIED, "key rule: the key signs no CMS content");
	TRY(der_read_whole(attrs, DER_SET, "signedAttrs", &set, err));
	while (!der_at_end(&set)) {
		TRY(der_enter(&set, DER_SEQUENCE, "Attribute", &attr, err));
		TRY(der_read_oid(&attr, "Attribute.type", &type, err));
		TRY(der_enter(&attr, DER_SET, "Attribute.values", &values, err));
		TRY(der_end(&attr, "Attribute", err));
		has_type |= span_eq(type, OID_CONTENT_TYPE);
		has_digest |= span_eq(type, OID_MESSAGE_DIGEST);
	}
	if (!has_type || !has_digest)
		return err_set(err, ERR_DENIED,
			       "key rule: signedAttrs without %s (RFC 5652 5.3) are not signed",
			       has_type ? "messageDigest" : "contentType");
	return OK;
}

static enum result check_csr(const struct key_rule *rule, struct span own_spki, struct span info,
			     struct err *err)
{
	struct der_tlv subject, spki, attrs;
	struct der_reader r;
	uint64_t version;

	if (!rule->csr)
		return err_set(err, ERR_DENIED, "key rule: the key signs no requests");
	TRY(der_read_whole(info, DER_SEQUENCE, "certificationRequestInfo", &r, err));
	TRY(der_read_uint(&r, "certificationRequestInfo.version", 0, &version, err));
	TRY(der_read(&r, DER_SEQUENCE, "certificationRequestInfo.subject", &subject, err));
	TRY(der_read(&r, DER_SEQUENCE, "certificationRequestInfo.subjectPKInfo", &spki, err));
	TRY(der_read(&r, DER_CONTEXT_CONS(0), "certificationRequestInfo.attributes", &attrs, err));
	TRY(der_end(&r, "certificationRequestInfo", err));
	if (!span_eq(spki.whole, own_spki))
		return err_set(err, ERR_DENIED, "key rule: the request is not for the key itself");
	if (rule->issuer.len && !span_eq(subject.whole, buf_span(&rule->issuer)))
		return err_set(err, ERR_DENIED, "key rule: the request is not for the CA's name");
	return OK;
}

static enum result check_tls(const struct key_rule *rule, UNUSED struct span own_spki,
			     struct span message, struct err *err)
{
	if (!rule->tls)
		return err_set(err, ERR_DENIED, "key rule: the key is not a TLS server's");
	return rule_tls_check(message, err);
}

static enum result check_audit(const struct key_rule *rule, UNUSED struct span own_spki,
			       struct span message, struct err *err)
{
	struct audit_seal seal;

	if (!rule->audit)
		return err_set(err, ERR_DENIED, "key rule: the key seals no events");
	if (audit_seal_parse(message, &seal, err) != OK)
		return err_prefix(err, ERR_DENIED, "key rule");
	return OK;
}

static enum result check_ocsp(const struct key_rule *rule, UNUSED struct span own_spki,
			      struct span message, struct err *err)
{
	if (!rule->ocsp)
		return err_set(err, ERR_DENIED, "key rule: the key is not an OCSP responder's");
	return rule_ocsp_check(message, err);
}

typedef enum result check_fn(const struct key_rule *rule, struct span own_spki, struct span message,
			     struct err *err);

enum result key_rule_check(const struct key_rule *rule, enum key_purpose purpose,
			   struct span own_spki, struct span message, struct err *err)
{
	static check_fn *const checks[] = {
		[KEY_FOR_CERTIFICATE] = check_certificate,
		[KEY_FOR_CRL] = check_crl,
		[KEY_FOR_CONTENT] = check_content,
		[KEY_FOR_CSR] = check_csr,
		[KEY_FOR_OCSP] = check_ocsp,
		[KEY_FOR_TLS] = check_tls,
		[KEY_FOR_AUDIT] = check_audit,
	};

	if ((unsigned)purpose >= ARRAY_LEN(checks) || !checks[purpose])
		return err_set(err, ERR_DENIED, "key rule: no key signs for purpose %d",
			       (int)purpose);
	return checks[purpose](rule, own_spki, message, err);
}

enum result key_rule_check_kept(const struct key_rule *rule, struct span own_spki,
				struct span message, struct err *err)
{
	struct key_rule kept = *rule; /* borrows what that owns */

	if (kept.max_kept_validity > kept.max_validity)
		kept.max_validity = kept.max_kept_validity;
	return key_rule_check(&kept, KEY_FOR_CERTIFICATE, own_spki, message, err);
}

enum result key_rule_check_long(const struct key_rule *rule, enum key_purpose purpose,
				struct span beginning, uint64_t total, struct err *err)
{
	if (purpose != KEY_FOR_CRL)
		return err_set(err, ERR_DENIED,
			       "key rule: only revocation lists are signed at such length");
	return check_crl_beginning(rule, beginning, total, err);
}

enum result key_rule_check_digest(enum key_purpose purpose, enum digest_alg digest, struct err *err)
{
	if (!digest_is_legacy(digest) || purpose == KEY_FOR_CONTENT || purpose == KEY_FOR_TLS)
		return OK;
	return err_set(err, ERR_DENIED, "key rule: only CMS content is signed with %s",
		       digest_name(digest));
}

/* ---- the text beside the key: "name value" a line ---- */

enum setting_kind { SETTING_BOOL, SETTING_SECONDS, SETTING_HEX, SETTING_ID };

static const struct setting {
	const char *name;
	enum setting_kind kind;
	size_t at;
} settings[] = {
	{ "certificates", SETTING_BOOL, offsetof(struct key_rule, certificates) },
	{ "crls", SETTING_BOOL, offsetof(struct key_rule, crls) },
	{ "ca-certificates", SETTING_BOOL, offsetof(struct key_rule, ca_certificates) },
	{ "content", SETTING_BOOL, offsetof(struct key_rule, content) },
	{ "decrypt", SETTING_BOOL, offsetof(struct key_rule, decrypt) },
	{ "csr", SETTING_BOOL, offsetof(struct key_rule, csr) },
	{ "tls", SETTING_BOOL, offsetof(struct key_rule, tls) },
	{ "audit", SETTING_BOOL, offsetof(struct key_rule, audit) },
	{ "ocsp", SETTING_BOOL, offsetof(struct key_rule, ocsp) },
	{ "max-validity", SETTING_SECONDS, offsetof(struct key_rule, max_validity) },
	{ "max-own-validity", SETTING_SECONDS, offsetof(struct key_rule, max_own_validity) },
	{ "max-kept-validity", SETTING_SECONDS, offsetof(struct key_rule, max_kept_validity) },
	{ "issuer", SETTING_HEX, offsetof(struct key_rule, issuer) },
	{ "family", SETTING_ID, offsetof(struct key_rule, family) },
};

enum result key_rule_write(const struct key_rule *rule, struct buf *out, struct err *err)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(settings); i++) {
		const void *at = (const char *)rule + settings[i].at;

		buf_printf(out, "%s ", settings[i].name);
		if (settings[i].kind == SETTING_BOOL)
			buf_put_str(out, *(const bool *)at ? "yes" : "no");
		else if (settings[i].kind == SETTING_SECONDS)
			buf_printf(out, "%" PRId64, *(const int64_t *)at);
		else if (settings[i].kind == SETTING_ID)
			buf_put(out, buf_span((const struct buf *)at));
		else
			hex_put(out, buf_span((const struct buf *)at));
		buf_put_byte(out, '\n');
	}
	return buf_check(out, err);
}

static enum result read_bool(struct span value, bool *out, struct err *err)
{
	if (!span_eq_str(value, "yes") && !span_eq_str(value, "no"))
		return err_set(err, ERR_SYNTAX, "\"%.*s\" is neither yes nor no", (int)value.len,
			       (const char *)value.p);
	*out = value.len == 3;
	return OK;
}

static enum result read_seconds(struct span value, int64_t *out, struct err *err)
{
	int64_t n = 0;
	size_t i;

	for (i = 0; i < value.len; i++) {
		if (value.p[i] < '0' || value.p[i] > '9' || i == 15)
			break;
		n = n * 10 + (value.p[i] - '0');
	}
	if (value.len == 0 || i < value.len)
		return err_set(err, ERR_SYNTAX, "\"%.*s\" is no number of seconds", (int)value.len,
			       (const char *)value.p);
	*out = n;
	return OK;
}

static enum result read_id(struct span value, struct buf *out, struct err *err)
{
	if (value.len && !keeper_id_is_good(value))
		return err_set(err, ERR_SYNTAX, "\"%.*s\" is no key id", (int)value.len,
			       (const char *)value.p);
	buf_put(out, value);
	return buf_check(out, err);
}

static enum result read_setting(struct span line, struct key_rule *rule, unsigned *seen,
				struct err *err)
{
	size_t gap = span_find(line, ' '), i;
	struct span name = span_sub(line, 0, gap), value = span_sub(line, gap + 1, SIZE_MAX);
	void *at;

	for (i = 0; i < ARRAY_LEN(settings); i++)
		if (span_eq_str(name, settings[i].name))
			break;
	if (i == ARRAY_LEN(settings) || gap == line.len)
		return err_set(err, ERR_SYNTAX, "key rule: \"%.*s\" is no setting", (int)line.len,
			       (const char *)line.p);
	if (*seen & 1u << i)
		return err_set(err, ERR_SYNTAX, "key rule: %s stands twice", settings[i].name);
	*seen |= 1u << i;
	at = (char *)rule + settings[i].at;
	switch (settings[i].kind) {
	case SETTING_BOOL:
		return read_bool(value, at, err);
	case SETTING_SECONDS:
		return read_seconds(value, at, err);
	case SETTING_HEX:
		return hex_parse(value, at, err);
	case SETTING_ID:
		return read_id(value, at, err);
	}
	return err_set(err, ERR_INTERNAL, "key rule: setting of no kind");
}

enum result key_rule_read(struct span text, struct key_rule *out, struct err *err)
{
	CLEANUP(key_rule_clear) struct key_rule rule = { 0 };
	unsigned seen = 0;

	if (text.len > RULE_TEXT_MAX)
		return err_set(err, ERR_LIMIT, "key rule: %zu bytes, at most %d", text.len,
			       RULE_TEXT_MAX);
	while (text.len) {
		size_t end = span_find(text, '\n');

		if (end == text.len)
			return err_set(err, ERR_SYNTAX, "key rule: the last line has no end");
		TRY(read_setting(span_sub(text, 0, end), &rule, &seen, err));
		text = span_sub(text, end + 1, SIZE_MAX);
	}
	*out = rule;
	rule = (struct key_rule){ 0 };
	return OK;
}
