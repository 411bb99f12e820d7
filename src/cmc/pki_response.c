/* SPDX-License-Identifier: Apache-2.0 */
#include "cmc/pki_response.h"

#include "der/oid.h"
#include "der/text.h"
#include "der/writer.h"

#define STATUS_MAX 7
#define FAIL_INFO_MAX 1999

static const char *name_of(const char *const *names, size_t n, int number)
{
	return number >= 0 && (size_t)number < n && names[number] ? names[number] : "unknown";
}

const char *cmc_status_name(int status)
{
	static const char *const names[] = {
		[CMC_SUCCESS] = "success",
		[CMC_FAILED] = "failed",
		[CMC_PENDING] = "pending",
		[CMC_NO_SUPPORT] = "noSupport",
		[CMC_CONFIRM_REQUIRED] = "confirmRequired",
		[CMC_POP_REQUIRED] = "popRequired",
		[CMC_PARTIAL] = "partial",
	};

	return name_of(names, ARRAY_LEN(names), status);
}

const char *cmc_fail_info_name(int fail_info)
{
	static const char *const names[] = {
		"badAlg",         "badMessageCheck", "badRequest",  "badTime",     "badCertId",
		"unsupportedExt", "mustArchiveKeys", "badIdentity", "popRequired", "popFailed",
		"noKeyReuse",     "internalCAError", "tryLater",    "authDataFail"
	};

	return name_of(names, ARRAY_LEN(names), fail_info);
}

/* ---- writing ---- */

static void put_text(struct buf *out, struct span text)
{
	BUF utf8 = BUF_INIT;

	if (text.len && der_text_utf8(DER_UTF8_STRING, text, "statusString", &utf8, NULL) == OK)
		der_put_tlv(out, DER_UTF8_STRING, text);
}

static void put_pend_info(struct buf *out, const struct cmc_status_info *status)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_octets(out, status->pend_token);
	der_put_generalized_time(out, status->pend_time);
	der_close(out, seq);
}

static void put_status_value(struct buf *out, const struct cmc_status_info *status)
{
	size_t seq = der_open(out, DER_SEQUENCE), list, i;

	der_put_uint(out, (uint64_t)status->status);
	list = der_open(out, DER_SEQUENCE);
	for (i = 0; i < status->n_bodies; i++)
		der_put_uint(out, status->bodies[i]);
	der_close(out, list);
	put_text(out, status->text);
	if (status->fail_info >= 0)
		der_put_uint(out, (uint64_t)status->fail_info);
	else if (status->pend_token.len)
		put_pend_info(out, status);
	der_close(out, seq);
}

static void put_status(struct buf *out, uint32_t *id, const struct cmc_status_info *status)
{
	BUF value = BUF_INIT;

	put_status_value(&value, status);
	cmc_control_put(out, ++*id, OID_CMC_STATUS_INFO_V2, buf_span(&value));
}

static void put_empty(struct buf *out)
{
	der_close(out, der_open(out, DER_SEQUENCE));
}

void cmc_pki_response_put(struct buf *out, const struct cmc_pki_response *r)
{
	size_t seq = der_open(out, DER_SEQUENCE), controls = der_open(out, DER_SEQUENCE);
	uint32_t id = 0;

	if (r->has_status)
		put_status(out, &id, &r->status);
	cmc_control_put_content(out, &id, OID_CMC_TRANSACTION_ID, DER_INTEGER, r->transaction_id);
	cmc_control_put_content(out, &id, OID_CMC_SENDER_NONCE, DER_OCTET_STRING, r->sender_nonce);
	cmc_control_put_content(out, &id, OID_CMC_RECIPIENT_NONCE, DER_OCTET_STRING,
				r->recipient_nonce);
	cmc_control_put_content(out, &id, OID_CMC_DATA_RETURN, DER_OCTET_STRING, r->data_return);
	der_close(out, controls);
	put_empty(out); /* cmsSequence */
	put_empty(out); /* otherMsgSequence */
	der_close(out, seq);
}

/* ---- reading ---- */

/* Of BodyPartReferences those that are no paths, which lead into messages within messages. */
static RESULT read_bodies(struct der_reader *r, struct cmc_status_info *out, struct err *err)
{
	struct der_reader list;
	struct der_tlv path;
	uint64_t id;

	TRY(der_enter(r, DER_SEQUENCE, "bodyList", &list, err));
	while (!der_at_end(&list)) {
		if (der_peek(&list, DER_SEQUENCE)) {
			TRY(der_read_any(&list, "bodyPartPath", &path, err));
			continue;
		}
		TRY(der_read_uint(&list, "bodyPartID", UINT32_MAX, &id, err));
		if (out->n_bodies == CMC_BODIES_MAX)
			return err_set(err, ERR_LIMIT, "bodyList: more than %d", CMC_BODIES_MAX);
		out->bodies[out->n_bodies++] = (uint32_t)id;
	}
	return OK;
}

