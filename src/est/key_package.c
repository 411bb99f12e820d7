/* SPDX-License-Identifier: Apache-2.0 */
#include "est/key_package.h"

#include "der/oid.h"
#include "der/writer.h"
#include "est/key_recipient.h"

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

static RESULT envelop(struct est_exchange *x, const struct est_key_recipient *to, struct buf *out,
		      struct err *err)
{
	const struct cms_holder holder = { .key = to->key, .ski = to->id };
	const struct cms_kek kek = { to->id, secret_span(&to->shared) };

	return to->key ? cms_envelop_to_holder(&to->how, x->c, &holder, out, err)
		       : cms_envelop_to_kek(&to->how, x->c, &kek, out, err);
}

enum result est_key_package_put(struct est_exchange *x, struct span pkcs8, struct buf *out,
				struct err *err)
{
	CLEANUP(est_key_recipient_clear) struct est_key_recipient to = { 0 };
	BUF_SECRET package = BUF_INIT;
	BUF_SECRET signed_data = BUF_INIT;

	TRY(est_key_recipient_find(x, &to, err));
	TRY(put_package(pkcs8, &package, err));
	TRY(sign_package(x, buf_span(&package), &signed_data, err));
	to.how.content_type = OID_SIGNED_DATA;
	TRY(unwrap(buf_span(&signed_data), &to.how.plain, err));
	enrol_trace_add(&x->trace, "key encryption", true, "to the %s that the request names",
			to.key ? key_kind_name(pubkey_info(to.key)->kind) : "shared key");
	return envelop(x, &to, out, err);
}
