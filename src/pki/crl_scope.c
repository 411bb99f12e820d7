/* SPDX-License-Identifier: Apache-2.0 */
/* The extensions of a revocation list as a whole (RFC 5280 5.2). */
#include "der/oid.h"
#include "pki/crl.h"

static enum result read_number(struct span value, const char *what, uint64_t *out, struct err *err)
{
	struct der_reader r;

	der_reader_init(&r, value);
	TRY(der_read_uint(&r, what, UINT64_MAX, out, err));
	return der_end(&r, what, err);
}

static enum result read_crl_number(struct span value, struct crl_scope *s, struct err *err)
{
	s->has_number = true;
	return read_number(value, "cRLNumber", &s->number, err);
}

static enum result read_base(struct span value, struct crl_scope *s, struct err *err)
{
	s->is_delta = true;
	return read_number(value, "BaseCRLNumber", &s->base, err);
}

static enum result read_aki(struct span value, struct crl_scope *s, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	TRY(der_read_whole(value, DER_SEQUENCE, "authorityKeyIdentifier", &r, err));
	if (!der_peek(&r, DER_CONTEXT(0)))
		return OK;
	TRY(der_read_any(&r, "keyIdentifier", &tlv, err));
	s->aki = tlv.content;
	return OK;
}

/* distributionPoint [0]: the first URI of fullName [0] */
static enum result read_point(struct der_reader *idp, struct crl_scope *s, struct err *err)
{
	struct der_reader point, names;
	struct der_tlv tlv;

	TRY(der_enter(idp, DER_CONTEXT_CONS(0), "distributionPoint", &point, err));
	if (!der_peek(&point, DER_CONTEXT_CONS(0)))
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5280 5.2.5: a distributionPoint without fullName");
	TRY(der_enter(&point, DER_CONTEXT_CONS(0), "fullName", &names, err));
	while (!der_at_end(&names) && !s->point.len) {
		TRY(der_read_any(&names, "GeneralName", &tlv, err));
		if (tlv.tag == DER_CONTEXT(6))
			s->point = tlv.content;
	}
	return der_end(&point, "distributionPoint", err);
}

static enum result read_flag(const struct der_tlv *tlv, struct crl_scope *s, struct err *err)
{
	struct {
		uint8_t tag;
		bool *at;
	} flags[] = {
		{ DER_CONTEXT(1), &s->only_user },
		{ DER_CONTEXT(2), &s->only_ca },
		{ DER_CONTEXT(4), &s->indirect },
		{ DER_CONTEXT(5), &s->only_attribute },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(flags); i++)
		if (tlv->tag == flags[i].tag && tlv->content.len == 1) {
			*flags[i].at = tlv->content.p[0] != 0;
			return OK;
		}
	/* onlySomeReasons [3]: nobody has lists of some reasons only */
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 5280 5.2.5: issuingDistributionPoint has a field [%u] that is not read",
		       tlv->tag & 0x1fu);
}

static enum result read_idp(struct span value, struct crl_scope *s, struct err *err)
{
	struct der_reader r;
	struct der_tlv tlv;

	TRY(der_read_whole(value, DER_SEQUENCE, "issuingDistributionPoint", &r, err));
	if (der_peek(&r, DER_CONTEXT_CONS(0)))
		TRY(read_point(&r, s, err));
	while (!der_at_end(&r)) {
		TRY(der_read_any(&r, "issuingDistributionPoint", &tlv, err));
		TRY(read_flag(&tlv, s, err));
	}
	return OK;
}

static const struct {
	const struct span *oid;
	enum result (*read)(struct span value, struct crl_scope *s, struct err *err);
} readers[] = {
	{ &OID_CRL_NUMBER, read_crl_number },
	{ &OID_DELTA_CRL_INDICATOR, read_base },
	{ &OID_AUTHORITY_KEY_ID, read_aki },
	{ &OID_ISSUING_DISTRIBUTION_POINT, read_idp },
};

static enum result read_ext(const struct ext *ext, struct crl_scope *s, struct err *err)
{
	BUF text = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(readers); i++)
		if (span_eq(ext->oid, *readers[i].oid))
			return readers[i].read(ext->value, s, err);
	if (!ext->critical)
		return OK;
	oid_put_text(&text, ext->oid);
	return err_set(err, ERR_BAD_REQUEST, "RFC 5280 5.2: critical extension %s is unknown",
		       text.len ? buf_cstr(&text) : "");
}

enum result crl_read_scope(const struct crl *crl, struct crl_scope *out, struct err *err)
{
	struct crl_scope got = { 0 };
	struct der_reader list;
	struct ext ext;

	der_reader_init(&list, crl->exts);
	while (ext_next(&list, &ext))
		TRY(read_ext(&ext, &got, err));
	*out = got;
	return OK;
}
