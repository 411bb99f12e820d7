/* SPDX-License-Identifier: Apache-2.0 */
/* What simpleenroll, simplereenroll and serverkeygen have in common: a PKCS#10 request, decided. */
#include "base/hex.h"
#include "ca/standing.h"
#include "est/body.h"
#include "est/exchange.h"
#include "pki/name.h"

static const struct enrol_words est_words = {
	.renewal = "RFC 7030 4.2.2",
	.missing = "RFC 7030 3.2.3: name and password missing",
	.poll = "RFC 7030 4.2.3",
};

/*
 * EST has no transactionID: whoever sends the same request again, with the same key and for the
 * same names, asks what has become of it (RFC 7030 4.2.3), after a restart of either side too.
 */
static RESULT make_transaction(struct est_exchange *x, struct err *err)
{
	struct span parts[] = { x->csr.subject, x->csr.spki, x->csr.exts };
	uint8_t digest[DIGEST_MAX];
	BUF text = BUF_INIT;

	TRY(crypto_digest(x->c, DIGEST_SHA256, parts, ARRAY_LEN(parts), digest, err));
	hex_put(&text, span_of(digest, digest_size(DIGEST_SHA256)));
	TRY(buf_check(&text, err));
	memcpy(x->transaction, text.data, EST_TRANSACTION);
	x->spki = x->csr.spki;
	log_bind(&x->log, LOG_STR("transaction", x->transaction));
	return OK;
}

enum result est_enrol_identify(struct est_exchange *x, const char *what, struct err *err)
{
	BUF name = BUF_INIT;

	if (name_put_text(&name, x->csr.subject, NULL) != OK)
		buf_reset(&name);
	enrol_trace_add(&x->trace, "request", true, "%s for \"%.120s\"", what,
			name.len ? buf_cstr(&name) : "");
	return make_transaction(x, err);
}

enum result est_enrol_check_digest(const struct est_exchange *x, enum digest_alg digest,
				   const char *what, struct err *err)
{
	bool sha1 = x->endpoint->allow_sha1;

	if (!digest_is_legacy(digest))
		return OK;
	if (digest != DIGEST_SHA1 || !sha1)
		return err_set(err, ERR_BAD_ALG,
			       "%s is signed with %s; endpoint \"%s\" takes %s or better", what,
			       digest_name(digest), x->endpoint->name, sha1 ? "SHA-1" : "SHA-256");
	log_warning(&x->log, "legacy algorithms taken from this device",
		    LOG_STR("digest", digest_name(digest)));
	return OK;
}

static RESULT check_possession(struct est_exchange *x, struct err *err)
{
	TRY(est_enrol_check_digest(x, x->csr.sig_alg.digest, "RFC 7030 4.2.1: the request", err));
	return csr_verify(&x->csr, x->c, err);
}

enum result est_enrol_read(struct est_exchange *x, struct err *err)
{
	struct span der = SPAN_NONE;

	TRY(est_body_read(x->http->body, &x->decoded, &der, err));
	TRY(err_prefix(err, csr_parse(der, &x->csr, err), "RFC 7030 4.2.1"));
	return est_enrol_identify(x, "PKCS#10", err);
}

enum result est_enrol_check_possession(struct est_exchange *x, struct err *err)
{
	enum result r;

	if (x->key_made_here) /* RFC 7030 4.4.1: its key and signature are to be ignored */
		return est_binding_check(x, err);
	r = check_possession(x, err);
	enrol_trace_add(&x->trace, "proof of possession", r == OK, "%s",
			r == OK ? "the request is signed with its own key" : err_text(err));
	TRY(r);
	return est_binding_check(x, err);
}

bool est_enrol_prepare(struct est_exchange *x, struct http_reply *reply)
{
	struct err err = { 0 };
	enum result r;

	if (!est_credentials_read(x, reply))
		return false;
	r = est_enrol_read(x, &err);
	if (r == OK)
		r = est_credentials_weigh(x, &err);
	if (r == OK && est_credentials_are_missing(x)) {
		est_credentials_ask(x, NULL, reply);
		return false;
	}
	if (r == OK)
		r = est_enrol_check_possession(x, &err);
	if (r != OK)
		est_reply_refused(x, &err, reply);
	return r == OK;
}

/*
 * Where both are wanted, a certificate of this CA counts beside the password while it is good:
 * nobody has verified it yet, and its issuer's name is anybody's to write. One that is not may
 * still be renewed by itself, where that is done; and no password would help.
 */
static RESULT check_current(struct est_exchange *x, bool *renewal_only, struct err *err)
{
	const struct enrol_context *ctx = x->service->enrol;
	const struct ca_standing now = { ctx->store, x->c, clock_now(ctx->clock) };
	enum result r = ca_standing_check(&now, x->ca, x->current, err);

	if (r != ERR_DENIED && r != ERR_BAD_CERT_ID)
		return r;
	if (x->endpoint->policy.renewal) {
		err_clear(err);
		*renewal_only = true;
		return OK;
	}
	x->current = NULL;
	return err_prefix(err, r, "RFC 7030 3.3");
}

static RESULT check_both(struct est_exchange *x, bool *renewal_only, struct err *err)
{
	if (!x->endpoint->both || x->vouched[0])
		return OK;
	if (x->current)
		return check_current(x, renewal_only, err);
	return err_set(err, ERR_DENIED,
		       "RFC 7030 3.3: endpoint \"%s\" wants a client certificate beside the "
		       "password",
		       x->endpoint->name);
}

static struct enrol_request request_of(struct est_exchange *x)
{
	bool vouched = x->vouched[0] && (x->registrar || !x->endpoint->both);

	return (struct enrol_request){
		.policy = &x->endpoint->policy,
		.ca = x->ca,
		.words = &est_words,
		.transaction_id = span_str(x->transaction),
		.subject = x->csr.subject,
		.spki = x->spki,
		.exts = x->csr.exts,
		.challenge = x->password,
		.user = x->user,
		.accounts = x->endpoint->accounts ? x->service->accounts : NULL,
		.anew = true,
		.current = x->current,
		.renewal_only = x->renewal,
		.vouched = vouched ? x->vouched : NULL,
		.peer = x->http->peer,
		.source = address_key(&x->http->address),
		.log = &x->log,
		.trace = &x->trace,
	};
}

enum result est_enrol(struct est_exchange *x, struct enrol_outcome *out, struct err *err)
{
	struct enrol_request req;
	bool renewal_only = x->renewal;

	TRY(check_both(x, &renewal_only, err));
	req = request_of(x);
	req.renewal_only = renewal_only;
	return ca_enrol(x->service->enrol, x->c, &req, out, err);
}

/* The trace of one that may goes on as if nothing had been asked. */
enum result est_enrol_may(struct est_exchange *x, struct err *err)
{
	const struct enrol_trace before = x->trace;
	struct enrol_request req;
	bool renewal_only = x->renewal;
	enum result r;

	TRY(check_both(x, &renewal_only, err));
	req = request_of(x);
	req.renewal_only = renewal_only;
	req.spki = SPAN_NONE;
	r = ca_enrol_check(x->service->enrol, x->c, &req, err);
	if (r == OK)
		x->trace = before;
	return r;
}
