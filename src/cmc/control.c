/* SPDX-License-Identifier: Apache-2.0 */
#include "cmc/control.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/name.h"

#define REASON_MAX 10

enum result cmc_read_body_part_id(struct der_reader *r, const char *what, uint32_t *out,
				  struct err *err)
{
	uint64_t id;

	TRY(der_read_uint(r, what, UINT32_MAX, &id, err));
	if (id == 0)
		return err_set(err, ERR_SYNTAX,
			       "RFC 5272 3.2.2: %s is 0, which stands for the message itself",
			       what);
	*out = (uint32_t)id;
	return OK;
}

/* TaggedAttribute ::= SEQUENCE { bodyPartID, attrType OBJECT IDENTIFIER, attrValues SET OF ANY } */
static RESULT read_control(struct der_reader *list, struct cmc_control *out, struct err *err)
{
	struct der_reader r;
	struct der_tlv values;

	TRY(der_enter(list, DER_SEQUENCE, "TaggedAttribute", &r, err));
	TRY(cmc_read_body_part_id(&r, "TaggedAttribute.bodyPartID", &out->id, err));
	TRY(der_read_oid(&r, "TaggedAttribute.attrType", &out->type, err));
	TRY(der_read(&r, DER_SET, "TaggedAttribute.attrValues", &values, err));
	out->values = values.content;
	return der_end(&r, "TaggedAttribute", err);
}

/* Which of two that contradict each other would count? */
static RESULT check_single(const struct cmc_controls *controls, struct span type, struct err *err)
{
	BUF text = BUF_INIT;

	if (!cmc_control_find(controls, type))
		return OK;
	oid_put_text(&text, type);
	return err_set(err, ERR_BAD_REQUEST, "RFC 5272 6: two controls of type %.64s",
		       oid_name(type) ? oid_name(type) : buf_cstr(&text));
}

enum result cmc_controls_read(struct der_reader *r, struct cmc_controls *out, struct err *err)
{
	struct cmc_controls got = { .n = 0 };
	struct der_reader list;

	TRY(der_enter(r, DER_SEQUENCE, "controlSequence", &list, err));
	while (!der_at_end(&list)) {
		struct cmc_control control;

		if (got.n == CMC_CONTROLS_MAX)
			return err_set(err, ERR_LIMIT, "controlSequence: more than %d controls",
				       CMC_CONTROLS_MAX);
		TRY(read_control(&list, &control, err));
		TRY(check_single(&got, control.type, err));
		got.list[got.n++] = control;
	}
	*out = got;
	return OK;
}

const struct cmc_control *cmc_control_find(const struct cmc_controls *controls, struct span type)
{
	size_t i;

	for (i = 0; i < controls->n; i++)
		if (span_eq(controls->list[i].type, type))
			return &controls->list[i];
	return NULL;
}

enum result cmc_control_value(const struct cmc_control *control, const char *what,
			      struct der_tlv *out, struct err *err)
{
	struct der_reader values;
	struct der_tlv value;

	der_reader_init(&values, control->values);
	TRY(der_read_any(&values, what, &value, err));
	TRY(der_end(&values, what, err));
	*out = value;
	return OK;
}

enum result cmc_control_content(const struct cmc_controls *controls, struct span type, uint8_t tag,
				struct span *out, struct err *err)
{
	const struct cmc_control *control = cmc_control_find(controls, type);
	const char *what = oid_name(type) ? oid_name(type) : "control";
	struct der_tlv value;

	if (!control)
		return OK;
	TRY(cmc_control_value(control, what, &value, err));
	if (value.tag != tag)
		return err_set(err, ERR_SYNTAX, "%s: tag 0x%02x, not 0x%02x", what, value.tag, tag);
	*out = value.content;
	return OK;
}

void cmc_control_put(struct buf *out, uint32_t id, struct span type, struct span value)
{
	size_t seq = der_open(out, DER_SEQUENCE), set;

	der_put_uint(out, id);
	der_put_oid(out, type);
	set = der_open(out, DER_SET);
	buf_put(out, value);
	der_close(out, set);
	der_close(out, seq);
}

void cmc_control_put_content(struct buf *out, uint32_t *id, struct span type, uint8_t tag,
			     struct span content)
{
	BUF value = BUF_INIT;

	if (content.len == 0)
		return;
	der_put_tlv(&value, tag, content);
	cmc_control_put(out, ++*id, type, buf_span(&value));
	out->failed |= value.failed;
}

/* ---- the values of some ---- */

static RESULT enter_value(const struct cmc_control *control, const char *what,
			  struct der_reader *inner, struct err *err)
{
	struct der_tlv value;

