/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/enrolment.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/random.h"
#include "der/writer.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "scep/caps.h"

#define SIGNER_LIFETIME (7 * 24 * 3600)

/*
 * "AES" promises AES-128-CBC and nothing longer; SHA-256 is what RFC 8894 3.5.2 asks for. GetCACaps
 * is not protected, so what somebody in between could have left is taken on the user's word only.
 */
static RESULT choose_algorithms(struct scep_enrolment *e,
				const struct scep_enrolment_config *config, struct err *err)
{
	uint32_t caps = config->caps;

	e->cipher = caps & SCEP_CAP_AES ? CIPHER_AES128_CBC : CIPHER_DES_EDE3_CBC;
	e->digest = caps & SCEP_CAP_SHA256   ? DIGEST_SHA256
		    : caps & SCEP_CAP_SHA512 ? DIGEST_SHA512
					     : DIGEST_SHA1;
	if (config->allow_legacy || (!cipher_is_legacy(e->cipher) && !digest_is_legacy(e->digest)))
		return OK;
	return err_set(err, ERR_BAD_ALG,
		       "RFC 8894 7.5: GetCACaps leaves only %s and %s; as it is not protected, "
		       "this may be an attack",
		       digest_name(e->digest), cipher_name(e->cipher));
}

static RESULT put_transaction_id(struct scep_enrolment *e, struct span renewed, struct crypto *c,
				 struct err *err)
{
	const struct span parts[2] = { key_spki(e->key), renewed };
	uint8_t digest[DIGEST_MAX];
	BUF hex = BUF_INIT;

	TRY(crypto_digest(c, DIGEST_SHA256, parts, renewed.len ? 2 : 1, digest, err));
	hex_put(&hex, span_of(digest, digest_size(DIGEST_SHA256)));
	TRY(buf_check(&hex, err));
	memcpy(e->transaction_id, hex.data, SCEP_ENROLMENT_ID);
	return OK;
}

/* By the certificate that is renewed, else by one of the device's own making. */
static RESULT put_signer(struct scep_enrolment *e, const struct scep_enrolment_config *config,
			 struct crypto *c, struct err *err)
{
	const struct cert_self self = { .subject = config->subject,
					.not_before = config->now,
					.not_after = config->now + SIGNER_LIFETIME };

	e->signer = config->key;
	e->request_type = SCEP_PKCS_REQ;
	if (!config->current_key)
		return cert_self_signed(&self, e->key, c, &e->signer_cert, err);
	e->signer = config->current_key;
	if (config->caps & SCEP_CAP_RENEWAL)
		e->request_type = SCEP_RENEWAL_REQ;
	buf_put(&e->signer_cert, config->current_cert);
	return buf_check(&e->signer_cert, err);
}

/*
 * A key that cannot decrypt has its reply encrypted under the challenge. For a renewal any will do,
 * as it proves nothing there.
 */
static RESULT put_challenge(struct scep_enrolment *e, const struct scep_enrolment_config *config,
			    struct err *err)
{
	uint8_t random[16];
	BUF_SECRET hex = BUF_INIT;
	enum result r;

	if (config->challenge.len || !config->current_key || e->signer->kind == KEY_RSA)
		return secret_set(&e->challenge, config->challenge, err);
	TRY(random_fill(random, sizeof(random), err));
	hex_put(&hex, SPAN_ARRAY(random));
	explicit_bzero(random, sizeof(random));
	r = buf_check(&hex, err);
	return r == OK ? secret_set(&e->challenge, buf_span(&hex), err) : r;
}

static RESULT init_into(struct scep_enrolment *e, const struct scep_enrolment_config *config,
			struct crypto *c, struct err *err)
{
	struct csr_template t = { .subject = config->subject, .exts = config->exts };

	TRY(choose_algorithms(e, config, err));
	TRY(put_transaction_id(e, config->current_key ? config->current_cert : SPAN_NONE, c, err));
	TRY(put_signer(e, config, c, err));
	TRY(put_challenge(e, config, err));
	buf_put(&e->subject, config->subject);
	TRY(buf_check(&e->subject, err));
	t.challenge = secret_span(&e->challenge);
	return csr_build(&t, e->key, c, &e->csr, err);
}

