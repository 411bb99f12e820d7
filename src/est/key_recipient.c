/* SPDX-License-Identifier: Apache-2.0 */
#include "est/key_recipient.h"

#include "der/oid.h"
#include "est/shared_keys.h"
#include "pki/pubkey.h"
#include "pki/smime_caps.h"

#define NAME "AsymmetricDecryptKeyIdentifier"
#define SHARED "DecryptKeyIdentifier"
#define CAPS "SMIMECapabilities"

void est_key_recipient_clear(struct est_key_recipient *to)
{
	pubkey_free(to->key);
	secret_clear(&to->shared);
	*to = (struct est_key_recipient){ 0 };
}

static bool has(const struct est_exchange *x, struct span type)
{
	struct der_tlv value;

	return csr_attr(&x->csr, type, "attribute", &value, NULL) != ERR_NOT_FOUND;
}

bool est_key_recipient_is_named(const struct est_exchange *x)
{
	return has(x, OID_ASYMM_DECRYPT_KEY_ID) || has(x, OID_DECRYPT_KEY_ID);
}

static RESULT read_id(const struct est_exchange *x, struct span type, const char *name,
		      struct span *out, struct err *err)
{
	struct der_tlv value;

	TRY(csr_attr(&x->csr, type, name, &value, err));
	if (value.tag != DER_OCTET_STRING)
		return err_set(err, ERR_SYNTAX, "RFC 7030 4.4.1: %s is no OCTET STRING", name);
	*out = value.content;
	return OK;
}

/* ---- what the device can decrypt ---- */

/* Who does not say is taken to know what is usual. */
static RESULT read_caps(const struct est_exchange *x, struct smime_caps *out, struct err *err)
{
	static const struct smime_caps usual = {
		.has_transport = true,
		.wraps = 1u << WRAP_AES128 | 1u << WRAP_AES192 | 1u << WRAP_AES256,
	};
	struct der_tlv value;
	enum result r = csr_attr(&x->csr, OID_SMIME_CAPABILITIES, CAPS, &value, err);

	if (r == OK)
		return err_prefix(err, smime_caps_read(value.whole, out, err), "RFC 7030 4.4.1");
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(err);
	*out = usual;
	return OK;
}

static RESULT no_way(const struct pubkey *key, const char *wanted, struct err *err)
{
	return err_set(err, ERR_BAD_ALG,
		       "RFC 7030 4.4.1: " CAPS " has nothing to encrypt to %s with: %s",
		       key ? key_kind_name(pubkey_info(key)->kind) : "the shared key", wanted);
}

static RESULT choose(struct est_key_recipient *to, const struct smime_caps *caps, struct err *err)
{
	enum wrap_alg shared = wrap_alg_for(secret_span(&to->shared).len);

	to->how.cipher = caps->cipher ? caps->cipher : CIPHER_AES256_CBC;
	if (!to->key)
		return caps->wraps & 1u << shared
			   ? OK
			   : no_way(NULL, "AES key wrap of its size (RFC 3565)", err);
	if (pubkey_info(to->key)->kind == KEY_RSA) {
		to->how.transport = caps->transport;
		return caps->has_transport ? OK
					   : no_way(to->key, "rsaEncryption or RSAES-OAEP", err);
	}
	to->how.wrap = smime_caps_wrap(caps);
	return to->how.wrap
		   ? OK
		   : no_way(to->key, "dhSinglePass-stdDH-sha256kdf with AES key wrap", err);
}

/* ---- a public key ---- */

static bool is_named(const struct est_exchange *x, struct span id, struct span spki)
{
	uint8_t own[20];

	return cert_key_id(x->c, spki, own, NULL) == OK && span_eq(id, SPAN_ARRAY(own));
}

/* RFC 7030 4.4.1.2: a certificate's key must be for that, or for anything. */
static RESULT check_usage(const struct cert *cert, struct err *err)
{
	struct pubkey_info info;
	struct ext usage = { 0 };
	uint32_t bits = 0, needed;

	TRY(pubkey_inspect(cert->spki, &info, err));
	if (ext_find(cert->exts, OID_KEY_USAGE, &usage, NULL) != OK)
		return OK;
	TRY(ext_read_key_usage(usage.value, &bits, err));
	needed = info.kind == KEY_RSA ? KU_KEY_ENCIPHERMENT : KU_KEY_AGREEMENT;
	if (bits & needed)
		return OK;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 7030 4.4.1.2: " NAME " names the key of a certificate whose keyUsage "
		       "is without %s",
		       info.kind == KEY_RSA ? "keyEncipherment" : "keyAgreement");
}

/* Keys that we know the device has: the one that it signs with, and that of its certificate. */
static RESULT find_spki(const struct est_exchange *x, struct span id, struct span *out,
			struct err *err)
{
	*out = x->csr.spki;
	if (is_named(x, id, x->csr.spki))
		return OK;
	*out = x->client.spki;
	if (x->has_client && (span_eq(id, cert_ski(&x->client)) || is_named(x, id, x->client.spki)))
		return check_usage(&x->client, err);
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 7030 4.4.1.2: " NAME " names neither the request's key nor that of the "
		       "TLS client certificate");
}

static RESULT find_public(const struct est_exchange *x, struct est_key_recipient *to,
			  struct err *err)
{
	struct span spki = SPAN_NONE;
	enum key_kind kind;

	TRY(read_id(x, OID_ASYMM_DECRYPT_KEY_ID, NAME, &to->id, err));
	TRY(find_spki(x, to->id, &spki, err));
	TRY(pubkey_new(&to->key, x->c, spki, err));
	kind = pubkey_info(to->key)->kind;
	if (kind == KEY_RSA || key_kind_is_ec(kind))
		return OK;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 7030 4.4.1.2: " NAME " names a %s key, to which nothing can be "
		       "encrypted",
		       key_kind_name(kind));
}

/* ---- a shared key ---- */

static RESULT find_shared(const struct est_exchange *x, struct est_key_recipient *to,
			  struct err *err)
{
	const char *file = x->endpoint->shared_keys;
	enum result r;

	TRY(read_id(x, OID_DECRYPT_KEY_ID, SHARED, &to->id, err));
	if (!file)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 7030 4.4.1.1: endpoint \"%s\" shares no keys with devices",
			       x->endpoint->name);
	r = est_shared_keys_find(file, to->id, x->csr.subject, &to->shared, err);
	if (r != ERR_NOT_FOUND)
		return r;
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 7030 4.4.1.1: " SHARED " names no key that is shared for this subject");
}

static RESULT find(const struct est_exchange *x, struct est_key_recipient *to, struct err *err)
{
	struct smime_caps caps;

	if (!has(x, OID_ASYMM_DECRYPT_KEY_ID))
		TRY(find_shared(x, to, err));
	else if (!has(x, OID_DECRYPT_KEY_ID))
		TRY(find_public(x, to, err));
	else
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 7030 4.4.1: " NAME " and " SHARED " exclude each other");
	TRY(read_caps(x, &caps, err));
	return choose(to, &caps, err);
}

enum result est_key_recipient_find(const struct est_exchange *x, struct est_key_recipient *out,
				   struct err *err)
{
	CLEANUP(est_key_recipient_clear) struct est_key_recipient to = { 0 };

	TRY(find(x, &to, err));
	*out = to;
	to = (struct est_key_recipient){ 0 };
	return OK;
}
