/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/ca_certs.h"

#include "base/hex.h"
#include "der/ber.h"
#include "der/oid.h"
#include "pki/name.h"
#include "pki/pem.h"

#define NOBODY SIZE_MAX

/* ---- reading ---- */

/* The bytes behind PEM armour, should there be any: some servers send it. */
static RESULT unarmour(struct span answer, struct buf *out, struct err *err)
{
	static const char *const labels[] = { "CERTIFICATE", "PKCS7" };
	size_t i;

	if (answer.len == 0)
		return err_set(err, ERR_SYNTAX, "RFC 8894 4.2.1: GetCACert answered nothing");
	if (answer.p[0] != '-') {
		buf_put(out, answer);
		return buf_check(out, err);
	}
	for (i = 0; i < ARRAY_LEN(labels); i++) {
		struct span text = answer;

		if (pem_next(&text, labels[i], out, NULL) == OK)
			return OK;
	}
	return err_set(err, ERR_SYNTAX, "PEM without a certificate");
}

static RESULT to_der(struct span answer, struct buf *out, struct err *err)
{
	BUF bytes = BUF_INIT;

	TRY(unarmour(answer, &bytes, err));
	return ber_put_der(buf_span(&bytes), out, err);
}

static RESULT parse_into(struct span answer, struct scep_ca_certs *ca, struct err *err)
{
	struct cms_signed sd;
	size_t i;

	TRY(to_der(answer, &ca->der, err));
	if (cert_parse(buf_span(&ca->der), &ca->certs[0], NULL) == OK) {
		ca->n = 1;
		return OK;
	}
	TRY(cms_signed_parse(buf_span(&ca->der), &sd, err));
	for (i = 0; i < sd.n_certs; i++)
		TRY(cert_parse(sd.certs[i], &ca->certs[ca->n++], err));
	if (ca->n == 0)
		return err_set(err, ERR_SYNTAX, "RFC 8894 3.4: no certificate in the SignedData");
	return OK;
}

enum result scep_ca_certs_parse(struct span answer, struct scep_ca_certs *out, struct err *err)
{
	struct scep_ca_certs ca = { .issuer = NOBODY, .encrypter = NOBODY };
	enum result r = parse_into(answer, &ca, err);

	if (r != OK) {
		scep_ca_certs_clear(&ca);
		return err_prefix(err, r, "GetCACert's answer");
	}
	*out = ca;
	return OK;
}

void scep_ca_certs_clear(struct scep_ca_certs *c)
{
	buf_clear(&c->der);
	*c = (struct scep_ca_certs){ .issuer = NOBODY, .encrypter = NOBODY };
}

/* ---- trust ---- */

static RESULT find_anchor(const struct scep_ca_certs *ca, struct crypto *c, struct span fingerprint,
			  size_t *out, struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	BUF seen = BUF_INIT;
	size_t i;

	for (i = 0; i < ca->n; i++) {
		if (!cert_is_ca(&ca->certs[i]))
			continue;
		TRY(cert_fingerprint(c, ca->certs[i].der, DIGEST_SHA256, digest, err));
		if (span_eq(fingerprint, span_of(digest, digest_size(DIGEST_SHA256)))) {
			*out = i;
			return OK;
		}
		buf_put_str(&seen, seen.len ? ", " : "");
		hex_put(&seen, span_of(digest, digest_size(DIGEST_SHA256)));
	}
	return err_set(err, ERR_DENIED,
		       "RFC 8894 2.2: the fingerprint is of no CA certificate in the answer; their "
		       "SHA-256 fingerprints: %s",
		       seen.len ? buf_cstr(&seen) : "none, there is no CA among them");
}

