/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/tree_cmc.h"

#include "cli/scepter/tree_cert.h"
#include "cmc/pki_data.h"
#include "cmc/pki_response.h"
#include "der/oid.h"
#include "pki/crl.h"
#include "pki/crmf.h"

/* ---- controls ---- */

static RESULT put_get_cert(struct tree *t, json_t *at, const struct cmc_control *control,
			   struct err *err)
{
	struct cmc_get_cert get;

	TRY(cmc_get_cert_read(control, &get, err));
	tree_name(t, at, "issuer", get.issuer);
	tree_hex(t, at, "serial", get.serial);
	return OK;
}

static RESULT put_get_crl(struct tree *t, json_t *at, const struct cmc_control *control,
			  struct err *err)
{
	struct cmc_get_crl get;

	TRY(cmc_get_crl_read(control, &get, err));
	tree_name(t, at, "issuer", get.issuer);
	if (get.has_time)
		tree_time(t, at, "time", get.time);
	return OK;
}

static RESULT put_revoke(struct tree *t, json_t *at, const struct cmc_control *control,
			 struct err *err)
{
	struct cmc_revoke revoke;
	const char *reason;

	TRY(cmc_revoke_read(control, &revoke, err));
	reason = crl_reason_name(revoke.reason);
	tree_name(t, at, "issuer", revoke.issuer);
	tree_hex(t, at, "serial", revoke.serial);
	tree_text(t, at, "reason", reason ? reason : "unknown");
	if (revoke.invalid_since)
		tree_time(t, at, "invalidityDate", revoke.invalid_since);
	if (revoke.has_secret)
		tree_text(t, at, "passphrase", "not shown");
	if (revoke.comment.len)
		tree_span(t, at, "comment", revoke.comment);
	return OK;
}

static RESULT put_value(struct tree *t, json_t *at, const struct cmc_control *control,
			struct err *err)
{
	struct der_tlv value;

	TRY(cmc_control_value(control, "control", &value, err));
	if (value.tag == DER_UTF8_STRING)
		tree_span(t, at, "value", value.content);
	else
		tree_hex(t, at, "value",
			 value.tag == DER_OCTET_STRING || value.tag == DER_INTEGER ? value.content
										   : value.whole);
	return OK;
}

static void put_control(struct tree *t, json_t *at, const struct cmc_control *control)
{
	static const struct {
		const struct span *type;
		RESULT(*put)
		(struct tree *t, json_t *at, const struct cmc_control *control, struct err *err);
	} known[] = { { &OID_CMC_GET_CERT, put_get_cert },
		      { &OID_CMC_GET_CRL, put_get_crl },
		      { &OID_CMC_REVOKE_REQUEST, put_revoke } };
	struct err err = { 0 };
	enum result r = ERR_NOT_FOUND;
	size_t i;

	tree_number(t, at, "bodyPartID", control->id);
	tree_oid(t, at, "type", control->type);
	for (i = 0; i < ARRAY_LEN(known); i++)
		if (span_eq(control->type, *known[i].type))
			r = known[i].put(t, at, control, &err);
	if (r == ERR_NOT_FOUND)
		r = put_value(t, at, control, &err);
	if (r != OK)
		tree_text(t, at, "error", err_text(&err));
}

/* ---- PKIData ---- */

/* Of whom there is no certificate, it may be the key that is asked for. */
static void put_own_signature(struct tree *t, json_t *at, const struct cms_signed *sd,
			      struct span spki)
{
	struct err err = { 0 };
	struct cert cert;

	if (!sd->has_signer || cms_signed_signer(sd, &cert, NULL) == OK)
		return;
	tree_text(t, at, "signatureOfTheMessage",
		  cms_signed_verify(sd, t->c, spki, &err) == OK ? "verifies with this key"
								: err_text(&err));
}

static RESULT read_request(const struct cmc_request *request, struct csr *csr, struct buf *spki,
			   struct err *err)
{
	struct crmf crmf;