static RESULT read_pend_info(struct der_reader *r, struct cmc_status_info *out, struct err *err)
{
	struct der_reader seq;
	struct der_tlv token;

	TRY(der_enter(r, DER_SEQUENCE, "pendInfo", &seq, err));
	TRY(der_read(&seq, DER_OCTET_STRING, "pendToken", &token, err));
	TRY(der_read_time(&seq, "pendTime", &out->pend_time, err));
	out->pend_token = token.content;
	return der_end(&seq, "pendInfo", err);
}

/*
 * The module has IMPLICIT TAGS and a CHOICE without tags of its own: extendedFailInfo is told from
 * pendInfo by what it begins with.
 */
static RESULT read_other_info(struct der_reader *r, struct cmc_status_info *out, struct err *err)
{
	struct der_reader copy = *r, seq;
	struct der_tlv skipped;
	uint64_t number;

	if (der_peek(r, DER_INTEGER)) {
		TRY(der_read_uint(r, "failInfo", FAIL_INFO_MAX, &number, err));
		out->fail_info = (int)number;
		return OK;
	}
	TRY(der_enter(&copy, DER_SEQUENCE, "otherInfo", &seq, err));
	if (der_peek(&seq, DER_OID))
		return der_read_any(r, "extendedFailInfo", &skipped, err);
	return read_pend_info(r, out, err);
}

static RESULT read_status(const struct cmc_control *control, struct cmc_status_info *out,
			  struct err *err)
{
	struct cmc_status_info got = { .fail_info = CMC_FAIL_NONE };
	struct der_tlv value, text;
	struct der_reader r;
	uint64_t number;

	TRY(cmc_control_value(control, "CMCStatusInfo", &value, err));
	TRY(der_read_whole(value.whole, DER_SEQUENCE, "CMCStatusInfo", &r, err));
	TRY(der_read_uint(&r, "cMCStatus", STATUS_MAX, &number, err));
	got.status = (int)number;
	TRY(read_bodies(&r, &got, err));
	if (der_peek(&r, DER_UTF8_STRING)) {
		TRY(der_read_any(&r, "statusString", &text, err));
		got.text = text.content;
	}
	if (!der_at_end(&r))
		TRY(read_other_info(&r, &got, err));
	TRY(der_end(&r, "CMCStatusInfo", err));
	*out = got;
	return OK;
}

static RESULT read_controls(const struct cmc_controls *controls, struct cmc_pki_response *out,
			    struct err *err)
{
	const struct cmc_control *status = cmc_control_find(controls, OID_CMC_STATUS_INFO_V2);

	if (!status)
		status = cmc_control_find(controls, OID_CMC_STATUS_INFO);
	if (status)
		TRY(read_status(status, &out->status, err));
	out->has_status = status != NULL;
	TRY(cmc_control_content(controls, OID_CMC_TRANSACTION_ID, DER_INTEGER, &out->transaction_id,
				err));
	TRY(cmc_control_content(controls, OID_CMC_SENDER_NONCE, DER_OCTET_STRING,
				&out->sender_nonce, err));
	TRY(cmc_control_content(controls, OID_CMC_RECIPIENT_NONCE, DER_OCTET_STRING,
				&out->recipient_nonce, err));
	return cmc_control_content(controls, OID_CMC_DATA_RETURN, DER_OCTET_STRING,
				   &out->data_return, err);
}

enum result cmc_pki_response_parse(struct span der, struct cmc_pki_response *out, struct err *err)
{
	struct cmc_pki_response got = { .status = { .fail_info = CMC_FAIL_NONE } };
	struct cmc_controls controls;
	struct der_tlv skipped;
	struct der_reader r;

	TRY(der_read_whole(der, DER_SEQUENCE, "PKIResponse", &r, err));
	TRY(cmc_controls_read(&r, &controls, err));
	TRY(der_read(&r, DER_SEQUENCE, "cmsSequence", &skipped, err));
	TRY(der_read(&r, DER_SEQUENCE, "otherMsgSequence", &skipped, err));
	TRY(der_end(&r, "PKIResponse", err));
	TRY(read_controls(&controls, &got, err));
	*out = got;
	return OK;
}