enum result scep_enrolment_init(struct scep_enrolment *e,
				const struct scep_enrolment_config *config, struct crypto *c,
				struct err *err)
{
	struct scep_enrolment got = { .key = config->key };
	enum result r = init_into(&got, config, c, err);

	if (r != OK) {
		scep_enrolment_clear(&got);
		return r;
	}
	*e = got;
	return OK;
}

void scep_enrolment_clear(struct scep_enrolment *e)
{
	buf_wipe(&e->csr);
	buf_clear(&e->signer_cert);
	buf_clear(&e->subject);
	buf_clear(&e->serial);
	secret_clear(&e->challenge);
	*e = (struct scep_enrolment){ 0 };
}

/* Of that type around that messageData. */
static RESULT put_message(struct scep_enrolment *e, const struct scep_ca_certs *ca, int type,
			  struct span plain, struct crypto *c, struct buf *out, struct err *err)
{
	struct cms_envelop envelop = { .plain = plain, .cipher = e->cipher };
	struct scep_message_new m = {
		.message_type = type, .pki_status = -1, .fail_info = -1, .digest = e->digest
	};
	BUF envelope = BUF_INIT;

	e->asked = type;
	TRY(random_fill(e->nonce, sizeof(e->nonce), err));
	TRY(cms_envelop_to_cert(&envelop, c, ca->certs[ca->encrypter].der, &envelope, err));
	m.transaction_id = span_str(e->transaction_id);
	m.sender_nonce = SPAN_ARRAY(e->nonce);
	m.envelope = buf_span(&envelope);
	m.signer_cert = buf_span(&e->signer_cert);
	return scep_message_build(&m, e->signer, c, out, err);
}

enum result scep_enrolment_request(struct scep_enrolment *e, const struct scep_ca_certs *ca,
				   struct crypto *c, struct buf *out, struct err *err)
{
	return put_message(e, ca, e->request_type, buf_span(&e->csr), c, out, err);
}

bool scep_enrolment_can_poll(const struct scep_enrolment *e)
{
	return e->signer->kind == KEY_RSA;
}

enum result scep_enrolment_poll(struct scep_enrolment *e, const struct scep_ca_certs *ca,
				struct crypto *c, struct buf *out, struct err *err)
{
	BUF names = BUF_INIT;
	size_t seq = der_open(&names, DER_SEQUENCE);

	buf_put(&names, ca->certs[ca->issuer].subject);
	buf_put(&names, buf_span(&e->subject));
	der_close(&names, seq);
	TRY(buf_check(&names, err));
	return put_message(e, ca, SCEP_CERT_POLL, buf_span(&names), c, out, err);
}

/* The key's own transaction is another matter. */
static RESULT new_transaction(struct scep_enrolment *e, struct err *err)
{
	uint8_t random[SCEP_ENROLMENT_ID / 2];
	BUF hex = BUF_INIT;

	TRY(random_fill(random, sizeof(random), err));
	hex_put(&hex, SPAN_ARRAY(random));
	TRY(buf_check(&hex, err));
	memcpy(e->transaction_id, hex.data, SCEP_ENROLMENT_ID);
	return OK;
}

enum result scep_enrolment_lookup(struct scep_enrolment *e, const struct scep_ca_certs *ca,
				  int type, struct span serial, struct crypto *c, struct buf *out,
				  struct err *err)
{
	BUF asked = BUF_INIT;
	size_t seq = der_open(&asked, DER_SEQUENCE);

	buf_put(&asked, ca->certs[ca->issuer].subject);
	der_put_tlv(&asked, DER_INTEGER, serial);
	der_close(&asked, seq);
	TRY(buf_check(&asked, err));
	buf_reset(&e->serial);
	buf_put(&e->serial, serial);
	TRY(buf_check(&e->serial, err));
	TRY(new_transaction(e, err));
	return put_message(e, ca, type, buf_span(&asked), c, out, err);
}

void scep_enrolment_reply_clear(struct scep_enrolment_reply *r)
{
	buf_clear(&r->cert);
	*r = (struct scep_enrolment_reply){ .status = SCEP_FAILURE };
}

/* By one of the certificates that are trusted already: what the message brings along is no proof.
 */
static RESULT check_signature(const struct scep_message *m, const struct scep_ca_certs *ca,
			      struct crypto *c, struct err *err)
{
	struct cert named;
	const struct cert *signer;
	size_t i;