	if (request->kind == CMC_PKCS10)
		return csr_parse(request->body, csr, err);
	if (request->kind == CMC_OTHER)
		return err_set(err, ERR_BAD_REQUEST, "of a kind that is not known");
	TRY(crmf_parse(request->body, &crmf, err));
	return crmf_to_csr(&crmf, spki, csr, err);
}

static void put_request(struct tree *t, json_t *at, const struct cms_signed *sd,
			const struct cmc_request *request)
{
	static const char *const kinds[] = { [CMC_PKCS10] = "PKCS#10 (tcr)",
					     [CMC_CRMF] = "CRMF (crm)",
					     [CMC_OTHER] = "other (orm)" };
	struct err err = { 0 };
	struct csr csr;
	BUF spki = BUF_INIT;

	tree_number(t, at, "bodyPartID", request->id);
	tree_text(t, at, "type", kinds[request->kind]);
	if (read_request(request, &csr, &spki, &err) != OK) {
		tree_text(t, at, "error", err_text(&err));
		return;
	}
	tree_put_csr(t, at, &csr);
	put_own_signature(t, at, sd, csr.spki);
}

static RESULT put_pki_data(struct tree *t, json_t *at, const struct cms_signed *sd, struct err *err)
{
	struct cmc_pki_data data;
	json_t *list;
	size_t i;

	TRY(cmc_pki_data_parse(sd->content, &data, err));
	list = tree_list(t, at, "controls");
	for (i = 0; i < data.controls.n; i++)
		put_control(t, tree_append(t, list), &data.controls.list[i]);
	list = tree_list(t, at, "requests");
	for (i = 0; i < data.n_requests; i++)
		put_request(t, tree_append(t, list), sd, &data.requests[i]);
	if (data.n_messages)
		tree_number(t, at, "messages", (int64_t)data.n_messages);
	return OK;
}

/* ---- PKIResponse ---- */

static void put_status(struct tree *t, json_t *at, const struct cmc_status_info *status)
{
	json_t *list;
	size_t i;

	tree_printf(t, at, "status", "%s (%d)", cmc_status_name(status->status), status->status);
	if (status->fail_info != CMC_FAIL_NONE)
		tree_printf(t, at, "failInfo", "%s (%d)", cmc_fail_info_name(status->fail_info),
			    status->fail_info);
	if (status->text.len)
		tree_span(t, at, "statusString", status->text);
	if (status->pend_token.len) {
		tree_hex(t, at, "pendToken", status->pend_token);
		tree_time(t, at, "pendTime", status->pend_time);
	}
	list = tree_list(t, at, "bodyList");
	for (i = 0; i < status->n_bodies; i++)
		tree_number(t, tree_append(t, list), "bodyPartID", status->bodies[i]);
}

static RESULT put_pki_response(struct tree *t, json_t *at, const struct cms_signed *sd,
			       struct err *err)
{
	struct cmc_pki_response r;

	TRY(cmc_pki_response_parse(sd->content, &r, err));
	if (r.has_status)
		put_status(t, at, &r.status);
	if (r.transaction_id.len)
		tree_hex(t, at, "transactionId", r.transaction_id);
	if (r.sender_nonce.len)
		tree_hex(t, at, "senderNonce", r.sender_nonce);
	if (r.recipient_nonce.len)
		tree_hex(t, at, "recipientNonce", r.recipient_nonce);
	if (r.data_return.len)
		tree_hex(t, at, "dataReturn", r.data_return);
	return OK;
}

/* ---- either ---- */

const char *tree_cmc_type(const struct cms_signed *sd)
{
	if (span_eq(sd->content_type, OID_CCT_PKI_DATA))
		return "CMC Full PKI Request";
	return span_eq(sd->content_type, OID_CCT_PKI_RESPONSE) ? "CMC Full PKI Response" : NULL;
}

enum result tree_put_cmc(struct tree *t, json_t *at, const struct cms_signed *sd, struct err *err)
{
	if (span_eq(sd->content_type, OID_CCT_PKI_DATA))
		return put_pki_data(t, at, sd, err);
	return put_pki_response(t, at, sd, err);
}
