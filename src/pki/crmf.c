/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/crmf.h"

#include "der/writer.h"
#include "pki/name.h"

/* ---- CertTemplate ---- */

#define SUBJECT DER_CONTEXT_CONS(5) /* EXPLICIT, for being a CHOICE */
#define PUBLIC_KEY DER_CONTEXT_CONS(6)
#define EXTENSIONS DER_CONTEXT_CONS(9)
#define FIELD_LAST 9

static RESULT read_subject(struct span content, struct crmf *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv name;

	der_reader_init(&r, content);
	TRY(der_read(&r, DER_SEQUENCE, "certTemplate.subject", &name, err));
	TRY(der_end(&r, "certTemplate.subject", err));
	out->subject = name.whole;
	return err_prefix(err, name_check(name.whole, err), "certTemplate.subject");
}

static RESULT read_field(const struct der_tlv *field, struct crmf *out, struct err *err)
{
	switch (field->tag) {
	case SUBJECT:
		return read_subject(field->content, out, err);
	case PUBLIC_KEY:
		out->public_key = field->content;
		return OK;
	case EXTENSIONS:
		out->exts = field->content;
		return ext_check(field->content, err);
	default:
		return OK;
	}
}

/* All OPTIONAL, each once and in the order of their numbers. */
static RESULT read_template(struct der_reader *cert_req, struct crmf *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv field;
	int last = -1;

	TRY(der_enter(cert_req, DER_SEQUENCE, "certTemplate", &r, err));
	while (!der_at_end(&r)) {
		int number;

		TRY(der_read_any(&r, "certTemplate", &field, err));
		number = field.tag & 0x1f;
		if ((field.tag & 0xc0) != 0x80 || number <= last || number > FIELD_LAST)
			return err_set(err, ERR_SYNTAX, "certTemplate: tag 0x%02x behind [%d]",
				       field.tag, last);
		TRY(read_field(&field, out, err));
		last = number;
	}
	return OK;
}

/* CertRequest ::= SEQUENCE { certReqId INTEGER, certTemplate, controls OPTIONAL } */
static RESULT read_cert_req(struct der_reader *msg, struct crmf *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv whole, controls;
	struct span id;

	TRY(der_read(msg, DER_SEQUENCE, "certReq", &whole, err));
	out->cert_req = whole.whole;
	der_reader_init(&r, whole.content);
	TRY(der_read_integer(&r, "certReqId", &id, err));
	TRY(read_template(&r, out, err));
	if (der_at_end(&r))
		return OK;
	TRY(der_read(&r, DER_SEQUENCE, "certReq.controls", &controls, err));
	out->has_controls = true;
	return der_end(&r, "certReq", err);
}

/* ---- ProofOfPossession ---- */

/* POPOSigningKey ::= SEQUENCE { poposkInput [0] OPTIONAL, algorithmIdentifier, signature } */
static RESULT read_signature(struct span content, struct crmf *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	der_reader_init(&r, content);
	out->pop = CRMF_POP_SIGNATURE;
	if (der_peek(&r, DER_CONTEXT_CONS(0))) {
		TRY(der_read_any(&r, "poposkInput", &tlv, err));
		out->pop = CRMF_POP_INPUT;
	}
	TRY(der_read(&r, DER_SEQUENCE, "popo.algorithmIdentifier", &tlv, err));
	out->sig_id = tlv.whole;
	TRY(der_read_bits(&r, "popo.signature", &out->signature, err));
	return der_end(&r, "popo", err);
}

static RESULT read_pop(struct der_reader *msg, struct crmf *out, struct err *err)
{
	struct der_tlv popo;

	if (der_at_end(msg) || der_peek(msg, DER_SEQUENCE))
		return OK;
	TRY(der_read_any(msg, "popo", &popo, err));
	if (popo.tag == DER_CONTEXT_CONS(1))
		return read_signature(popo.content, out, err);
	out->pop = popo.tag == DER_CONTEXT(0) ? CRMF_POP_RA_VERIFIED : CRMF_POP_OTHER;
	return OK;
}

enum result crmf_parse(struct span content, struct crmf *out, struct err *err)
{
	struct crmf got = { .pop = CRMF_POP_NONE };
	struct der_reader r;
	struct der_tlv tlv;

	der_reader_init(&r, content);
	TRY(read_cert_req(&r, &got, err));
	TRY(read_pop(&r, &got, err));
	if (!der_at_end(&r)) {
		TRY(der_read(&r, DER_SEQUENCE, "CertReqMsg.regInfo", &tlv, err));
		got.has_reg_info = true;
	}
	TRY(der_end(&r, "CertReqMsg", err));
	*out = got;
	return OK;
}

/* ---- as PKCS#10 ---- */

enum result crmf_to_csr(const struct crmf *m, struct buf *spki, struct csr *out, struct err *err)
{
	struct csr csr = { .info = m->cert_req,
			   .subject = m->subject,
			   .exts = m->exts,
			   .sig_id = m->sig_id,
			   .signature = m->signature };

	if (m->subject.len == 0 || m->public_key.len == 0)
		return err_set(err, ERR_BAD_REQUEST, "RFC 4211 5: certTemplate has no %s",
			       m->subject.len ? "publicKey" : "subject");
	if (m->pop != CRMF_POP_SIGNATURE)
		return err_set(err, ERR_BAD_POP,
			       "RFC 4211 4.1: popo is no signature over certReq by the key asked "
			       "for");
	der_put_tlv(spki, DER_SEQUENCE, m->public_key);
	TRY(buf_check(spki, err));
	csr.spki = buf_span(spki);
	if (alg_parse_sig(csr.sig_id, "popo.algorithmIdentifier", &csr.sig_alg, NULL) != OK)
		csr.sig_alg = (struct sig_alg){ KEY_NONE, DIGEST_NONE };
	*out = csr;
	return OK;
}
