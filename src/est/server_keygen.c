/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serverkeygen (RFC 7030 4.4): a key of the kind and size of the request's own is made in this
 * thread, certified, sent and forgotten. Asked again, another one is made.
 */
#include "est/key_package.h"
#include "est/key_recipient.h"
#include "est/key_reply.h"
#include "pki/key_evp.h"
#include "pki/pem.h"

/* RSA sizes that are made; a request's key of another size gets the next one. */
static unsigned rsa_bits(unsigned asked)
{
	return asked <= 2048 ? 2048 : asked <= 3072 ? 3072 : 4096;
}

static RESULT make_key(struct est_exchange *x, struct key **out, struct err *err)
{
	struct pubkey_info info;
	struct key_spec spec;

	TRY(pubkey_inspect(x->csr.spki, &info, err));
	spec.kind = info.kind;
	spec.bits = info.kind == KEY_RSA ? rsa_bits(info.bits) : info.bits;
	TRY(key_evp_generate(out, x->c, spec, err));
	enrol_trace_add(&x->trace, "key", true, "%u bit %s, made here for the device", spec.bits,
			key_kind_name(spec.kind));
	return OK;
}

static RESULT put_pkcs8(struct key *key, struct buf *out, struct err *err)
{
	BUF_SECRET pem = BUF_INIT;
	struct span text;

	TRY(key_evp_export(key, NULL, &pem, err));
	text = buf_span(&pem);
	return pem_next(&text, "PRIVATE KEY", out, err);
}

/* Before anything is decided: how will it go out? */
static RESULT put_key(struct est_exchange *x, struct key *key, struct est_key_reply *reply,
		      struct buf *out, struct err *err)
{
	BUF_SECRET pkcs8 = BUF_INIT;

	reply->encrypted = est_key_recipient_is_named(x);
	if (!reply->encrypted && x->endpoint->server_keys != EST_KEYS_PLAIN)
		return err_set(
		    err, ERR_BAD_REQUEST,
		    "RFC 7030 4.4.1: endpoint \"%s\" sends keys encrypted only, and the request "
		    "has neither AsymmetricDecryptKeyIdentifier nor DecryptKeyIdentifier",
		    x->endpoint->name);
	TRY(put_pkcs8(key, &pkcs8, err));
	if (!reply->encrypted)
		buf_put(out, buf_span(&pkcs8));
	else
		TRY(est_key_package_put(x, buf_span(&pkcs8), out, err));
	reply->key = buf_span(out);
	return buf_check(out, err);
}

static RESULT send_both(const struct est_exchange *x, struct est_key_reply *parts, struct span cert,
			struct http_reply *reply, struct err *err)
{
	BUF certs = BUF_INIT;
	BUF_SECRET body = BUF_INIT;

	TRY(cms_put_degenerate(&certs, &cert, 1, NULL, 0, err));
	parts->cert = buf_span(&certs);
	est_key_reply_put(&body, parts);
	TRY(buf_check(&body, err));
	log_info(&x->log, "server-generated key sent",
		 LOG_STR("encrypted", parts->encrypted ? "yes" : "no"));
	reply->status = 200;
	reply->content_type = EST_TYPE_KEY_REPLY;
	http_reply_header(reply, "Cache-Control", "no-store");
	reply->body = buf_take(&body);
	return OK;
}

static RESULT serve(struct est_exchange *x, struct enrol_outcome *outcome, struct http_reply *reply,
		    struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	struct est_key_reply parts = { 0 };
	BUF_SECRET sent = BUF_INIT;

	/* an RSA key takes seconds to make: for nobody who may not have it */
	TRY(est_enrol_may(x, err));
	TRY(make_key(x, &key, err));
	TRY(put_key(x, key, &parts, &sent, err));
	x->spki = key_spki(key);
	TRY(est_enrol(x, outcome, err));
	if (outcome->status == ENROL_ISSUED)
		return send_both(x, &parts, buf_span(&outcome->cert), reply, err);
	est_reply_outcome(x, outcome, reply);
	return OK;
}

void est_serverkeygen(struct est_exchange *x, struct http_reply *reply)
{
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	struct err err = { 0 };

	if (x->endpoint->server_keys == EST_KEYS_OFF) {
		http_reply_text(reply, 404, "RFC 7030 4.4: keys are not made for devices here");
		return;
	}
	x->key_made_here = true;
	if (!est_enrol_prepare(x, reply))
		return;
	if (serve(x, &outcome, reply, &err) != OK)
		est_reply_refused(x, &err, reply);
	enrol_outcome_clear(&outcome);
}