	/*
	 * Widely used servers sign with SHA-1 whatever they were asked with. What hangs on it is
	 * the status alone: the certificate has a signature of its own, which is checked.
	 */
	if (m->sd.digest == DIGEST_MD5)
		return err_set(err, ERR_BAD_ALG, "RFC 8894 2.9: CertRep is signed with MD5");
	if (cms_signed_signer(&m->sd, &named, NULL) == OK) {
		signer = scep_ca_certs_by_key(ca, named.spki);
		if (!signer)
			return err_set(err, ERR_BAD_CHECK,
				       "RFC 8894 3.2: CertRep is signed by a certificate that "
				       "GetCACert did not answer");
		return cms_signed_verify(&m->sd, c, signer->spki, err);
	}
	for (i = 0; i < ca->n; i++)
		if (ca->trusted[i] && cms_signed_verify(&m->sd, c, ca->certs[i].spki, err) == OK)
			return OK;
	return err_set(err, ERR_BAD_CHECK,
		       "RFC 8894 3.2: CertRep is signed by none of the "
		       "certificates that GetCACert answered");
}

static RESULT check_belongs(const struct scep_enrolment *e, const struct scep_message *m,
			    struct err *err)
{
	if (m->message_type != SCEP_CERT_REP)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.2.1.2: messageType %d is no CertRep", m->message_type);
	if (!span_eq_str(m->transaction_id, e->transaction_id))
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.2.1.1: CertRep is for another transactionID");
	if (!span_eq(m->recipient_nonce, SPAN_ARRAY(e->nonce)))
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.2.1.5: recipientNonce of CertRep is not the senderNonce "
			       "of the request");
	return OK;
}

/* The key that opens the envelope: by ours, or by the challenge where ours cannot decrypt. */
static RESULT content_key(const struct scep_enrolment *e, const struct cms_enveloped *env,
			  struct crypto *c, struct secret *out, struct err *err)
{
	enum result r = err_set(err, ERR_BAD_CHECK,
				"RFC 8894 3.1: CertRep has no recipient for a "
				"%s key",
				key_kind_name(e->signer->kind));
	size_t i;

	for (i = 0; i < env->n_recipients; i++) {
		const struct cms_recipient *to = &env->recipients[i];

		if (to->kind == CMS_RECIPIENT_KEY_TRANSPORT && to->transport_known &&
		    e->signer->kind == KEY_RSA)
			r = key_decrypt(e->signer, c, &to->transport, to->encrypted_key, out, err);
		else if (to->kind == CMS_RECIPIENT_PASSWORD)
			r = cms_pwri_unwrap(to, c, secret_span(&e->challenge), out, err);
		if (r == OK)
			break;
	}
	return r;
}

static RESULT open_envelope(const struct scep_enrolment *e, struct scep_message *m,
			    struct crypto *c, struct buf *plain, struct err *err)
{
	SECRET key = SECRET_INIT;
	enum result r;

	TRY(scep_message_read_envelope(m, err));
	r = content_key(e, &m->envelope, c, &key, err);
	if (r == OK)
		r = cms_enveloped_open(&m->envelope, c, secret_span(&key), plain, err);
	return err_prefix(err, r, "RFC 8894 3.2.2: CertRep's envelope");
}

static bool is_by(const struct scep_ca_certs *ca, const struct cert *cert, struct crypto *c)
{
	size_t i;

	for (i = 0; i < ca->n; i++)
		if (ca->trusted[i] && cert_is_ca(&ca->certs[i]) &&
		    cert_verify_signature(cert, c, ca->certs[i].spki, NULL) == OK)
			return true;
	return false;
}

/* What was asked for: a certificate by its serial number, or one for our key. */
static bool is_wanted(const struct scep_enrolment *e, const struct cert *cert)
{
	if (e->asked == SCEP_GET_CERT)
		return span_eq(cert->serial, buf_span(&e->serial));
	return span_eq(cert->spki, key_spki(e->key));
}

/* The certificate that was asked for among those sent, whatever their order. */
static RESULT find_cert(const struct scep_enrolment *e, const struct scep_ca_certs *ca,
			struct crypto *c, struct span certs_only, struct buf *out, struct err *err)
{
	struct scep_ca_certs sent;
	enum result r;
	size_t i;

