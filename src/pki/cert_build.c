/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"
#include "der/writer.h"
#include "pki/cert.h"

/* Room for what surrounds the spliced parts: headers, times, algorithm. */
#define OVERHEAD 128
#define SERIAL_SIZE 16

/* RFC 5280 4.1.2.2: positive, and its INTEGER takes 20 octets at most. */
static enum result check_serial(struct span serial, struct err *err)
{
	size_t octets;

	while (serial.len && serial.p[0] == 0)
		serial = span_sub(serial, 1, SIZE_MAX);
	if (serial.len == 0)
		return err_set(err, ERR_BAD_TEMPLATE, "RFC 5280 4.1.2.2: serialNumber is zero");
	octets = serial.len + (serial.p[0] >> 7);
	if (octets > 20)
		return err_set(err, ERR_BAD_TEMPLATE,
			       "RFC 5280 4.1.2.2: serialNumber takes %zu octets, at most 20",
			       octets);
	return OK;
}

static void put_version_3(struct buf *out)
{
	size_t mark = der_open(out, DER_CONTEXT_CONS(0));

	der_put_uint(out, 2);
	der_close(out, mark);
}

static void put_validity(struct buf *out, int64_t not_before, int64_t not_after)
{
	size_t mark = der_open(out, DER_SEQUENCE);

	der_put_time(out, not_before);
	der_put_time(out, not_after);
	der_close(out, mark);
}

static void put_exts(struct buf *out, struct span exts)
{
	size_t mark;

	if (exts.len == 0)
		return;
	mark = der_open(out, DER_CONTEXT_CONS(3));
	der_put_tlv(out, DER_SEQUENCE, exts);
	der_close(out, mark);
}

enum result cert_build_tbs(const struct cert_template *t, struct buf *out, struct err *err)
{
	size_t tbs;

	TRY(check_serial(t->serial, err));
	buf_reserve(out, OVERHEAD + t->issuer.len + t->subject.len + t->spki.len + t->exts.len);
	tbs = der_open(out, DER_SEQUENCE);
	put_version_3(out);
	der_put_magnitude(out, t->serial);
	alg_put_sig(out, t->sig_alg);
	buf_put(out, t->issuer);
	put_validity(out, t->not_before, t->not_after);
	buf_put(out, t->subject);
	buf_put(out, t->spki);
	put_exts(out, t->exts);
	der_close(out, tbs);
	return buf_check(out, err);
}

enum result cert_assemble(struct span tbs, struct sig_alg alg, struct span signature,
			  struct buf *out, struct err *err)
{
	size_t cert;

	buf_reserve(out, OVERHEAD + tbs.len + signature.len);
	cert = der_open(out, DER_SEQUENCE);
	buf_put(out, tbs);
	alg_put_sig(out, alg);
	der_put_bits(out, signature);
	der_close(out, cert);
	return buf_check(out, err);
}

enum result cert_issue(const struct cert_template *t, struct key *issuer, struct crypto *c,
		       struct buf *out, struct err *err)
{
	BUF tbs = BUF_INIT;
	BUF signature = BUF_INIT;

	TRY(cert_build_tbs(t, &tbs, err));
	TRY(key_sign(issuer, c, KEY_FOR_CERTIFICATE, t->sig_alg, buf_span(&tbs), &signature, err));
	return cert_assemble(buf_span(&tbs), t->sig_alg, buf_span(&signature), out, err);
}

/* Positive, and never short: the first octet is 0x40..0x7f. */
static enum result random_serial(uint8_t out[SERIAL_SIZE], struct err *err)
{
	TRY(random_fill(out, SERIAL_SIZE, err));
	out[0] = (uint8_t)((out[0] & 0x3f) | 0x40);
	return OK;
}

enum result cert_self_signed(const struct cert_self *t, struct key *key, struct crypto *c,
			     struct buf *out, struct err *err)
{
	uint32_t usage = KU_DIGITAL_SIGNATURE | (key->kind == KEY_RSA ? KU_KEY_ENCIPHERMENT : 0);
	uint8_t serial[SERIAL_SIZE];
	BUF exts = BUF_INIT;

	TRY(random_serial(serial, err));
	ext_put_key_usage(&exts, usage);
	TRY(buf_check(&exts, err));
	return cert_issue(
	    &(struct cert_template){
		.serial = SPAN_ARRAY(serial),
		.sig_alg = sig_alg_for(key->kind),
		.issuer = t->subject,
		.not_before = t->not_before,
		.not_after = t->not_after,
		.subject = t->subject,
		.spki = key_spki(key),
		.exts = buf_span(&exts),
	    },
	    key, c, out, err);
}
