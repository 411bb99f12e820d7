/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/cms_enveloped.h"

#include "base/random.h"
#include "der/ber.h"
#include "der/oid.h"
#include "pki/cms.h"
#include "pki/cms_kari.h"

#define VERSION_MAX 4

/* rid ::= CHOICE { IssuerAndSerialNumber, [0] SubjectKeyIdentifier } */
static enum result read_rid(struct der_reader *ri, struct cms_recipient *out, struct err *err)
{
	struct der_tlv ski;

	if (!der_peek(ri, DER_CONTEXT(0)))
		return cms_read_issuer_serial(ri, &out->issuer, &out->serial, err);
	TRY(der_read_any(ri, "RecipientInfo.subjectKeyIdentifier", &ski, err));
	out->ski = ski.content;
	return OK;
}

/* KeyTransRecipientInfo, RFC 5652 6.2.1 */
static enum result read_transport(struct der_reader *r, struct cms_recipient *out, struct err *err)
{
	struct der_reader alg;
	struct der_tlv tlv;
	uint64_t version;

	out->kind = CMS_RECIPIENT_KEY_TRANSPORT;
	TRY(der_read_uint(r, "KeyTransRecipientInfo.version", VERSION_MAX, &version, err));
	TRY(read_rid(r, out, err));
	TRY(der_read(r, DER_SEQUENCE, "keyEncryptionAlgorithm", &tlv, err));
	der_reader_init(&alg, tlv.whole);
	out->transport_known =
	    alg_read_transport(&alg, "keyEncryptionAlgorithm", &out->transport, NULL) == OK;
	TRY(der_read(r, DER_OCTET_STRING, "encryptedKey", &tlv, err));
	out->encrypted_key = tlv.content;
	return der_end(r, "KeyTransRecipientInfo", err);
}

/* AlgorithmIdentifier of that type under that tag: its one parameter. Another type: left alone. */
static enum result read_param(struct der_reader *r, uint8_t tag, struct span type,
			      struct span *param, struct err *err)
{
	static const char what[] = "PasswordRecipientInfo algorithm";
	struct der_reader alg;
	struct der_tlv tlv;
	struct span oid;

	TRY(der_enter(r, tag, what, &alg, err));
	TRY(der_read_oid(&alg, what, &oid, err));
	if (!span_eq(oid, type))
		return OK;
	TRY(der_read(&alg, DER_SEQUENCE, what, &tlv, err));
	*param = tlv.whole;
	return der_end(&alg, what, err);
}

/* PasswordRecipientInfo, RFC 5652 6.2.4; an unknown algorithm leaves its field empty. */
static enum result read_password(struct der_reader *r, struct cms_recipient *out, struct err *err)
{
	struct span kek = SPAN_NONE;
	struct der_reader alg;
	struct der_tlv tlv;
	uint64_t version;

	out->kind = CMS_RECIPIENT_PASSWORD;
	TRY(der_read_uint(r, "PasswordRecipientInfo.version", VERSION_MAX, &version, err));
	if (der_peek(r, DER_CONTEXT_CONS(0)))
		TRY(read_param(r, DER_CONTEXT_CONS(0), OID_PBKDF2, &out->pwri_kdf, err));
	TRY(read_param(r, DER_SEQUENCE, OID_PWRI_KEK, &kek, err));
	der_reader_init(&alg, kek);
	if (alg_read_cipher(&alg, "id-alg-PWRI-KEK", &out->pwri_cipher, &out->pwri_iv, NULL) != OK)
		out->pwri_cipher = CIPHER_NONE;
	TRY(der_read(r, DER_OCTET_STRING, "encryptedKey", &tlv, err));
	out->encrypted_key = tlv.content;
	return der_end(r, "PasswordRecipientInfo", err);
}

/* RecipientInfo ::= CHOICE, by its tag. */
static const struct {
	uint8_t tag;
	const char *what;
	enum result (*read)(struct der_reader *r, struct cms_recipient *out, struct err *err);
} recipients[] = {
	{ DER_SEQUENCE, "KeyTransRecipientInfo", read_transport },
	{ DER_CONTEXT_CONS(1), "KeyAgreeRecipientInfo", cms_kari_read },
	{ DER_CONTEXT_CONS(2), "KEKRecipientInfo", cms_kek_read },
	{ DER_CONTEXT_CONS(3), "PasswordRecipientInfo", read_password },
};

