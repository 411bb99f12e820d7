/* SPDX-License-Identifier: Apache-2.0 */
#include "est/key_package.h"

#include "der/oid.h"
#include "der/writer.h"
#include "pki/cms_enveloped.h"
#include "pki/pubkey.h"

#define NAME "AsymmetricDecryptKeyIdentifier"

bool est_key_package_is_wanted(const struct est_exchange *x)
{
	struct der_tlv value;

	return csr_attr(&x->csr, OID_ASYMM_DECRYPT_KEY_ID, NAME, &value, NULL) != ERR_NOT_FOUND ||
	       csr_attr(&x->csr, OID_DECRYPT_KEY_ID, NAME, &value, NULL) != ERR_NOT_FOUND;
}

/* ---- to whom ---- */

static bool is_named(const struct est_exchange *x, struct span id, struct span spki)
{
	uint8_t own[20];

	return cert_key_id(x->c, spki, own, NULL) == OK && span_eq(id, SPAN_ARRAY(own));
}

/* Keys that we know the device has: the one that it signs with, and that of its certificate. */
static RESULT find_key(const struct est_exchange *x, struct span *id, struct span *spki,
		       struct err *err)
{
	struct der_tlv value;
	enum result r = csr_attr(&x->csr, OID_ASYMM_DECRYPT_KEY_ID, NAME, &value, err);

	if (r == ERR_NOT_FOUND)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "RFC 7030 4.4.1.1: this server shares no symmetric key with devices");
	TRY(r);
	if (value.tag != DER_OCTET_STRING)
		return err_set(err, ERR_SYNTAX, "RFC 7030 4.4.1.2: " NAME " is no OCTET STRING");
	*id = value.content;
	if (is_named(x, *id, x->csr.spki))
		*spki = x->csr.spki;
	else if (x->has_client &&
		 (span_eq(*id, cert_ski(&x->client)) || is_named(x, *id, x->client.spki)))
		*spki = x->client.spki;
	else
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 7030 4.4.1.2: " NAME " names neither the request's key nor "
			       "that of the TLS client certificate");
	return OK;
}

/* ---- what ---- */

static RESULT put_package(struct span pkcs8, struct buf *out, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	buf_put(out, pkcs8);
	der_close(out, seq);
	return buf_check(out, err);
}

/* SignedData without its ContentInfo, which is what an envelope holds (RFC 5652 6.1). */
static RESULT unwrap(struct span info, struct span *out, struct err *err)
{
	struct der_reader r, explicit;
	struct span type;

	TRY(der_read_whole(info, DER_SEQUENCE, "ContentInfo", &r, err));
	TRY(der_read_oid(&r, "ContentInfo.contentType", &type, err));
	TRY(der_enter(&r, DER_CONTEXT_CONS(0), "ContentInfo.content", &explicit, err));
	*out = explicit.rest;
	return OK;
}

static RESULT sign_package(const struct est_exchange *x, struct span package, struct buf *out,
			   struct err *err)
{
	const struct ca_identity *signer = authority_ca_signer(x->ca);
	const struct span cert = buf_span(&signer->der);
	const struct cms_sign s = { .has_content = true,
				    .content = package,
				    .content_type = OID_KEY_PACKAGE,
				    .digest = DIGEST_SHA256,
				    .signer_cert = cert,
				    .certs = &cert,
				    .n_certs = 1 };

	return cms_sign(&s, signer->key, x->c, out, err);
}

enum result est_key_package_put(const struct est_exchange *x, struct span pkcs8, struct buf *out,
				struct err *err)
{
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;
	struct cms_envelop e = { .cipher = CIPHER_AES256_CBC, .content_type = OID_SIGNED_DATA };
	struct cms_holder to = { 0 };
	struct span spki = SPAN_NONE;
	BUF_SECRET package = BUF_INIT;
	BUF_SECRET signed_data = BUF_INIT;

	TRY(find_key(x, &to.ski, &spki, err));
	TRY(pubkey_new(&key, x->c, spki, err));
	if (pubkey_info(key)->kind != KEY_RSA)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 7030 4.4.1.2: " NAME " names a %s key; keys are encrypted to "
			       "RSA ones only",
			       key_kind_name(pubkey_info(key)->kind));
	TRY(put_package(pkcs8, &package, err));
	TRY(sign_package(x, buf_span(&package), &signed_data, err));
	TRY(unwrap(buf_span(&signed_data), &e.plain, err));
	to.key = key;
	return cms_envelop_to_holder(&e, x->c, &to, out, err);
}
