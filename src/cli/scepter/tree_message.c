/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/tree_message.h"

#include "cli/scepter/tree_cert.h"
#include "cli/scepter/tree_cmc.h"
#include "der/ber.h"
#include "der/oid.h"
#include "pki/name.h"
#include "scep/message.h"

/* messageData within an envelope within a message: it ends there. */
#define DEPTH_MAX 4

struct visit {
	struct tree *t;
	const struct tree_opener *opener;
	int depth;
};

static RESULT put_object(struct visit v, json_t *at, struct span bytes, struct err *err);

/* ---- SCEP's attributes ---- */

static void put_numbered(struct tree *t, json_t *at, const char *name, int number,
			 const char *(*name_of)(int))
{
	if (number >= 0)
		tree_printf(t, at, name, "%s (%d)", name_of(number), number);
}

static void put_if(struct tree *t, json_t *at, const char *name, struct span value, bool text)
{
	if (value.len && text)
		tree_span(t, at, name, value);
	else if (value.len)
		tree_hex(t, at, name, value);
}

static void put_scep(struct tree *t, json_t *at, const struct scep_message *m)
{
	put_numbered(t, at, "messageType", m->message_type, scep_message_type_name);
	put_if(t, at, "transactionID", m->transaction_id, true);
	put_numbered(t, at, "pkiStatus", m->pki_status, scep_pki_status_name);
	put_numbered(t, at, "failInfo", m->fail_info, scep_fail_info_name);
	put_if(t, at, "failInfoText", m->fail_info_text, true);
	put_if(t, at, "senderNonce", m->sender_nonce, false);
	put_if(t, at, "recipientNonce", m->recipient_nonce, false);
}

/* ---- EnvelopedData ---- */

static void put_holder(struct tree *t, json_t *at, const struct cms_recipient *r)
{
	if (r->ski.len) {
		tree_hex(t, at, "subjectKeyIdentifier", r->ski);
		return;
	}
	tree_name(t, at, "issuer", r->issuer);
	tree_hex(t, at, "serial", r->serial);
}

static void put_transport(struct tree *t, json_t *at, const struct cms_recipient *r)
{
	put_holder(t, at, r);
	if (!r->transport_known)
		tree_text(t, at, "keyTransport", "unknown");
	else if (r->transport.oaep)
		tree_printf(t, at, "keyTransport", "RSA-OAEP with %s",
			    digest_name(r->transport.digest));
	else
		tree_text(t, at, "keyTransport", "RSA PKCS#1 v1.5");
}

static void put_agreement(struct tree *t, json_t *at, const struct cms_recipient *r)
{
	put_holder(t, at, r);
	tree_text(t, at, "keyAgreement", "ECDH with SHA-256");
	tree_printf(t, at, "keyWrap", "AES-%zu", wrap_key_size(r->wrap) * 8);
}

static void put_shared(struct tree *t, json_t *at, const struct cms_recipient *r)
{
	tree_hex(t, at, "sharedKey", r->ski);
	tree_printf(t, at, "keyWrap", "AES-%zu", wrap_key_size(r->wrap) * 8);
}

static void put_password(struct tree *t, json_t *at, const struct cms_recipient *r)
{
	tree_text(t, at, "password", "PBKDF2, whoever knows the challenge");
	tree_text(t, at, "keyWrap", cipher_name(r->pwri_cipher));
}

static void put_other(struct tree *t, json_t *at, UNUSED const struct cms_recipient *r)
{
	tree_text(t, at, "recipient", "of a kind that is not used here");
}

static void put_recipient(struct tree *t, json_t *at, const struct cms_recipient *r)
{
	static void (*const put[])(struct tree * t, json_t * at, const struct cms_recipient *r) = {
		[CMS_RECIPIENT_KEY_TRANSPORT] = put_transport,
		[CMS_RECIPIENT_PASSWORD] = put_password,
		[CMS_RECIPIENT_KEY_AGREEMENT] = put_agreement,
		[CMS_RECIPIENT_KEK] = put_shared,
		[CMS_RECIPIENT_OTHER] = put_other,
	};

	put[r->kind](t, at, r);
	tree_printf(t, at, "encryptedKey", "%zu octets", r->encrypted_key.len);
}

