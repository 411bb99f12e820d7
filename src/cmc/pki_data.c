/* SPDX-License-Identifier: Apache-2.0 */
#include "cmc/pki_data.h"

#include "der/oid.h"
#include "der/writer.h"

#define REQUEST_ID 1

/* ---- reading ---- */

/* [0] TaggedCertificationRequest ::= SEQUENCE { bodyPartID, certificationRequest } */
static RESULT read_pkcs10(struct der_reader *r, struct cmc_request *out, struct err *err)
{
	struct der_tlv csr;

	TRY(cmc_read_body_part_id(r, "tcr.bodyPartID", &out->id, err));
	TRY(der_read(r, DER_SEQUENCE, "tcr.certificationRequest", &csr, err));
	out->body = csr.whole;
	return der_end(r, "tcr", err);
}

/* [1] CertReqMsg ::= SEQUENCE { certReq SEQUENCE { certReqId, ... }, ... } */
static RESULT read_crmf(struct der_reader *r, struct cmc_request *out, struct err *err)
{
	struct der_reader cert_req;

	out->body = r->rest;
	TRY(der_enter(r, DER_SEQUENCE, "crm.certReq", &cert_req, err));
	return cmc_read_body_part_id(&cert_req, "crm.certReq.certReqId", &out->id, err);
}

/* [2] SEQUENCE { bodyPartID, requestMessageType, requestMessageValue } */
static RESULT read_other(struct der_reader *r, struct cmc_request *out, struct err *err)
{
	out->body = r->rest;
	return cmc_read_body_part_id(r, "orm.bodyPartID", &out->id, err);
}

static RESULT read_request(struct der_reader *list, struct cmc_request *out, struct err *err)
{
	static const struct {
		enum cmc_request_kind kind;
		RESULT (*read)(struct der_reader *r, struct cmc_request *out, struct err *err);
	} kinds[] = { { CMC_PKCS10, read_pkcs10 },
		      { CMC_CRMF, read_crmf },
		      { CMC_OTHER, read_other } };
	struct der_reader r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(kinds); i++) {
		uint8_t tag = DER_CONTEXT_CONS(i);

		if (!der_peek(list, tag))
			continue;
		TRY(der_enter(list, tag, "TaggedRequest", &r, err));
		out->kind = kinds[i].kind;
		return kinds[i].read(&r, out, err);
	}
	return err_set(err, ERR_SYNTAX, "TaggedRequest: neither tcr, nor crm, nor orm");
}

static RESULT read_requests(struct der_reader *r, struct cmc_pki_data *out, struct err *err)
{
	struct der_reader list;
	struct der_tlv whole;

	TRY(der_read(r, DER_SEQUENCE, "reqSequence", &whole, err));
	out->req_sequence = whole.whole;
	der_reader_init(&list, whole.content);
	while (!der_at_end(&list)) {
		if (out->n_requests == CMC_REQUESTS_MAX)
			return err_set(err, ERR_LIMIT, "reqSequence: more than %d requests",
				       CMC_REQUESTS_MAX);
		TRY(read_request(&list, &out->requests[out->n_requests], err));
		out->n_requests++;
	}
	return OK;
}

/* The identifiers that were read so far. */
struct ids {
	uint32_t list[CMC_CONTROLS_MAX + CMC_REQUESTS_MAX + CMC_MESSAGES_MAX];
	size_t n;
};

static RESULT add_id(struct ids *ids, uint32_t id, struct err *err)
{
	size_t i;

	for (i = 0; i < ids->n; i++)
		if (ids->list[i] == id)
			return err_set(err, ERR_BAD_REQUEST,
				       "RFC 5272 3.2.2: bodyPartID %u stands there twice", id);
	if (ids->n == ARRAY_LEN(ids->list))
		return err_set(err, ERR_LIMIT, "PKIData: more than %zu parts",
			       ARRAY_LEN(ids->list));
	ids->list[ids->n++] = id;
	return OK;
}