	TRY(cmc_control_value(control, what, &value, err));
	return der_read_whole(value.whole, DER_SEQUENCE, what, inner, err);
}

static RESULT read_name(struct der_reader *r, const char *what, struct span *out, struct err *err)
{
	struct der_tlv name;

	TRY(der_read(r, DER_SEQUENCE, what, &name, err));
	TRY(err_prefix(err, name_check(name.whole, err), "%s", what));
	*out = name.whole;
	return OK;
}

/* GeneralName, of which it takes directoryName [4], EXPLICIT for being a CHOICE. */
static RESULT read_directory_name(struct der_reader *r, const char *what, struct span *out,
				  struct err *err)
{
	struct der_reader explicit;

	if (!der_peek(r, DER_CONTEXT_CONS(4)))
		return err_set(err, ERR_BAD_REQUEST, "%s: no directoryName", what);
	TRY(der_enter(r, DER_CONTEXT_CONS(4), what, &explicit, err));
	TRY(read_name(&explicit, what, out, err));
	return der_end(&explicit, what, err);
}

enum result cmc_get_cert_read(const struct cmc_control *control, struct cmc_get_cert *out,
			      struct err *err)
{
	struct cmc_get_cert got;
	struct der_reader r;

	TRY(enter_value(control, "getCert", &r, err));
	TRY(read_directory_name(&r, "getCert.issuerName", &got.issuer, err));
	TRY(der_read_integer(&r, "getCert.serialNumber", &got.serial, err));
	TRY(der_end(&r, "getCert", err));
	*out = got;
	return OK;
}

/* GetCRL ::= SEQUENCE { issuerName, cRLName, time, reasons OPTIONAL }, told apart by their tags */
enum result cmc_get_crl_read(const struct cmc_control *control, struct cmc_get_crl *out,
			     struct err *err)
{
	struct cmc_get_crl got = { .has_time = false };
	struct der_reader r;
	struct der_tlv tlv;

	TRY(enter_value(control, "getCRL", &r, err));
	TRY(read_name(&r, "getCRL.issuerName", &got.issuer, err));
	if (!der_at_end(&r) && !der_peek(&r, DER_GENERALIZED_TIME) &&
	    !der_peek(&r, DER_BIT_STRING)) {
		TRY(der_read_any(&r, "getCRL.cRLName", &tlv, err));
		got.is_partial = true;
	}
	if (der_peek(&r, DER_GENERALIZED_TIME)) {
		TRY(der_read_time(&r, "getCRL.time", &got.time, err));
		got.has_time = true;
	}
	if (der_peek(&r, DER_BIT_STRING)) {
		TRY(der_read_any(&r, "getCRL.reasons", &tlv, err));
		got.is_partial = true;
	}
	TRY(der_end(&r, "getCRL", err));
	*out = got;
	return OK;
}

static RESULT read_reason(struct der_reader *r, unsigned *out, struct err *err)
{
	struct der_tlv tlv;

	TRY(der_read(r, DER_ENUMERATED, "revokeRequest.reason", &tlv, err));
	if (tlv.content.len != 1 || tlv.content.p[0] > REASON_MAX)
		return err_set(err, ERR_SYNTAX, "RFC 5280 5.3.1: no CRLReason");
	*out = tlv.content.p[0];
	return OK;
}

static RESULT read_revoke_options(struct der_reader *r, struct cmc_revoke *out, struct err *err)
{
	struct der_tlv tlv;

	if (der_peek(r, DER_GENERALIZED_TIME))
		TRY(der_read_time(r, "revokeRequest.invalidityDate", &out->invalid_since, err));
	if (der_peek(r, DER_OCTET_STRING)) {
		TRY(der_read_any(r, "revokeRequest.passphrase", &tlv, err));
		out->has_secret = true;
	}
	if (der_peek(r, DER_UTF8_STRING)) {
		TRY(der_read_any(r, "revokeRequest.comment", &tlv, err));
		out->comment = tlv.content;
	}
	return der_end(r, "revokeRequest", err);
}

enum result cmc_revoke_read(const struct cmc_control *control, struct cmc_revoke *out,
			    struct err *err)
{
	struct cmc_revoke got = { .has_secret = false };
	struct der_reader r;

	TRY(enter_value(control, "revokeRequest", &r, err));
	TRY(read_name(&r, "revokeRequest.issuerName", &got.issuer, err));
	TRY(der_read_integer(&r, "revokeRequest.serialNumber", &got.serial, err));
	TRY(read_reason(&r, &got.reason, err));
	TRY(read_revoke_options(&r, &got, err));
	*out = got;
	return OK;
}
