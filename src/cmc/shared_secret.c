/* SPDX-License-Identifier: Apache-2.0 */
#include "cmc/shared_secret.h"

#include "der/oid.h"
#include "der/writer.h"

static RESULT read_mac(struct der_reader *r, const char *what, enum digest_alg *out,
		       struct err *err)
{
	static const struct {
		const struct span *oid;
		enum digest_alg digest;
	} macs[] = { { &OID_HMAC_SHA256, DIGEST_SHA256 },
		     { &OID_HMAC_SHA384, DIGEST_SHA384 },
		     { &OID_HMAC_SHA512, DIGEST_SHA512 },
		     { &OID_HMAC_SHA1, DIGEST_SHA1 },
		     { &OID_IPSEC_HMAC_SHA1, DIGEST_SHA1 } };
	struct der_reader seq;
	struct span oid;
	BUF text = BUF_INIT;
	size_t i;

	TRY(der_enter(r, DER_SEQUENCE, what, &seq, err));
	TRY(der_read_oid(&seq, what, &oid, err));
	for (i = 0; i < ARRAY_LEN(macs); i++)
		if (span_eq(oid, *macs[i].oid)) {
			*out = macs[i].digest;
			return OK;
		}
	oid_put_text(&text, oid);
	return err_set(err, ERR_BAD_ALG, "%s: unknown MAC algorithm %.64s", what, buf_cstr(&text));
}

enum result cmc_witness_read_v2(struct span der, const char *what, struct cmc_witness *out,
				struct err *err)
{
	struct cmc_witness got;
	struct der_reader r;
	struct der_tlv value;

	TRY(der_read_whole(der, DER_SEQUENCE, what, &r, err));
	TRY(alg_read_digest(&r, what, &got.hash, err));
	TRY(read_mac(&r, what, &got.mac, err));
	TRY(der_read(&r, DER_OCTET_STRING, what, &value, err));
	TRY(der_end(&r, what, err));
	got.value = value.content;
	*out = got;
	return OK;
}

enum result cmc_witness_read_v1(struct span der, const char *what, struct cmc_witness *out,
				struct err *err)
{
	struct der_reader r;
	struct der_tlv value;

	der_reader_init(&r, der);
	TRY(der_read(&r, DER_OCTET_STRING, what, &value, err));
	TRY(der_end(&r, what, err));
	*out = (struct cmc_witness){ DIGEST_SHA1, DIGEST_SHA1, value.content };
	return OK;
}

/* Key and HMAC of RFC 5272 6.2.1 and 6.3.1.1; mac: DIGEST_MAX octets. */
static RESULT make(const struct cmc_witness *w, struct crypto *c,
		   const struct cmc_shared_secret *secret, struct span message, uint8_t *mac,
		   struct err *err)
{
	const struct span parts[] = { secret->secret, secret->identification };
	uint8_t key[DIGEST_MAX];
	enum result r;

	TRY(crypto_digest(c, w->hash, parts, ARRAY_LEN(parts), key, err));
	r = crypto_hmac(c, w->mac, span_of(key, digest_size(w->hash)), message, mac, err);
	explicit_bzero(key, sizeof(key));
	return r;
}

enum result cmc_witness_check(const struct cmc_witness *w, struct crypto *c,
			      const struct cmc_shared_secret *secret, struct span message,
			      struct err *err)
{
	uint8_t mac[DIGEST_MAX];

	TRY(make(w, c, secret, message, mac, err));
	if (span_eq_secret(w->value, span_of(mac, digest_size(w->mac))))
		return OK;
	return err_set(err, ERR_BAD_CHECK,
		       "the HMAC with %s is another than that of the secret that is shown",
		       digest_name(w->mac));
}

enum result cmc_witness_put_v2(struct buf *out, struct crypto *c,
			       const struct cmc_shared_secret *secret, struct span message,
			       struct err *err)
{
	const struct cmc_witness w = { .hash = DIGEST_SHA256, .mac = DIGEST_SHA256 };
	uint8_t mac[DIGEST_MAX];
	size_t seq, alg;

	TRY(make(&w, c, secret, message, mac, err));
	seq = der_open(out, DER_SEQUENCE);
	alg_put_digest(out, w.hash);
	alg = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_HMAC_SHA256);
	der_put_null(out);
	der_close(out, alg);
	der_put_octets(out, span_of(mac, digest_size(w.mac)));
	der_close(out, seq);
	return buf_check(out, err);
}