/* On first use: a root, else the first that is a CA. */
static RESULT first_anchor(const struct scep_ca_certs *ca, size_t *out, struct err *err)
{
	size_t i, found = NOBODY;

	for (i = 0; i < ca->n; i++)
		if (cert_is_ca(&ca->certs[i]) &&
		    (found == NOBODY || (cert_is_self_issued(&ca->certs[i]) &&
					 !cert_is_self_issued(&ca->certs[found]))))
			found = i;
	if (found == NOBODY)
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 8894 4.2.1: no CA certificate in the answer");
	*out = found;
	return OK;
}

static bool is_signed_by(const struct cert *cert, const struct cert *issuer, struct crypto *c)
{
	return cert_is_ca(issuer) && name_equal(cert->issuer, issuer->subject) &&
	       cert_verify_signature(cert, c, issuer->spki, NULL) == OK;
}

/* From the anchor down: whatever a trusted CA has signed and has not expired. */
static void spread_trust(struct scep_ca_certs *ca, struct crypto *c, int64_t now)
{
	bool again = true;
	size_t i, j;

	while (again) {
		again = false;
		for (i = 0; i < ca->n; i++)
			for (j = 0; j < ca->n && !ca->trusted[i]; j++)
				if (ca->trusted[j] && ca->certs[i].not_after >= now &&
				    is_signed_by(&ca->certs[i], &ca->certs[j], c))
					ca->trusted[i] = again = true;
	}
}

bool scep_ca_certs_may(const struct cert *cert, uint32_t key_usage)
{
	uint32_t bits = 0;
	struct ext ext;

	if (ext_find(cert->exts, OID_KEY_USAGE, &ext, NULL) != OK)
		return true;
	return ext_read_key_usage(ext.value, &bits, NULL) == OK && (bits & key_usage) == key_usage;
}

static bool is_rsa(const struct cert *cert)
{
	struct pubkey_info info;

	return pubkey_inspect(cert->spki, &info, NULL) == OK && info.kind == KEY_RSA;
}

/*
 * An RA before the CA, and one that may before one that its keyUsage forbids: there are servers
 * whose certificates have the wrong usages (RFC 8894 3.5.2).
 */
static size_t find_encrypter(const struct scep_ca_certs *ca)
{
	size_t i, best = NOBODY;
	int best_rank = 0;

	for (i = 0; i < ca->n; i++) {
		const struct cert *cert = &ca->certs[i];
		int rank = 1 + 2 * !cert_is_ca(cert) + scep_ca_certs_may(cert, KU_KEY_ENCIPHERMENT);

		if (ca->trusted[i] && is_rsa(cert) && rank > best_rank) {
			best = i;
			best_rank = rank;
		}
	}
	return best;
}

/* Has it issued another CA of the list? Then it is not the one that issues to devices. */
static bool is_above(const struct scep_ca_certs *ca, size_t at)
{
	size_t i;

	for (i = 0; i < ca->n; i++)
		if (i != at && ca->trusted[i] && cert_is_ca(&ca->certs[i]) &&
		    !cert_is_self_issued(&ca->certs[i]) &&
		    name_equal(ca->certs[i].issuer, ca->certs[at].subject))
			return true;
	return false;
}

static size_t find_issuer(const struct scep_ca_certs *ca)
{
	size_t i;

	for (i = 0; i < ca->n; i++)
		if (ca->trusted[i] && cert_is_ca(&ca->certs[i]) && !is_above(ca, i))
			return i;
	return NOBODY;
}

enum result scep_ca_certs_trust_issuer(struct scep_ca_certs *ca, struct crypto *c,
				       struct span fingerprint, int64_t now, struct err *err)
{
	size_t anchor = NOBODY;

	if (fingerprint.len)
		TRY(find_anchor(ca, c, fingerprint, &anchor, err));
	else
		TRY(first_anchor(ca, &anchor, err));
	if (ca->certs[anchor].not_after < now)
		return err_set(err, ERR_BAD_TIME, "RFC 8894 2.2: the CA certificate has expired");
	memset(ca->trusted, 0, sizeof(ca->trusted));
	ca->trusted[anchor] = true;
	spread_trust(ca, c, now);
	ca->issuer = find_issuer(ca);
	ca->encrypter = find_encrypter(ca);
	if (ca->issuer == NOBODY)
		return err_set(err, ERR_BAD_CERT_ID, "no CA of the answer may issue certificates");
	return OK;
}

