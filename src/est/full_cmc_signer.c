/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has signed a Full PKI Request (RFC 5272 3.2): the key that is to be certified, named by its
 * identifier or by a certificate of its own making; or a certificate of this CA, which is renewed,
 * revoked or a registration authority's; or that of the TLS client.
 */
#include "ca/standing.h"
#include "est/full_cmc.h"
#include "pki/name.h"

/* By the identifier that the request asks for, or the one that is made of the key itself. */
static bool names_own_key(const struct full_cmc *m)
{
	struct span id = m->sid.ski;
	uint8_t made[20];

	if (id.len == 0 || m->own_key.len == 0)
		return false;
	return span_eq(id, m->own_ski) || (cert_key_id(m->x->c, m->own_key, made, NULL) == OK &&
					   span_eq(id, SPAN_ARRAY(made)));
}

static bool names_this_ca(const struct full_cmc *m, struct span issuer)
{
	return name_equal(issuer, m->x->ca->ca.cert.subject);
}

/* Some send none of their certificates: we have what this CA has issued. */
static RESULT find_known(struct full_cmc *m, struct err *err)
{
	if (!names_this_ca(m, m->sid.issuer))
		return err_set(err, ERR_NOT_FOUND, "another CA has issued it");
	TRY(store_find_cert(m->x->service->enrol->store, m->x->ca->name, m->sid.serial, &m->known,
			    err));
	return cert_parse(buf_span(&m->known.der), &m->signer, err);
}

static RESULT find_signer(struct full_cmc *m, struct err *err)
{
	struct err detail = { 0 };
	enum result r = cms_signed_signer(&m->sd, &m->signer, &detail);

	if (r == ERR_NOT_FOUND && m->sid.issuer.len)
		r = find_known(m, &detail);
	if (r != OK && err_map(r)->http_status >= 500)
		return err_set(err, r, "%s", err_text(&detail));
	if (r != OK)
		return err_set(
		    err, ERR_BAD_CHECK,
		    "RFC 5272 3.2: the signer is neither the key that is to be "
		    "certified, by its subjectKeyIdentifier, nor known by a certificate: "
		    "%s",
		    err_text(&detail));
	m->has_signer = true;
	return OK;
}

static RESULT verify(struct full_cmc *m, struct err *err)
{
	if (!m->sd.has_signer)
		return err_set(err, ERR_BAD_CHECK,
			       "RFC 5272 3.2: the message has no signature; this server keeps no "
			       "secrets that would stand in for one");
	/* that of the signature itself is the same, or it does not verify */
	TRY(est_enrol_check_digest(m->x, m->sd.digest, "RFC 5272 3.2: the message", err));
	TRY(cms_signed_sid(&m->sd, &m->sid, err));
	m->signed_by_own = names_own_key(m);
	if (!m->signed_by_own)
		TRY(find_signer(m, err));
	return cms_signed_verify(&m->sd, m->x->c, m->has_signer ? m->signer.spki : m->own_key, err);
}

/* Of a certificate that says no more than the key does nothing else is looked at. */
static RESULT weigh_signer(struct full_cmc *m, struct err *err)
{
	struct est_exchange *x = m->x;
	BUF name = BUF_INIT;

	m->signer_is_ours = names_this_ca(m, m->signer.issuer);
	if (m->signer_is_ours) {
		x->client = m->signer;
		x->has_client = x->client_signed = true;
		return OK;
	}
	m->signed_by_own = m->own_key.len && pubkey_same(m->signer.spki, m->own_key);
	if (m->signed_by_own || (x->has_client && span_eq(x->client.der, m->signer.der)))
		return OK;
	if (name_put_text(&name, m->signer.subject, NULL) != OK)
		buf_reset(&name);
	return err_set(err, ERR_DENIED,
		       "RFC 5272 3.2: the message is signed with the certificate of \"%.200s\", "
		       "which is neither of CA \"%s\" nor the TLS client's",
		       name.len ? buf_cstr(&name) : "", x->ca->name);
}

enum result full_cmc_check_signature(struct full_cmc *m, struct err *err)
{
	enum result r = verify(m, err);

	if (r == OK && m->has_signer)
		r = weigh_signer(m, err);
	enrol_trace_add(&m->x->trace, "signature", r == OK, "%s",
			r != OK            ? err_text(err)
			: m->signed_by_own ? "by the key that is to be certified"
					   : "by a certificate's key");
	return r;
}

bool full_cmc_is_registrar(const struct full_cmc *m)
{
	return m->signer_is_ours && est_credentials_is_registrar(m->x, &m->signer);
}

enum result full_cmc_check_standing(struct full_cmc *m, struct err *err)
{
	const struct enrol_context *ctx = m->x->service->enrol;
	const struct ca_standing now = { ctx->store, m->x->c, clock_now(ctx->clock) };

	if (!m->signer_is_ours)
		return err_set(err, ERR_DENIED,
			       "RFC 5272 6: this is answered to whom CA \"%s\" has given a "
			       "certificate, and who signs with that",
			       m->x->ca->name);
	return err_prefix(err, ca_standing_check(&now, m->x->ca, &m->signer, err),
			  "RFC 5272 3.2: the signer");
}
