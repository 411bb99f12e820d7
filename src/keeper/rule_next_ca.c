/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/rule_next_ca.h"

#include "pki/cms_signed.h"
#include "pki/name.h"

static enum result denied(struct err *err, const char *why)
{
	return err_set(err, ERR_DENIED, "key rule: the next CA (RFC 8894 4.7.1): %s", why);
}

static enum result parse(struct span message, struct cms_signed *sd,
			 struct cert certs[CMS_CERTS_MAX], struct err *err)
{
	size_t i;

	TRY(cms_signed_parse(message, sd, err));
	if (sd->has_signer || sd->has_content || sd->n_crls)
		return denied(err, "it is more than certificates");
	for (i = 0; i < sd->n_certs; i++)
		TRY(cert_parse(sd->certs[i], &certs[i], err));
	return OK;
}

static bool is_next(const struct key_rule *rule, struct span next_spki, const struct cert *cert)
{
	return span_eq(cert->spki, next_spki) && span_eq(cert->subject, buf_span(&rule->issuer)) &&
	       cert_is_ca(cert);
}

static bool is_issued_by(const struct cert *cert, struct crypto *c, struct span issuer,
			 struct span spki)
{
	return name_equal(cert->issuer, issuer) && cert_verify_signature(cert, c, spki, NULL) == OK;
}

enum result rule_next_ca_check(const struct key_rule *rule, struct crypto *c, struct span next_spki,
			       struct span message, struct err *err)
{
	struct cert certs[CMS_CERTS_MAX];
	struct cms_signed sd;
	size_t i, ca;

	if (!rule->certificates || rule->issuer.len == 0)
		return denied(err, "the key is no CA's");
	TRY(parse(message, &sd, certs, err));
	for (ca = 0; ca < sd.n_certs && !is_next(rule, next_spki, &certs[ca]);)
		ca++;
	if (ca == sd.n_certs)
		return denied(err, "no certificate of another generation's key is in it");
	for (i = 0; i < ca; i++)
		if (cert_is_ca(&certs[i]) ||
		    !is_issued_by(&certs[i], c, buf_span(&rule->issuer), next_spki))
			return denied(err, "a certificate that is not of its RA is in it");
	for (i = ca + 1; i < sd.n_certs; i++)
		if (!cert_is_ca(&certs[i]) ||
		    !is_issued_by(&certs[i - 1], c, certs[i].subject, certs[i].spki))
			return denied(err, "a certificate that is of no CA above it is in it");
	return OK;
}