	TRY(scep_ca_certs_parse(certs_only, &sent, err));
	r = err_set(err, ERR_BAD_CERT_ID, "RFC 8894 3.3.2.1: none of the %zu certificates is %s",
		    sent.n,
		    e->asked == SCEP_GET_CERT ? "the one that was asked for" : "for our key");
	for (i = 0; i < sent.n && r != OK; i++) {
		if (!is_wanted(e, &sent.certs[i]))
			continue;
		r = OK;
		if (!is_by(ca, &sent.certs[i], c))
			r = err_set(err, ERR_BAD_CHECK,
				    "RFC 8894 3.3.2.1: the certificate is signed by no CA that "
				    "GetCACert answered");
		else
			buf_put(out, sent.certs[i].der);
		break;
	}
	scep_ca_certs_clear(&sent);
	return r != OK ? r : buf_check(out, err);
}

static RESULT find_crl(const struct scep_ca_certs *ca, struct crypto *c, struct span certs_only,
		       struct buf *out, struct err *err)
{
	struct cms_signed sent;
	struct crl crl;

	TRY(cms_signed_parse(certs_only, &sent, err));
	if (sent.n_crls != 1)
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 8894 3.3.5: the reply has %zu revocation lists", sent.n_crls);
	TRY(crl_parse(sent.crls[0], &crl, err));
	TRY(crl_verify_signature(&crl, c, ca->certs[ca->issuer].spki, err));
	buf_put(out, sent.crls[0]);
	return buf_check(out, err);
}

/* A wrong key passes for the right one now and then (RFC 3218 2.3.2), and gives noise. */
static RESULT find_asked(const struct scep_enrolment *e, const struct scep_ca_certs *ca,
			 struct crypto *c, struct span plain, struct buf *out, struct err *err)
{
	enum result r = e->asked == SCEP_GET_CRL ? find_crl(ca, c, plain, out, err)
						 : find_cert(e, ca, c, plain, out, err);

	if (r == ERR_SYNTAX || r == ERR_LIMIT)
		return err_prefix(err, ERR_BAD_CHECK,
				  "RFC 8894 3.2.2: CertRep's envelope opens to no certificates");
	return r;
}

/* Somebody else's text, for a terminal or a log. */
static void copy_text(struct span text, char out[ERR_TEXT_MAX])
{
	size_t i, n = text.len < ERR_TEXT_MAX - 1 ? text.len : ERR_TEXT_MAX - 1;

	for (i = 0; i < n; i++)
		out[i] = text.p[i] < 0x20 || text.p[i] == 0x7f ? ' ' : (char)text.p[i];
	out[n] = '\0';
}

static RESULT read_status(const struct scep_enrolment *e, const struct scep_ca_certs *ca,
			  struct crypto *c, struct scep_message *m,
			  struct scep_enrolment_reply *out, struct err *err)
{
	BUF_SECRET plain = BUF_INIT;

	switch (m->pki_status) {
	case SCEP_SUCCESS:
		TRY(open_envelope(e, m, c, &plain, err));
		TRY(find_asked(e, ca, c, buf_span(&plain), &out->cert, err));
		break;
	case SCEP_FAILURE:
		out->fail_info = m->fail_info;
		copy_text(m->fail_info_text, out->text);
		break;
	case SCEP_PENDING:
		break;
	default:
		return err_set(err, ERR_BAD_REQUEST, "RFC 8894 3.2.1.3: pkiStatus %d is unknown",
			       m->pki_status);
	}
	out->status = (enum scep_pki_status)m->pki_status;
	return OK;
}

enum result scep_enrolment_read(const struct scep_enrolment *e, const struct scep_ca_certs *ca,
				struct crypto *c, struct span message,
				struct scep_enrolment_reply *out, struct err *err)
{
	struct scep_enrolment_reply got = { .status = SCEP_FAILURE, .fail_info = -1 };
	struct scep_message m;
	enum result r;

	TRY(scep_message_parse(message, &m, err));
	r = check_signature(&m, ca, c, err);
	if (r == OK)
		r = check_belongs(e, &m, err);
	if (r == OK)
		r = read_status(e, ca, c, &m, &got, err);
	scep_message_clear(&m);
	if (r != OK) {
		scep_enrolment_reply_clear(&got);
		return r;
	}
	*out = got;
	return OK;
}
