/* SPDX-License-Identifier: Apache-2.0 */
#include "scep/message.h"

#include <stdio.h>

#include "der/ber.h"
#include "der/oid.h"
#include "der/writer.h"

struct number_name {
	int number;
	const char *name;
};

static const struct number_name types[] = {
	{ SCEP_CERT_REP, "CertRep" },     { SCEP_RENEWAL_REQ, "RenewalReq" },
	{ SCEP_UPDATE_REQ, "UpdateReq" }, { SCEP_PKCS_REQ, "PKCSReq" },
	{ SCEP_CERT_POLL, "CertPoll" },   { SCEP_GET_CERT, "GetCert" },
	{ SCEP_GET_CRL, "GetCRL" },
};
static const struct number_name statuses[] = {
	{ SCEP_SUCCESS, "SUCCESS" },
	{ SCEP_FAILURE, "FAILURE" },
	{ SCEP_PENDING, "PENDING" },
};
static const struct number_name fail_infos[] = {
	{ 0, "badAlg" },  { 1, "badMessageCheck" }, { 2, "badRequest" },
	{ 3, "badTime" }, { 4, "badCertId" },
};

static const char *name_of(const struct number_name *names, size_t n, int number)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (names[i].number == number)
			return names[i].name;
	return "?";
}

const char *scep_message_type_name(int type)
{
	return name_of(types, ARRAY_LEN(types), type);
}

const char *scep_pki_status_name(int status)
{
	return name_of(statuses, ARRAY_LEN(statuses), status);
}

const char *scep_fail_info_name(int fail_info)
{
	return name_of(fail_infos, ARRAY_LEN(fail_infos), fail_info);
}

/*
 * The attribute's value with its tag; an absent attribute leaves tag 0 and is OK. Devices differ in
 * the string type that they choose, so any primitive one is taken.
 */
static RESULT find_attr(const struct cms_signed *sd, struct span oid, const char *what, size_t max,
			struct der_tlv *out, struct err *err)
{
	struct der_tlv tlv = { 0 };
	enum result r = cms_attr_find(sd, oid, what, &tlv, err);

	if (r == ERR_NOT_FOUND) {
		err_clear(err);
		*out = (struct der_tlv){ 0 };
		return OK;
	}
	TRY(r);
	if (tlv.tag & DER_CONSTRUCTED)
		return err_set(err, ERR_SYNTAX, "RFC 8894 3.2.1: %s is no string, but tag 0x%02x",
			       what, tlv.tag);
	if (tlv.content.len > max)
		return err_set(err, ERR_LIMIT, "RFC 8894 3.2.1: %s has %zu octets, more than %zu",
			       what, tlv.content.len, max);
	*out = tlv;
	return OK;
}

static int parse_decimal(struct span text)
{
	int v = 0;
	size_t i;

	if (text.len == 0 || text.len > 4)
		return -1;
	for (i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return -1;
		v = v * 10 + (text.p[i] - '0');
	}
	return v;
}

static RESULT read_number(const struct cms_signed *sd, struct span oid, const char *what, int *out,
			  struct err *err)
{
	struct der_tlv tlv;

	TRY(find_attr(sd, oid, what, 64, &tlv, err));
	*out = parse_decimal(tlv.content);
	return OK;
}

static RESULT read_octets(const struct cms_signed *sd, struct span oid, const char *what,
			  size_t max, struct span *out, struct err *err)
{
	struct der_tlv tlv;

	TRY(find_attr(sd, oid, what, max, &tlv, err));
	*out = tlv.content;
	return OK;
}

static RESULT read_attributes(struct scep_message *m, struct err *err)
{
	const struct cms_signed *sd = &m->sd;
	struct der_tlv id;

	TRY(find_attr(sd, OID_SCEP_TRANSACTION_ID, "transactionID", SCEP_TEXT_READ_MAX, &id, err));
	m->transaction_id = id.content;
	m->transaction_tag = id.tag;
	TRY(read_number(sd, OID_SCEP_MESSAGE_TYPE, "messageType", &m->message_type, err));
	TRY(read_number(sd, OID_SCEP_PKI_STATUS, "pkiStatus", &m->pki_status, err));
	TRY(read_number(sd, OID_SCEP_FAIL_INFO, "failInfo", &m->fail_info, err));
	TRY(read_octets(sd, OID_SCEP_FAIL_INFO_TEXT, "failInfoText", SCEP_TEXT_READ_MAX,
			&m->fail_info_text, err));
	TRY(read_octets(sd, OID_SCEP_SENDER_NONCE, "senderNonce", SCEP_NONCE_MAX, &m->sender_nonce,
			err));
	return read_octets(sd, OID_SCEP_RECIPIENT_NONCE, "recipientNonce", SCEP_NONCE_MAX,
			   &m->recipient_nonce, err);
}

static RESULT parse_into(struct span bytes, struct scep_message *m, struct err *err)
{
	TRY(ber_put_der(bytes, &m->der, err));
	TRY(cms_signed_parse(buf_span(&m->der), &m->sd, err));
	if (!m->sd.has_signer)
		return err_set(err, ERR_SYNTAX, "RFC 8894 3.2: pkiMessage has no signerInfo");
	m->has_envelope = m->sd.has_content && m->sd.content.len > 0;
	return read_attributes(m, err);
}