static RESULT add_ids(struct ids *ids, const struct cmc_pki_data *data, struct err *err)
{
	size_t i;

	for (i = 0; i < data->controls.n; i++)
		TRY(add_id(ids, data->controls.list[i].id, err));
	for (i = 0; i < data->n_requests; i++)
		TRY(add_id(ids, data->requests[i].id, err));
	return OK;
}

/* TaggedContentInfo and OtherMsg both begin with their bodyPartID. */
static RESULT skip_messages(struct der_reader *r, const char *what, struct cmc_pki_data *out,
			    struct ids *ids, struct err *err)
{
	struct der_reader list, message;
	uint32_t id;

	TRY(der_enter(r, DER_SEQUENCE, what, &list, err));
	for (; !der_at_end(&list); out->n_messages++) {
		TRY(der_enter(&list, DER_SEQUENCE, what, &message, err));
		TRY(cmc_read_body_part_id(&message, what, &id, err));
		TRY(add_id(ids, id, err));
	}
	return OK;
}

static RESULT parse(struct span der, struct cmc_pki_data *out, struct err *err)
{
	struct ids ids = { .n = 0 };
	struct der_reader r;

	TRY(der_read_whole(der, DER_SEQUENCE, "PKIData", &r, err));
	TRY(cmc_controls_read(&r, &out->controls, err));
	TRY(read_requests(&r, out, err));
	TRY(add_ids(&ids, out, err));
	TRY(skip_messages(&r, "cmsSequence", out, &ids, err));
	TRY(skip_messages(&r, "otherMsgSequence", out, &ids, err));
	return der_end(&r, "PKIData", err);
}

enum result cmc_pki_data_parse(struct span der, struct cmc_pki_data *out, struct err *err)
{
	struct cmc_pki_data got = { .n_requests = 0 };

	TRY(err_prefix(err, parse(der, &got, err), "RFC 5272 3.2.1"));
	*out = got;
	return OK;
}

/* ---- writing ---- */

static void put_empty(struct buf *out)
{
	der_close(out, der_open(out, DER_SEQUENCE));
}

static void put_requests(struct buf *out, struct span csr)
{
	size_t list = der_open(out, DER_SEQUENCE), tcr;

	if (csr.len) {
		tcr = der_open(out, DER_CONTEXT_CONS(0));
		der_put_uint(out, REQUEST_ID);
		buf_put(out, csr);
		der_close(out, tcr);
	}
	der_close(out, list);
}

/* The proof is over reqSequence, tag and length included (RFC 5272 6.2.1). */
static RESULT put_proof(struct buf *out, uint32_t *id, const struct cmc_ask *ask,
			struct span requests, struct crypto *c, struct err *err)
{
	BUF proof = BUF_INIT;

	if (!ask->secret)
		return OK;
	cmc_control_put_content(out, id, OID_CMC_IDENTIFICATION, DER_UTF8_STRING,
				ask->secret->identification);
	TRY(cmc_witness_put_v2(&proof, c, ask->secret, requests, err));
	cmc_control_put(out, ++*id, OID_CMC_IDENTITY_PROOF_V2, buf_span(&proof));
	return OK;
}

enum result cmc_pki_data_put(struct buf *out, const struct cmc_ask *ask, struct crypto *c,
			     struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE), controls = der_open(out, DER_SEQUENCE);
	uint32_t id = REQUEST_ID;
	BUF requests = BUF_INIT;

	put_requests(&requests, ask->csr);
	TRY(buf_check(&requests, err));
	cmc_control_put_content(out, &id, OID_CMC_TRANSACTION_ID, DER_INTEGER, ask->transaction_id);
	cmc_control_put_content(out, &id, OID_CMC_SENDER_NONCE, DER_OCTET_STRING,
				ask->sender_nonce);
	cmc_control_put_content(out, &id, OID_CMC_QUERY_PENDING, DER_OCTET_STRING, ask->pend_token);
	TRY(put_proof(out, &id, ask, buf_span(&requests), c, err));
	der_close(out, controls);
	buf_put(out, buf_span(&requests));
	put_empty(out); /* cmsSequence */
	put_empty(out); /* otherMsgSequence */
	der_close(out, seq);
	return buf_check(out, err);
}