static RESULT open_for(const struct visit *v, const struct cms_enveloped *e,
		       const struct cms_recipient *r, struct buf *plain, struct err *err)
{
	SECRET content_key = SECRET_INIT;

	if (r->kind == CMS_RECIPIENT_KEY_TRANSPORT && v->opener->key)
		TRY(key_decrypt(v->opener->key, v->t->c, &r->transport, r->encrypted_key,
				&content_key, err));
	else if (r->kind == CMS_RECIPIENT_KEY_AGREEMENT && v->opener->key)
		TRY(cms_kari_unwrap(r, v->t->c, v->opener->key, &content_key, err));
	else if (r->kind == CMS_RECIPIENT_PASSWORD && secret_span(&v->opener->challenge).len)
		TRY(cms_pwri_unwrap(r, v->t->c, secret_span(&v->opener->challenge), &content_key,
				    err));
	else
		return err_set(err, ERR_NOT_FOUND, "not opened: --key has the recipient's key");
	return cms_enveloped_open(e, v->t->c, secret_span(&content_key), plain, err);
}

static void put_content(struct visit v, json_t *at, const struct cms_enveloped *e)
{
	BUF_SECRET plain = BUF_INIT;
	struct err err = { 0 };
	enum result r = ERR_NOT_FOUND;
	json_t *node;
	size_t i;

	for (i = 0; i < e->n_recipients && r != OK; i++)
		r = open_for(&v, e, &e->recipients[i], &plain, &err);
	if (r != OK) {
		tree_text(v.t, at, "messageData", err_text(&err));
		return;
	}
	node = tree_node(v.t, at, "messageData");
	if (put_object(v, node, buf_span(&plain), &err) != OK)
		tree_text(v.t, node, "error", err_text(&err));
}

static RESULT put_enveloped(struct visit v, json_t *at, struct span der, struct err *err)
{
	struct cms_enveloped e;
	json_t *list;
	size_t i;

	TRY(cms_enveloped_parse(der, &e, err));
	tree_text(v.t, at, "contentEncryption", cipher_name(e.cipher));
	list = tree_list(v.t, at, "recipients");
	for (i = 0; i < e.n_recipients; i++)
		put_recipient(v.t, tree_append(v.t, list), &e.recipients[i]);
	tree_printf(v.t, at, "encryptedContent", "%zu octets", e.encrypted.len);
	put_content(v, at, &e);
	cms_enveloped_clear(&e);
	return OK;
}

/* ---- SignedData ---- */

static void put_certs(struct tree *t, json_t *at, const struct cms_signed *sd)
{
	struct err err = { 0 };
	json_t *list, *node;
	struct cert cert;
	size_t i;

	if (sd->n_certs == 0)
		return;
	list = tree_list(t, at, "certificates");
	for (i = 0; i < sd->n_certs; i++) {
		node = tree_append(t, list);
		if (cert_parse(sd->certs[i], &cert, &err) == OK)
			tree_put_cert(t, node, &cert);
		else
			tree_text(t, node, "error", err_text(&err));
	}
}

static bool is_shown_above(struct span type)
{
	static const struct span *const shown[] = {
		&OID_SCEP_TRANSACTION_ID, &OID_SCEP_MESSAGE_TYPE,   &OID_SCEP_PKI_STATUS,
		&OID_SCEP_FAIL_INFO,      &OID_SCEP_FAIL_INFO_TEXT, &OID_SCEP_SENDER_NONCE,
		&OID_SCEP_RECIPIENT_NONCE
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(shown); i++)
		if (span_eq(type, *shown[i]))
			return true;
	return false;
}

