/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"
#include "der/writer.h"
#include "pki/cert.h"
#include "pki/crl.h"

static void put_ext_number(struct buf *out, struct span oid, bool critical, uint64_t n)
{
	BUF value = BUF_INIT;

	der_put_uint(&value, n);
	out->failed |= value.failed;
	ext_put(out, oid, critical, buf_span(&value));
}

static void put_reason(struct buf *out, enum crl_reason reason)
{
	uint8_t value[] = { DER_ENUMERATED, 1, (uint8_t)reason };

	ext_put(out, OID_CRL_REASON, false, SPAN_ARRAY(value));
}

static void put_invalidity(struct buf *out, int64_t t)
{
	BUF value = BUF_INIT;

	der_put_generalized_time(&value, t);
	out->failed |= value.failed;
	ext_put(out, OID_INVALIDITY_DATE, false, buf_span(&value));
}

/* RFC 5280 5.3.1: unspecified is said by leaving the reason out. */
void crl_put_entry(struct buf *out, const struct crl_entry *entry)
{
	size_t seq = der_open(out, DER_SEQUENCE), exts;

	der_put_tlv(out, DER_INTEGER, entry->serial);
	der_put_time(out, entry->revoked);
	if (entry->reason != CRL_UNSPECIFIED || entry->invalid_since) {
		exts = der_open(out, DER_SEQUENCE);
		if (entry->reason != CRL_UNSPECIFIED)
			put_reason(out, entry->reason);
		if (entry->invalid_since)
			put_invalidity(out, entry->invalid_since);
		der_close(out, exts);
	}
	der_close(out, seq);
}

/* DistributionPointName { fullName [0] { URI [6] } } under [0] */
static void put_point_name(struct buf *out, const char *url)
{
	size_t point = der_open(out, DER_CONTEXT_CONS(0));
	size_t full_name = der_open(out, DER_CONTEXT_CONS(0));

	der_put_tlv(out, DER_CONTEXT(6), span_str(url));
	der_close(out, full_name);
	der_close(out, point);
}

static void put_idp(struct buf *out, const char *url)
{
	BUF value = BUF_INIT;
	size_t seq = der_open(&value, DER_SEQUENCE);

	put_point_name(&value, url);
	der_close(&value, seq);
	out->failed |= value.failed;
	ext_put(out, OID_ISSUING_DISTRIBUTION_POINT, true, buf_span(&value));
}

static void put_freshest(struct buf *out, const char *url)
{
	BUF value = BUF_INIT;
	size_t list = der_open(&value, DER_SEQUENCE), point = der_open(&value, DER_SEQUENCE);

	put_point_name(&value, url);
	der_close(&value, point);
	der_close(&value, list);
	out->failed |= value.failed;
	ext_put(out, OID_FRESHEST_CRL, false, buf_span(&value));
}

static void put_exts(struct buf *out, const struct crl_template *t)
{
	size_t tag = der_open(out, DER_CONTEXT_CONS(0)), list = der_open(out, DER_SEQUENCE);

	ext_put_aki(out, t->aki);
	put_ext_number(out, OID_CRL_NUMBER, false, t->number);
	if (t->is_delta)
		put_ext_number(out, OID_DELTA_CRL_INDICATOR, true, t->base);
	if (t->point)
		put_idp(out, t->point);
	if (t->delta)
		put_freshest(out, t->delta);
	der_close(out, list);
	der_close(out, tag);
}

/* Where there are no entries the list of them must not be there either (RFC 5280 5.1.2.6). */
static void put_body(const struct crl_template *t, size_t entries_len, struct buf *out)
{
	der_put_uint(out, 1);
	alg_put_sig(out, t->sig_alg);
	buf_put(out, t->issuer);
	der_put_time(out, t->this_update);
	der_put_time(out, t->next_update);
	if (entries_len)
		der_put_header(out, DER_SEQUENCE, entries_len);
}

enum result crl_put_frame(const struct crl_template *t, size_t entries_len, struct buf *head,
			  struct buf *tail, struct err *err)
{
	BUF body = BUF_INIT;
	BUF exts = BUF_INIT;

	put_body(t, entries_len, &body);
	put_exts(&exts, t);
	TRY(buf_check(&body, err));
	TRY(buf_check(&exts, err));
	der_put_header(head, DER_SEQUENCE, body.len + entries_len + exts.len);
	buf_put(head, buf_span(&body));
	buf_put(tail, buf_span(&exts));
	TRY(buf_check(head, err));
	return buf_check(tail, err);
}

enum result crl_put_shell(size_t tbs_len, struct sig_alg alg, struct span signature,
			  struct buf *before, struct buf *behind, struct err *err)
{
	size_t start = behind->len;

	alg_put_sig(behind, alg);
	der_put_bits(behind, signature);
	TRY(buf_check(behind, err));
	der_put_header(before, DER_SEQUENCE, tbs_len + behind->len - start);
	return buf_check(before, err);
}

enum result crl_issue(const struct crl_template *t, struct span entries, struct key *issuer,
		      struct crypto *c, struct buf *out, struct err *err)
{
	BUF tbs = BUF_INIT;
	BUF tail = BUF_INIT;
	BUF signature = BUF_INIT;

	TRY(crl_put_frame(t, entries.len, &tbs, &tail, err));
	buf_put(&tbs, entries);
	buf_put(&tbs, buf_span(&tail));
	TRY(buf_check(&tbs, err));
	TRY(key_sign(issuer, c, KEY_FOR_CRL, t->sig_alg, buf_span(&tbs), &signature, err));
	return cert_assemble(buf_span(&tbs), t->sig_alg, buf_span(&signature), out, err);
}