enum result scep_ca_certs_trust(struct scep_ca_certs *ca, struct crypto *c, struct span fingerprint,
				int64_t now, struct err *err)
{
	TRY(scep_ca_certs_trust_issuer(ca, c, fingerprint, now, err));
	if (ca->encrypter == NOBODY)
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 8894 3.1: no trusted certificate in the answer has an RSA key "
			       "to encrypt the request for");
	return OK;
}

const struct cert *scep_ca_certs_by_key(const struct scep_ca_certs *ca, struct span spki)
{
	size_t i;

	for (i = 0; i < ca->n; i++)
		if (ca->trusted[i] && span_eq(ca->certs[i].spki, spki))
			return &ca->certs[i];
	return NULL;
}

/* ---- the next CA ---- */

/*
 * GetCACert is not signed: who stands between can put any certificate of the CA into its answer, a
 * device's too. The CA's own words tell a registration authority from that.
 */
static bool may_name_next(const struct cert *signer)
{
	return cert_is_ca(signer) || ext_has_eku(signer->exts, OID_CMC_RA);
}

/* By one of the certificates that are trusted: those that come along prove nothing. */
static RESULT check_next_signer(const struct scep_ca_certs *current, struct crypto *c,
				const struct cms_signed *sd, struct err *err)
{
	const struct cert *signer;
	struct cert named;

	if (!sd->has_signer)
		return err_set(
		    err, ERR_BAD_CHECK,
		    "RFC 8894 4.7.1: it is not signed, so that anybody may have sent it");
	if (digest_is_legacy(sd->digest) || digest_is_legacy(sd->sig_alg.digest))
		return err_set(err, ERR_BAD_ALG,
			       "RFC 8894 4.7.1: it is signed with %s, which is not enough for whom "
			       "to trust from now on",
			       digest_name(sd->digest));
	TRY(cms_signed_signer(sd, &named, err));
	signer = scep_ca_certs_by_key(current, named.spki);
	if (!signer)
		return err_set(err, ERR_BAD_CHECK,
			       "RFC 8894 4.7.1: it is signed by somebody that GetCACert did not "
			       "answer");
	if (!may_name_next(signer))
		return err_set(err, ERR_BAD_CHECK,
			       "RFC 8894 4.7.1: it is signed neither by the CA nor by a "
			       "registration authority that the CA calls so (extKeyUsage cmcRA)");
	return cms_signed_verify(sd, c, signer->spki, err);
}

static RESULT parse_next(const struct scep_ca_certs *current, struct crypto *c, struct span der,
			 int64_t now, struct scep_ca_certs *next, struct err *err)
{
	struct cms_signed sd;

	TRY(cms_signed_parse(der, &sd, err));
	TRY(check_next_signer(current, c, &sd, err));
	if (!sd.has_content)
		return err_set(err, ERR_SYNTAX, "RFC 8894 4.7.1: no certificates in it");
	TRY(scep_ca_certs_parse(sd.content, next, err));
	return scep_ca_certs_trust(next, c, SPAN_NONE, now, err);
}

enum result scep_ca_certs_next(const struct scep_ca_certs *current, struct crypto *c,
			       struct span answer, int64_t now, struct scep_ca_certs *out,
			       struct err *err)
{
	struct scep_ca_certs next = { .issuer = NOBODY, .encrypter = NOBODY };
	BUF der = BUF_INIT;
	enum result r;

	TRY(to_der(answer, &der, err));
	r = parse_next(current, c, buf_span(&der), now, &next, err);
	if (r != OK) {
		scep_ca_certs_clear(&next);
		return err_prefix(err, r, "GetNextCACert's answer");
	}
	*out = next;
	return OK;
}
