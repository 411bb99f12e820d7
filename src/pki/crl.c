/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/crl.h"

#include <strings.h>

#include "der/oid.h"

#define SERIAL_MAX 64

static const char *const reason_names[] = {
	[CRL_UNSPECIFIED] = "unspecified",
	[CRL_KEY_COMPROMISE] = "keyCompromise",
	[CRL_CA_COMPROMISE] = "cACompromise",
	[CRL_AFFILIATION_CHANGED] = "affiliationChanged",
	[CRL_SUPERSEDED] = "superseded",
	[CRL_CESSATION_OF_OPERATION] = "cessationOfOperation",
	[CRL_CERTIFICATE_HOLD] = "certificateHold",
	[CRL_REMOVE_FROM_CRL] = "removeFromCRL",
	[CRL_PRIVILEGE_WITHDRAWN] = "privilegeWithdrawn",
	[CRL_AA_COMPROMISE] = "aACompromise",
};

const char *crl_reason_name(unsigned reason)
{
	return reason < ARRAY_LEN(reason_names) ? reason_names[reason] : NULL;
}

enum result crl_reason_parse(const char *name, enum crl_reason *out, struct err *err)
{
	BUF known = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(reason_names); i++) {
		if (!reason_names[i])
			continue;
		if (strcasecmp(name, reason_names[i]) == 0) {
			*out = (enum crl_reason)i;
			return OK;
		}
		buf_printf(&known, "%s%s", known.len ? ", " : "", reason_names[i]);
	}
	return err_set(err, ERR_USAGE, "RFC 5280 5.3.1: \"%.40s\" is no reason; there are %s", name,
		       known.len ? buf_cstr(&known) : "");
}

/* ---- the frame ---- */

/* version INTEGER OPTIONAL: v2(1) where it is there */
static enum result read_version(struct der_reader *tbs, struct err *err)
{
	uint64_t v;

	if (!der_peek(tbs, DER_INTEGER))
		return OK;
	TRY(der_read_uint(tbs, "TBSCertList.version", 1, &v, err));
	if (v != 1)
		return err_set(err, ERR_SYNTAX,
			       "RFC 5280 5.1.2.1: TBSCertList.version is %llu, v2(1) is expected",
			       (unsigned long long)v);
	return OK;
}

static bool time_follows(const struct der_reader *r)
{
	return der_peek(r, DER_UTC_TIME) || der_peek(r, DER_GENERALIZED_TIME);
}

static enum result read_times(struct der_reader *tbs, struct crl *out, struct err *err)
{
	TRY(der_read_time(tbs, "thisUpdate", &out->this_update, err));
	if (!time_follows(tbs))
		return OK;
	return der_read_time(tbs, "nextUpdate", &out->next_update, err);
}

static enum result read_exts(struct der_reader *tbs, struct span *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	if (!der_peek(tbs, DER_CONTEXT_CONS(0)))
		return OK;
	TRY(der_enter(tbs, DER_CONTEXT_CONS(0), "crlExtensions", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "Extensions", &tlv, err));
	*out = tlv.content;
	TRY(ext_check(tlv.content, err));
	return der_end(&r, "crlExtensions", err);
}

static enum result read_tbs(struct der_tlv tbs, struct crl *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	out->tbs = tbs.whole;
	TRY(der_read_whole(tbs.whole, DER_SEQUENCE, "TBSCertList", &r, err));
	TRY(read_version(&r, err));
	TRY(der_read(&r, DER_SEQUENCE, "TBSCertList.signature", &tlv, err));
	out->sig_id = tlv.whole;
	TRY(der_read(&r, DER_SEQUENCE, "TBSCertList.issuer", &tlv, err));
	out->issuer = tlv.whole;
	TRY(read_times(&r, out, err));
	if (der_peek(&r, DER_SEQUENCE)) {
		TRY(der_read(&r, DER_SEQUENCE, "revokedCertificates", &tlv, err));
		out->entries = tlv.content;
	}
	TRY(read_exts(&r, &out->exts, err));
	return der_end(&r, "TBSCertList", err);
}

enum result crl_parse(struct span der, struct crl *out, struct err *err)
{
	struct crl got = { .der = der };
	struct der_tlv tbs, sig_id;
	struct der_reader r;

