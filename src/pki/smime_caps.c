/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/smime_caps.h"

#include "der/oid.h"
#include "der/writer.h"

static const char what[] = "SMIMECapabilities";

/* Ours, the strongest first. */
static const enum cipher_alg ciphers[] = { CIPHER_AES256_CBC, CIPHER_AES192_CBC,
					   CIPHER_AES128_CBC };
static const enum wrap_alg wraps[] = { WRAP_AES256, WRAP_AES192, WRAP_AES128 };

/* Each is an AlgorithmIdentifier but for the IV, which a cipher has nothing of here. */
static void read_cipher(struct span oid, struct smime_caps *out)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(ciphers); i++)
		if (span_eq(oid, cipher_oid(ciphers[i])) &&
		    cipher_key_size(ciphers[i]) > cipher_key_size(out->cipher))
			out->cipher = ciphers[i];
}

/* Alone, or behind the key agreement that it goes with. */
static void read_wrap(struct der_reader *capability, struct span whole, struct span oid,
		      struct smime_caps *out)
{
	enum wrap_alg wrap = WRAP_NONE;
	struct der_reader alone;

	der_reader_init(&alone, whole);
	if (span_eq(oid, OID_ECDH_SHA256_KDF)) {
		if (wrap_alg_read(capability, what, &wrap, NULL) != OK)
			return;
	} else if (wrap_alg_read(&alone, what, &wrap, NULL) != OK) {
		return;
	}
	out->wraps |= 1u << wrap;
}

static void read_transport(struct span whole, struct smime_caps *out)
{
	struct der_reader r;

	der_reader_init(&r, whole);
	if (!out->has_transport)
		out->has_transport = alg_read_transport(&r, what, &out->transport, NULL) == OK;
}

enum result smime_caps_read(struct span value, struct smime_caps *out, struct err *err)
{
	struct der_reader list, capability;
	struct smime_caps got = { 0 };
	struct der_tlv tlv;
	struct span oid;

	TRY(der_read_whole(value, DER_SEQUENCE, what, &list, err));
	while (!der_at_end(&list)) {
		TRY(der_read(&list, DER_SEQUENCE, what, &tlv, err));
		der_reader_init(&capability, tlv.content);
		TRY(der_read_oid(&capability, what, &oid, err));
		read_cipher(oid, &got);
		read_wrap(&capability, tlv.whole, oid, &got);
		read_transport(tlv.whole, &got);
	}
	*out = got;
	return OK;
}

enum wrap_alg smime_caps_wrap(const struct smime_caps *caps)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(wraps); i++)
		if (caps->wraps & 1u << wraps[i])
			return wraps[i];
	return WRAP_NONE;
}

static void put_agreement(struct buf *out, enum wrap_alg wrap)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, OID_ECDH_SHA256_KDF);
	wrap_alg_put(out, wrap);
	der_close(out, seq);
}

static void put_cipher(struct buf *out, enum cipher_alg cipher)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, cipher_oid(cipher));
	der_close(out, seq);
}

void smime_caps_put(struct buf *out)
{
	static const struct transport_alg transports[] = {
		{ true, DIGEST_SHA256, DIGEST_SHA256 },
		{ false, DIGEST_NONE, DIGEST_NONE },
	};
	size_t list = der_open(out, DER_SEQUENCE), i;

	for (i = 0; i < ARRAY_LEN(transports); i++)
		alg_put_transport(out, &transports[i]);
	for (i = 0; i < ARRAY_LEN(wraps); i++) {
		put_agreement(out, wraps[i]);
		wrap_alg_put(out, wraps[i]);
	}
	for (i = 0; i < ARRAY_LEN(ciphers); i++)
		put_cipher(out, ciphers[i]);
	der_close(out, list);
}
