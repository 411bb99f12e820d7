/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/issue.h"

#include "base/clock.h"
#include "base/random.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/lint.h"
#include "pki/name.h"

enum result issue_serial(uint8_t out[ISSUE_SERIAL], struct err *err)
{
	uint8_t serial[ISSUE_SERIAL];
	uint64_t ms = clock_real_ms();
	size_t i;

	TRY(random_fill(serial, sizeof(serial), err));
	for (i = ISSUE_SERIAL_TIME; i--; ms >>= 8)
		serial[i] = (uint8_t)ms;
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	memcpy(out, serial, sizeof(serial));
	return OK;
}

enum result issue_subject(struct span ca_subject, const char *cn, struct buf *out, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE), set, attr;
	struct name_iter it;
	struct name_attr a;

	name_iter_init(&it, ca_subject);
	while (name_next(&it, &a))
		if (!span_eq(a.type, OID_CN))
			der_put_tlv(out, DER_SET, a.whole);
	set = der_open(out, DER_SET);
	attr = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_CN);
	der_put_tlv(out, DER_UTF8_STRING, span_str(cn));
	der_close(out, attr);
	der_close(out, set);
	der_close(out, seq);
	return buf_check(out, err);
}

enum result issue_certificate(const struct cert_template *t, struct key *issuer, struct crypto *c,
			      struct buf *out, struct err *err)
{
	BUF tbs = BUF_INIT;
	BUF signature = BUF_INIT;

	buf_reserve(&tbs, 512 + t->spki.len + t->exts.len);
	TRY(cert_build_tbs(t, &tbs, err));
	TRY(lint_tbs(buf_span(&tbs), err));
	TRY(key_sign(issuer, c, KEY_FOR_CERTIFICATE, t->sig_alg, buf_span(&tbs), &signature, err));
	return cert_assemble(buf_span(&tbs), t->sig_alg, buf_span(&signature), out, err);
}