/* A value by its type, where that is one of those that CMS itself uses. */
static void put_attr_value(struct tree *t, json_t *at, const char *name, struct span values)
{
	struct der_reader r;
	struct der_tlv tlv;
	struct span oid;
	int64_t time;

	der_reader_init(&r, values);
	if (der_peek(&r, DER_OID) && der_read_oid(&r, name, &oid, NULL) == OK)
		tree_oid(t, at, name, oid);
	else if (der_peek(&r, DER_OCTET_STRING) &&
		 der_read(&r, DER_OCTET_STRING, name, &tlv, NULL) == OK)
		tree_hex(t, at, name, tlv.content);
	else if (der_read_time(&r, name, &time, NULL) == OK)
		tree_time(t, at, name, time);
	else
		tree_hex(t, at, name, values);
}

static void put_attrs(struct tree *t, json_t *at, const struct cms_signed *sd)
{
	json_t *node = tree_node(t, at, "signedAttributes");
	size_t i;

	for (i = 0; i < sd->n_attrs; i++) {
		const char *known = oid_name(sd->attrs[i].type);
		BUF dotted = BUF_INIT;

		if (is_shown_above(sd->attrs[i].type))
			continue;
		oid_put_text(&dotted, sd->attrs[i].type);
		if (!buf_cstr(&dotted))
			return;
		put_attr_value(t, node, known ? known : buf_cstr(&dotted), sd->attrs[i].values);
	}
}

static void put_signer(struct tree *t, json_t *at, const struct cms_signed *sd)
{
	json_t *node = tree_node(t, at, "signer");
	struct err err = { 0 };
	struct cert cert;

	tree_put_alg(t, node, "digestAlgorithm", sd->digest_id);
	tree_put_alg(t, node, "signatureAlgorithm", sd->sig_id);
	if (cms_signed_signer(sd, &cert, &err) != OK) {
		tree_text(t, node, "certificate", err_text(&err));
	} else {
		tree_name(t, node, "certificate", cert.subject);
		tree_text(t, node, "signature",
			  cms_signed_verify(sd, t->c, cert.spki, &err) == OK
			      ? "verifies with the certificate in the message"
			      : err_text(&err));
	}
	put_attrs(t, node, sd);
}

static RESULT put_signed(struct visit v, json_t *at, struct span der, struct err *err)
{
	struct cms_signed sd;
	json_t *node;

	TRY(cms_signed_parse(der, &sd, err));
	if (sd.has_signer)
		put_signer(v.t, at, &sd);
	else
		tree_text(v.t, at, "signer", "none: certificates only (degenerate)");
	put_certs(v.t, at, &sd);
	if (sd.n_crls)
		tree_number(v.t, at, "CRLs", (int64_t)sd.n_crls);
	if (!sd.has_content || sd.content.len == 0)
		return OK;
	node = tree_node(v.t, at, "content");
	if (tree_cmc_type(&sd))
		return tree_put_cmc(v.t, node, &sd, err);
	return put_object(v, node, sd.content, err);
}

/* ---- whatever it is ---- */

/* With the attributes of a pkiMessage on top, should it be one. */
static RESULT put_signed_or_scep(struct visit v, json_t *at, struct span der, struct err *err)
{
	struct scep_message m;
	struct cms_signed sd;

	TRY(cms_signed_parse(der, &sd, err));
	if (scep_message_parse(der, &m, NULL) == OK) {
		bool is_scep = m.message_type >= 0 || m.transaction_id.len;

		if (is_scep) {
			tree_text(v.t, at, "type", "SCEP pkiMessage");
			put_scep(v.t, at, &m);
		}
		scep_message_clear(&m);
		if (is_scep)
			return put_signed(v, at, der, err);
	}
	if (tree_cmc_type(&sd))
		tree_text(v.t, at, "type", tree_cmc_type(&sd));
	else
		tree_text(v.t, at, "type", sd.has_signer ? "CMS SignedData" : "CMS certificates");
	return put_signed(v, at, der, err);
}