	TRY(der_read_whole(der, DER_SEQUENCE, "CertificateList", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "TBSCertList", &tbs, err));
	TRY(der_read(&r, DER_SEQUENCE, "signatureAlgorithm", &sig_id, err));
	TRY(der_read_bits(&r, "signatureValue", &got.signature, err));
	TRY(der_end(&r, "CertificateList", err));
	TRY(read_tbs(tbs, &got, err));
	if (!span_eq(sig_id.whole, got.sig_id))
		return err_set(err, ERR_SYNTAX,
			       "RFC 5280 5.1.1.2: signatureAlgorithm differs from the signature "
			       "field of the TBSCertList");
	if (alg_parse_sig(got.sig_id, "TBSCertList.signature", &got.sig_alg, NULL) != OK)
		got.sig_alg = (struct sig_alg){ KEY_NONE, DIGEST_NONE };
	*out = got;
	return OK;
}

enum result crl_verify_signature(const struct crl *crl, struct crypto *c, struct span spki,
				 struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;
	struct sig_alg alg;

	TRY(pubkey_new(&key, c, spki, err));
	TRY(alg_parse_sig(crl->sig_id, "TBSCertList.signature", &alg, err));
	return err_prefix(err, pubkey_verify(key, c, alg, crl->tbs, crl->signature, err),
			  "revocation list");
}

/* ---- entries ---- */

static enum result read_reason(struct span value, enum crl_reason *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	der_reader_init(&r, value);
	TRY(der_read(&r, DER_ENUMERATED, "reasonCode", &tlv, err));
	TRY(der_end(&r, "reasonCode", err));
	if (tlv.content.len != 1 || !crl_reason_name(tlv.content.p[0]))
		return err_set(err, ERR_SYNTAX, "RFC 5280 5.3.1: reasonCode is no CRLReason");
	*out = (enum crl_reason)tlv.content.p[0];
	return OK;
}

static enum result read_invalidity(struct span value, int64_t *out, struct err *err)
{
	struct der_reader r;

	der_reader_init(&r, value);
	if (!der_peek(&r, DER_GENERALIZED_TIME))
		return err_set(err, ERR_SYNTAX,
			       "RFC 5280 5.3.2: invalidityDate is no GeneralizedTime");
	TRY(der_read_time(&r, "invalidityDate", out, err));
	return der_end(&r, "invalidityDate", err);
}

static enum result read_entry_exts(struct span exts, struct crl_entry *out, struct err *err)
{
	struct der_reader list;
	struct ext ext;

	TRY(ext_check(exts, err));
	der_reader_init(&list, exts);
	while (ext_next(&list, &ext)) {
		if (span_eq(ext.oid, OID_CRL_REASON))
			TRY(read_reason(ext.value, &out->reason, err));
		else if (span_eq(ext.oid, OID_INVALIDITY_DATE))
			TRY(read_invalidity(ext.value, &out->invalid_since, err));
		else if (ext.critical)
			return err_set(err, ERR_BAD_REQUEST,
				       "RFC 5280 5.3: a critical entry extension is unknown");
	}
	return OK;
}

enum result crl_next(struct der_reader *entries, struct crl_entry *out, bool *more, struct err *err)
{
	struct crl_entry got = { .reason = CRL_UNSPECIFIED };
	struct der_reader r;
	struct der_tlv tlv;

	*more = !der_at_end(entries);
	if (!*more)
		return OK;
	TRY(der_enter(entries, DER_SEQUENCE, "revokedCertificate", &r, err));
	TRY(der_read(&r, DER_INTEGER, "userCertificate", &tlv, err));
	if (tlv.content.len == 0 || tlv.content.len > SERIAL_MAX)
		return err_set(err, ERR_SYNTAX, "userCertificate of %zu octets", tlv.content.len);
	got.serial = tlv.content;
	TRY(der_read_time(&r, "revocationDate", &got.revoked, err));
	if (!der_at_end(&r)) {
		TRY(der_read(&r, DER_SEQUENCE, "crlEntryExtensions", &tlv, err));
		TRY(read_entry_exts(tlv.content, &got, err));
	}
	TRY(der_end(&r, "revokedCertificate", err));
	*out = got;
	return OK;
}

enum result crl_count(const struct crl *crl, size_t *n, struct err *err)
{
	struct der_reader entries;
	struct crl_entry entry;
	bool more = true;
	size_t count = 0;

	der_reader_init(&entries, crl->entries);
	for (;; count++) {
		TRY(crl_next(&entries, &entry, &more, err));
		if (!more)
			break;
	}
	*n = count;
	return OK;
}

enum result crl_find(const struct crl *crl, struct span serial, struct crl_entry *out,
		     struct err *err)
{
	struct der_reader entries;
	struct crl_entry entry;
	bool more = true;

	der_reader_init(&entries, crl->entries);
	for (;;) {
		TRY(crl_next(&entries, &entry, &more, err));
		if (!more)
			return err_set(err, ERR_NOT_FOUND, "not on the revocation list");
		if (span_eq(entry.serial, serial)) {
			*out = entry;
			return OK;
		}
	}
}
