/* SPDX-License-Identifier: Apache-2.0 */
#include "client/device_est_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "der/oid.h"
#include "der/writer.h"
#include "est/key_reply.h"
#include "pki/cms_enveloped.h"
#include "pki/cms_signed.h"
#include "pki/key_evp.h"
#include "pki/smime_caps.h"

/* ---- asked for ---- */

/* key signs the request, tells the type of what is made, and may be what opens the answer. */
static RESULT want(struct device *d, const char *path, struct key *key, struct err *err)
{
	char *copy = strdup(path);

	if (!copy) {
		key_free(key);
		return err_nomem(err);
	}
	free(d->server_key);
	d->server_key = copy;
	device_take_key(d, key);
	return OK;
}

static RESULT check(const struct device *d, const char *path, struct err *err)
{
	if (d->protocol != &device_est)
		return err_set(err, ERR_USAGE, "only EST servers make keys for devices");
	if (file_exists(path))
		return err_set(err, ERR_USAGE,
			       "%s is there already: the server's key would be lost", path);
	return OK;
}

enum result device_want_server_key(struct device *d, const char *path, const char *type,
				   struct err *err)
{
	struct key *key = NULL;
	struct key_spec spec;

	TRY(check(d, path, err));
	TRY(key_spec_parse(type, &spec, err));
	TRY(key_evp_generate(&key, d->c, spec, err));
	d->key_encrypted = false;
	return want(d, path, key, err);
}

enum result device_want_encrypted_key(struct device *d, const char *path, const char *decrypt_path,
				      struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;

	TRY(check(d, path, err));
	TRY(key_evp_load(&key, d->c, decrypt_path, NULL, err));
	if (key->kind != KEY_RSA && !key_kind_is_ec(key->kind))
		return err_set(err, ERR_USAGE, "%s: a %s key decrypts nothing; take RSA or EC",
			       decrypt_path, key_kind_name(key->kind));
	d->key_encrypted = true;
	return want(d, path, take(key), err);
}

static void put_attr(struct buf *out, struct span type, struct span value)
{
	size_t attr = der_open(out, DER_SEQUENCE), set;

	der_put_oid(out, type);
	set = der_open(out, DER_SET);
	buf_put(out, value);
	der_close(out, set);
	der_close(out, attr);
}

enum result device_est_key_put_attrs(const struct device *d, struct buf *out, struct err *err)
{
	uint8_t id[20];
	BUF named = BUF_INIT;
	BUF caps = BUF_INIT;

	if (!d->server_key || !d->key_encrypted)
		return OK;
	TRY(cert_key_id(d->c, key_spki(d->key), id, err));
	der_put_octets(&named, SPAN_ARRAY(id));
	smime_caps_put(&caps);
	TRY(buf_check(&named, err));
	TRY(buf_check(&caps, err));
	put_attr(out, OID_ASYMM_DECRYPT_KEY_ID, buf_span(&named));
	put_attr(out, OID_SMIME_CAPABILITIES, buf_span(&caps));
	return buf_check(out, err);
}

/* ---- opened ---- */

static RESULT find_content_key(const struct device *d, const struct cms_enveloped *e,
			       struct secret *out, struct err *err)
{
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		const struct cms_recipient *r = &e->recipients[i];

		if (r->kind == CMS_RECIPIENT_KEY_AGREEMENT && key_kind_is_ec(d->key->kind))
			return cms_kari_unwrap(r, d->c, d->key, out, err);
		if (r->kind == CMS_RECIPIENT_KEY_TRANSPORT && d->key->kind == KEY_RSA &&
		    r->transport_known)
			return key_decrypt(d->key, d->c, &r->transport, r->encrypted_key, out, err);
	}
	return err_set(err, ERR_BAD_ALG,
		       "RFC 7030 4.4.2: the envelope is not for our %s key, or encrypted in a way "
		       "that is unknown here",
		       key_kind_name(d->key->kind));
}

static RESULT open_envelope(const struct device *d, struct span der, struct buf *plain,
			    struct err *err)
{
	CLEANUP(cms_enveloped_clear) struct cms_enveloped e = { .n_recipients = 0 };
	SECRET content_key = SECRET_INIT;

	TRY(cms_enveloped_parse(der, &e, err));
	TRY(find_content_key(d, &e, &content_key, err));
	return cms_enveloped_open(&e, d->c, secret_span(&content_key), plain, err);
}

/* An envelope holds a SignedData without the ContentInfo around it (RFC 5652 6.1). */
static RESULT put_content_info(struct span signed_data, struct buf *out, struct err *err)
{
	size_t info = der_open(out, DER_SEQUENCE), explicit;

	der_put_oid(out, OID_SIGNED_DATA);
	explicit = der_open(out, DER_CONTEXT_CONS(0));
	buf_put(out, signed_data);
	der_close(out, explicit);
	der_close(out, info);
	return buf_check(out, err);
}

/* AsymmetricKeyPackage ::= SEQUENCE SIZE (1..MAX) OF OneAsymmetricKey (RFC 5958 2) */
static RESULT put_first_key(struct span package, struct buf *out, struct err *err)
{
	struct der_reader keys;
	struct der_tlv key;

	TRY(der_read_whole(package, DER_SEQUENCE, "AsymmetricKeyPackage", &keys, err));
	TRY(der_read(&keys, DER_SEQUENCE, "OneAsymmetricKey", &key, err));
	buf_put(out, key.whole);
	return buf_check(out, err);
}

static RESULT open_package(const struct device *d, struct span der, struct buf *pkcs8,
			   struct err *err)
{
	BUF_SECRET plain = BUF_INIT;
	BUF_SECRET info = BUF_INIT;
	struct cms_signed sd;

	TRY(open_envelope(d, der, &plain, err));
	TRY(put_content_info(buf_span(&plain), &info, err));
	TRY(cms_signed_parse(buf_span(&info), &sd, err));
	TRY(device_check_signer(d, &sd, "RFC 7030 4.4.2: the key", err));
	return put_first_key(sd.content, pkcs8, err);
}

static RESULT get_key(const struct device *d, struct span body, struct buf *pkcs8,
		      struct buf *certs, struct err *err)
{
	BUF_SECRET part = BUF_INIT;
	bool encrypted = false;

	TRY(est_key_reply_parse(body, &encrypted, &part, certs, err));
	if (encrypted != d->key_encrypted)
		return err_set(err, ERR_BAD_ALG, "RFC 7030 4.4.2: the key came %s",
			       encrypted ? "encrypted, which was not asked for"
					 : "under TLS alone, though it was asked for encrypted");
	if (encrypted)
		return err_prefix(err, open_package(d, buf_span(&part), pkcs8, err),
				  "the server's key");
	buf_put(pkcs8, buf_span(&part));
	return buf_check(pkcs8, err);
}

enum result device_est_key_take(struct device *d, struct span body, struct buf *certs,
				struct err *err)
{
	BUF_SECRET pkcs8 = BUF_INIT;
	BUF_SECRET pem = BUF_INIT;
	struct key *key;

	TRY(get_key(d, body, &pkcs8, certs, err));
	TRY(key_evp_from_bytes(&key, d->c, buf_span(&pkcs8), NULL, err));
	device_take_key(d, key);
	TRY(key_evp_export(key, NULL, &pem, err));
	return file_write_atomic(d->server_key, 0600, buf_span(&pem), err);
}
