/* SPDX-License-Identifier: Apache-2.0 */
#include "der/oid.h"
#include "der/reader.h"
#include "der/writer.h"
#include "pki/pubkey.h"

/* An RSA key without the NULL that RFC 3279 2.3.1 wants. *key: its subjectPublicKey. */
static bool lacks_null(struct span spki, struct span *key)
{
	static const char what[] = "SubjectPublicKeyInfo";
	struct der_reader r, alg;
	struct der_tlv bits;
	struct span oid;

	if (der_read_whole(spki, DER_SEQUENCE, what, &r, NULL) != OK ||
	    der_enter(&r, DER_SEQUENCE, what, &alg, NULL) != OK ||
	    der_read_oid(&alg, what, &oid, NULL) != OK || !der_at_end(&alg) ||
	    !span_eq(oid, OID_RSA_ENCRYPTION) ||
	    der_read(&r, DER_BIT_STRING, what, &bits, NULL) != OK)
		return false;
	*key = bits.whole;
	return true;
}

static void put_with_null(struct buf *out, struct span key)
{
	size_t info = der_open(out, DER_SEQUENCE), alg = der_open(out, DER_SEQUENCE);

	der_put_oid(out, OID_RSA_ENCRYPTION);
	der_put_null(out);
	der_close(out, alg);
	buf_put(out, key);
	der_close(out, info);
}

enum result pubkey_hash(struct crypto *c, struct span spki, uint8_t out[PUBKEY_HASH],
			struct err *err)
{
	uint8_t digest[DIGEST_MAX];
	struct span key;
	BUF whole = BUF_INIT;

	if (lacks_null(spki, &key)) {
		put_with_null(&whole, key);
		TRY(buf_check(&whole, err));
		spki = buf_span(&whole);
	}
	TRY(crypto_digest(c, DIGEST_SHA256, &spki, 1, digest, err));
	memcpy(out, digest, PUBKEY_HASH);
	return OK;
}