static enum result read_recipient(struct der_reader *set, struct cms_recipient *out,
				  struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;
	size_t i;

	for (i = 0; i < ARRAY_LEN(recipients); i++) {
		if (!der_peek(set, recipients[i].tag))
			continue;
		TRY(der_enter(set, recipients[i].tag, recipients[i].what, &r, err));
		return recipients[i].read(&r, out, err);
	}
	out->kind = CMS_RECIPIENT_OTHER;
	return der_read_any(set, "RecipientInfo", &tlv, err);
}

static enum result read_recipients(struct der_reader *ed, struct cms_enveloped *out,
				   struct err *err)
{
	struct der_reader set;

	TRY(der_enter(ed, DER_SET, "recipientInfos", &set, err));
	for (; !der_at_end(&set); out->n_recipients++) {
		if (out->n_recipients == CMS_RECIPIENTS_MAX)
			return err_set(err, ERR_LIMIT, "EnvelopedData: more than %d recipients",
				       CMS_RECIPIENTS_MAX);
		TRY(read_recipient(&set, &out->recipients[out->n_recipients], err));
	}
	return OK;
}

/* EncryptedContentInfo; [0] IMPLICIT OCTET STRING, which some encoders cut into pieces. */
static enum result read_encrypted(struct der_reader *ed, struct cms_enveloped *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;
	struct span type;

	TRY(der_enter(ed, DER_SEQUENCE, "encryptedContentInfo", &r, err));
	TRY(der_read_oid(&r, "encryptedContentInfo.contentType", &type, err));
	TRY(alg_read_cipher(&r, "contentEncryptionAlgorithm", &out->cipher, &out->iv, err));
	TRY(der_read_any(&r, "encryptedContent", &tlv, err));
	TRY(der_end(&r, "encryptedContentInfo", err));
	if (tlv.tag == DER_CONTEXT(0)) {
		out->encrypted = tlv.content;
		return OK;
	}
	if (tlv.tag != DER_CONTEXT_CONS(0))
		return err_set(err, ERR_SYNTAX,
			       "encryptedContent: tag 0x%02x where [0] is expected", tlv.tag);
	TRY(ber_join_octets(tlv.content, &out->joined, err));
	out->encrypted = buf_span(&out->joined);
	return OK;
}

static enum result read_enveloped(struct span der, struct cms_enveloped *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;
	uint64_t version;

	TRY(cms_read_content_info(der, OID_ENVELOPED_DATA, "EnvelopedData", &r, err));
	TRY(der_read_uint(&r, "EnvelopedData.version", VERSION_MAX, &version, err));
	if (der_peek(&r, DER_CONTEXT_CONS(0)))
		TRY(der_read_any(&r, "originatorInfo", &tlv, err));
	TRY(read_recipients(&r, out, err));
	TRY(read_encrypted(&r, out, err));
	if (der_peek(&r, DER_CONTEXT_CONS(1)))
		TRY(der_read_any(&r, "unprotectedAttrs", &tlv, err));
	return der_end(&r, "EnvelopedData", err);
}

enum result cms_enveloped_parse(struct span der, struct cms_enveloped *out, struct err *err)
{
	struct cms_enveloped got = { .n_recipients = 0 };
	enum result rc = read_enveloped(der, &got, err);

	if (rc == OK)
		*out = got;
	else
		cms_enveloped_clear(&got);
	return rc;
}

void cms_enveloped_clear(struct cms_enveloped *e)
{
	buf_clear(&e->joined);
	*e = (struct cms_enveloped){ .n_recipients = 0 };
}

/*
 * A key of another length than the cipher's is replaced by a random one, so that it fails no
 * sooner and no otherwise than a wrong one: the caller's answer is no oracle (RFC 3218 2.3.2).
 */
enum result cms_enveloped_open(const struct cms_enveloped *e, struct crypto *c,
			       struct span content_key, struct buf *plain, struct err *err)
{
	size_t size = cipher_key_size(e->cipher);
	BUF_SECRET random = BUF_INIT;
	enum result rc;
	uint8_t *at;

	if (content_key.len != size) {
		at = buf_extend(&random, size);
		if (!at)
			return err_nomem(err);
		TRY(random_fill(at, size, err));
		content_key = buf_span(&random);
	}
	rc = crypto_decrypt(c, e->cipher, content_key, e->iv, e->encrypted, plain, err);
	return rc == ERR_BAD_CHECK
		   ? err_set(err, rc,
			     "RFC 5652 6.3: the EnvelopedData does not decrypt with "
			     "this key")
		   : rc;
}