static RESULT put_enveloped_type(struct visit v, json_t *at, struct span der, struct err *err)
{
	tree_text(v.t, at, "type", "CMS EnvelopedData");
	return put_enveloped(v, at, der, err);
}

static RESULT put_cert_type(struct visit v, json_t *at, struct span der, struct err *err)
{
	struct cert cert;

	TRY(cert_parse(der, &cert, err));
	tree_text(v.t, at, "type", "certificate");
	tree_put_cert(v.t, at, &cert);
	return OK;
}

static RESULT put_csr_type(struct visit v, json_t *at, struct span der, struct err *err)
{
	struct csr csr;

	TRY(csr_parse(der, &csr, err));
	tree_text(v.t, at, "type", "PKCS#10 certification request");
	tree_put_csr(v.t, at, &csr);
	return OK;
}

/* IssuerAndSubject of CertPoll, IssuerAndSerialNumber of GetCert and GetCRL. */
static RESULT put_issuer_and(struct visit v, json_t *at, struct span der, struct err *err)
{
	struct der_reader r;
	struct der_tlv issuer, other;

	TRY(der_read_whole(der, DER_SEQUENCE, "issuerAnd", &r, err));
	TRY(der_read(&r, DER_SEQUENCE, "issuer", &issuer, err));
	TRY(name_check(issuer.whole, err));
	TRY(der_read_any(&r, "subject or serialNumber", &other, err));
	TRY(der_end(&r, "issuerAnd", err));
	if (other.tag != DER_INTEGER)
		TRY(name_check(other.whole, err));
	tree_text(v.t, at, "type",
		  other.tag == DER_INTEGER ? "IssuerAndSerialNumber" : "IssuerAndSubject");
	tree_name(v.t, at, "issuer", issuer.whole);
	if (other.tag == DER_INTEGER)
		tree_hex(v.t, at, "serial", other.content);
	else
		tree_name(v.t, at, "subject", other.whole);
	return OK;
}

typedef enum result put_type(struct visit v, json_t *at, struct span der, struct err *err);

/* What the ContentInfo says it is; empty: it is none. */
static struct span content_type(struct span der)
{
	struct der_reader r;
	struct span oid;

	if (der_read_whole(der, DER_SEQUENCE, "ContentInfo", &r, NULL) != OK ||
	    der_read_oid(&r, "contentType", &oid, NULL) != OK)
		return SPAN_NONE;
	return oid;
}

static RESULT put_der(struct visit v, json_t *at, struct span der, struct err *err)
{
	static put_type *const others[] = { put_cert_type, put_csr_type, put_issuer_and };
	struct span type = content_type(der);
	size_t i;

	if (span_eq(type, OID_SIGNED_DATA))
		return put_signed_or_scep(v, at, der, err);
	if (span_eq(type, OID_ENVELOPED_DATA))
		return put_enveloped_type(v, at, der, err);
	for (i = 0; i < ARRAY_LEN(others); i++)
		if (others[i](v, at, der, NULL) == OK)
			return OK;
	return err_set(err, ERR_SYNTAX, "neither CMS message, nor certificate, nor request");
}

static RESULT put_object(struct visit v, json_t *at, struct span bytes, struct err *err)
{
	BUF_SECRET der = BUF_INIT;
	bool was_der = false;

	if (++v.depth > DEPTH_MAX)
		return err_set(err, ERR_LIMIT, "nested more than %d deep", DEPTH_MAX);
	TRY(ber_to_der(bytes, &BER_LIMITS_DEFAULT, &der, &was_der, err));
	if (!was_der)
		tree_text(v.t, at, "encoding", "BER, not DER");
	return put_der(v, at, was_der ? bytes : buf_span(&der), err);
}

enum result tree_put_object(struct tree *t, json_t *at, struct span bytes,
			    const struct tree_opener *opener, struct err *err)
{
	struct visit v = { .t = t, .opener = opener };

	return put_object(v, at, bytes, err);
}