enum result scep_message_parse(struct span bytes, struct scep_message *out, struct err *err)
{
	struct scep_message m = { .message_type = -1, .pki_status = -1, .fail_info = -1 };
	enum result r = parse_into(bytes, &m, err);

	if (r != OK) {
		scep_message_clear(&m);
		return err_prefix(err, r, "pkiMessage");
	}
	*out = m;
	return OK;
}

enum result scep_message_read_envelope(struct scep_message *m, struct err *err)
{
	BUF der = BUF_INIT;
	enum result r;

	if (!m->has_envelope)
		return err_set(err, ERR_BAD_REQUEST, "RFC 8894 3.2.2: %s without a pkcsPKIEnvelope",
			       scep_message_type_name(m->message_type));
	r = ber_put_der(m->sd.content, &der, err);
	if (r == OK)
		r = cms_enveloped_parse(buf_span(&der), &m->envelope, err);
	if (r != OK)
		return err_prefix(err, r, "pkcsPKIEnvelope");
	buf_clear(&m->envelope_der);
	m->envelope_der = buf_take(&der);
	return OK;
}

void scep_message_clear(struct scep_message *m)
{
	cms_enveloped_clear(&m->envelope);
	buf_clear(&m->envelope_der);
	buf_clear(&m->der);
	*m = (struct scep_message){ .message_type = -1, .pki_status = -1, .fail_info = -1 };
}

static void put_attr(struct buf *attrs, struct span oid, uint8_t tag, struct span content)
{
	BUF value = BUF_INIT;

	der_put_tlv(&value, tag, content);
	if (value.failed)
		attrs->failed = true;
	else
		cms_put_attr(attrs, oid, buf_span(&value));
}

static void put_number(struct buf *attrs, struct span oid, int number)
{
	char text[12];

	if (number < 0)
		return;
	(void)snprintf(text, sizeof(text), "%d", number);
	put_attr(attrs, oid, DER_PRINTABLE_STRING, span_str(text));
}

static void put_nonce(struct buf *attrs, struct span oid, struct span nonce)
{
	if (nonce.len)
		put_attr(attrs, oid, DER_OCTET_STRING, nonce);
}

static bool is_printable(struct span text)
{
	static const char others[] = " '()+,-./:=?";
	size_t i;

	for (i = 0; i < text.len; i++) {
		uint8_t c = text.p[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
			continue;
		if (span_find(SPAN_LIT(others), c) == sizeof(others) - 1)
			return false;
	}
	return true;
}

static void put_transaction_id(struct buf *attrs, const struct scep_message_new *m)
{
	uint8_t tag = m->transaction_tag;

	if (!tag)
		tag = is_printable(m->transaction_id) ? DER_PRINTABLE_STRING : DER_UTF8_STRING;
	put_attr(attrs, OID_SCEP_TRANSACTION_ID, tag, m->transaction_id);
}

/* At most SCEP_FAIL_TEXT_MAX octets, cut between characters. */
static struct span cut_text(const char *text)
{
	struct span s = span_str(text);

	if (s.len <= SCEP_FAIL_TEXT_MAX)
		return s;
	s.len = SCEP_FAIL_TEXT_MAX;
	while (s.len && (s.p[s.len] & 0xc0) == 0x80)
		s.len--;
	return s;
}

static void put_attributes(struct buf *attrs, const struct scep_message_new *m)
{
	put_transaction_id(attrs, m);
	put_number(attrs, OID_SCEP_MESSAGE_TYPE, m->message_type);
	put_number(attrs, OID_SCEP_PKI_STATUS, m->pki_status);
	put_number(attrs, OID_SCEP_FAIL_INFO, m->fail_info);
	if (m->fail_info_text)
		put_attr(attrs, OID_SCEP_FAIL_INFO_TEXT, DER_UTF8_STRING,
			 cut_text(m->fail_info_text));
	put_nonce(attrs, OID_SCEP_SENDER_NONCE, m->sender_nonce);
	put_nonce(attrs, OID_SCEP_RECIPIENT_NONCE, m->recipient_nonce);
}

enum result scep_message_build(const struct scep_message_new *m, struct key *signer,
			       struct crypto *c, struct buf *out, struct err *err)
{
	struct span certs[CMS_CERTS_MAX];
	struct cms_sign sign = { .digest = m->digest, .signer_cert = m->signer_cert };
	BUF attrs = BUF_INIT;
	size_t i;

	if (m->n_more_certs >= CMS_CERTS_MAX)
		return err_set(err, ERR_LIMIT, "pkiMessage with %zu certificates, more than %d",
			       m->n_more_certs + 1, CMS_CERTS_MAX);
	certs[0] = m->signer_cert;
	for (i = 0; i < m->n_more_certs; i++)
		certs[i + 1] = m->more_certs[i];
	put_attributes(&attrs, m);
	TRY(buf_check(&attrs, err));
	/* empty rather than absent: to those who verify with OpenSSL an absent one is detached */
	sign.has_content = true;
	sign.content = m->envelope;
	sign.attrs = buf_span(&attrs);
	sign.certs = certs;
	sign.n_certs = m->n_more_certs + 1;
	return cms_sign(&sign, signer, c, out, err);
}
