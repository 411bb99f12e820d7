/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/lint.h"

#include "base/clock.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/lint_rules.h"
#include "pki/name.h"

#define BROKEN(err, ...) err_set(err, ERR_BAD_TEMPLATE, "RFC 5280 " __VA_ARGS__)

static enum result check_version(const struct lint *l, struct err *err)
{
	if (l->cert.exts.p && l->cert.version != 3)
		return BROKEN(err, "4.1.2.1: version %d with extensions, which need 3",
			      l->cert.version);
	if (l->cert.has_unique_ids)
		return BROKEN(err, "4.1.2.8: unique identifiers are not to be generated");
	return OK;
}

static enum result check_serial(const struct lint *l, struct err *err)
{
	struct span s = l->cert.serial;

	if (s.p[0] & 0x80)
		return BROKEN(err, "4.1.2.2: serialNumber is negative");
	if (s.len == 1 && s.p[0] == 0)
		return BROKEN(err, "4.1.2.2: serialNumber is zero");
	if (s.len > 20)
		return BROKEN(err, "4.1.2.2: serialNumber of %zu octets, at most 20", s.len);
	if (s.len > 1 && s.p[0] == 0 && !(s.p[1] & 0x80))
		return BROKEN(err, "4.1: serialNumber is not minimal DER");
	return OK;
}

static enum result check_signature(const struct lint *l, struct err *err)
{
	struct sig_alg alg = l->cert.sig_alg;

	if (alg.kind == KEY_NONE || (alg.digest == DIGEST_NONE && !key_kind_is_pure(alg.kind)))
		return BROKEN(err, "4.1.2.3: signature algorithm is not known");
	return OK;
}

static enum result check_issuer(const struct lint *l, struct err *err)
{
	if (name_is_empty(l->cert.issuer))
		return BROKEN(err, "4.1.2.4: issuer is empty");
	return lint_name(l->cert.issuer, "issuer", err);
}

static enum result check_validity(const struct lint *l, struct err *err)
{
	char from[CLOCK_TEXT_MAX], to[CLOCK_TEXT_MAX];
	BUF want = BUF_INIT;

	if (l->cert.not_after < l->cert.not_before) {
		clock_format(l->cert.not_before, from);
		clock_format(l->cert.not_after, to);
		return BROKEN(err, "4.1.2.5: notAfter %s is before notBefore %s", to, from);
	}
	der_put_time(&want, l->cert.not_before);
	der_put_time(&want, l->cert.not_after);
	TRY(buf_check(&want, err));
	if (!span_eq(buf_span(&want), l->cert.validity))
		return BROKEN(err, "4.1.2.5: UTCTime is for times through 2049, GeneralizedTime "
				   "for later ones");
	return OK;
}

static enum result check_subject(const struct lint *l, struct err *err)
{
	struct ext san;

	if (!name_is_empty(l->cert.subject))
		return lint_name(l->cert.subject, "subject", err);
	if (l->ca)
		return BROKEN(err, "4.1.2.6: subject of a CA is empty");
	if (ext_find(l->cert.exts, OID_SUBJECT_ALT_NAME, &san, NULL) != OK || !san.critical)
		return BROKEN(err, "4.1.2.6: empty subject without a critical subjectAltName");
	return OK;
}

/* In the order of the fields. */
static enum result (*const rules[])(const struct lint *l, struct err *err) = {
	check_version,  check_serial,  check_signature, check_issuer,
	check_validity, check_subject, lint_exts,
};

enum result lint_tbs(struct span tbs, struct err *err)
{
	struct pubkey_info key;
	struct lint l = { .path_len = -1 };
	size_t i;

	if (cert_parse_tbs(tbs, &l.cert, err) != OK)
		return err_prefix(err, ERR_BAD_TEMPLATE, "RFC 5280 4.1");
	if (pubkey_inspect(l.cert.spki, &key, err) != OK)
		return err_prefix(err, ERR_BAD_TEMPLATE, "RFC 5280 4.1.2.7");
	l.key = key.kind;
	TRY(lint_ext_facts(&l, err));
	for (i = 0; i < ARRAY_LEN(rules); i++)
		TRY(rules[i](&l, err));
	return OK;
}

static enum result read_ra(struct span der, struct cert *cert, uint32_t *usage, enum key_kind *kind,
			   struct err *err)
{
	struct pubkey_info key;
	struct ext ext;

	TRY(cert_parse(der, cert, err));
	TRY(pubkey_inspect(cert->spki, &key, err));
	*kind = key.kind;
	TRY(ext_find(cert->exts, OID_KEY_USAGE, &ext, err));
	return ext_read_key_usage(ext.value, usage, err);
}

enum result lint_ra(struct span cert_der, bool signs, bool decrypts, struct err *err)
{
	enum key_kind kind = KEY_NONE;
	uint32_t usage = 0;
	struct cert cert;

	if (read_ra(cert_der, &cert, &usage, &kind, err) != OK)
		return err_prefix(err, ERR_BAD_TEMPLATE, "RA certificate");
	if (signs && !(usage & KU_DIGITAL_SIGNATURE))
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RA certificate: signs, but its keyUsage lacks digitalSignature");
	if (decrypts && kind != KEY_RSA)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RA certificate: decrypts, but its key is %s, not RSA",
			       key_kind_name(kind));
	if (decrypts && !(usage & KU_KEY_ENCIPHERMENT))
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RA certificate: decrypts, but its keyUsage lacks keyEncipherment");
	return OK;
}
