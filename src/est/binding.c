/* SPDX-License-Identifier: Apache-2.0 */
/* Linking identity and proof of possession (RFC 7030 3.5, RFC 7894 3.3, RFC 9266). */
#include "base/base64.h"
#include "der/oid.h"
#include "est/exchange.h"

/* What the request says, by the attribute of its own or by the old one. Empty: nothing. */
static RESULT read_link(const struct est_exchange *x, struct secret *out, struct err *err)
{
	enum result r =
	    csr_text_attr(&x->csr, OID_EST_IDENTITY_LINKING, "estIdentityLinking", out, err);

	if (r == ERR_NOT_FOUND)
		r = csr_challenge(&x->csr, out, err);
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(err);
	return OK;
}

static const char *why_none(const struct est_exchange *x)
{
	return x->http->by_proxy
		   ? "RFC 7030 3.5: TLS ends at a proxy in front of this server, so that no "
		     "request "
		     "can be linked with it; come by a listener with TLS of its own, or have the "
		     "endpoint's channel_binding switched off"
		   : "RFC 7030 3.5: this TLS connection has no binding (TLS 1.2 without extended "
		     "master secret), so no request can be linked with it";
}

static RESULT compare(const struct est_exchange *x, struct span said, struct err *err)
{
	BUF want = BUF_INIT;

	base64_put(&want, x->http->channel_binding, 0);
	TRY(buf_check(&want, err));
	if (x->http->channel_binding.len && span_eq_secret(said, buf_span(&want)))
		return OK;
	return err_set(err, ERR_BAD_POP, "%s",
		       x->http->channel_binding.len
			   ? "RFC 7030 3.5: the request is linked with another TLS connection "
			     "than the one that it comes by"
			   : why_none(x));
}

/* A registration authority passes on what others made for their own connections (RFC 7030 3.7). */
static bool is_exempt(const struct est_exchange *x)
{
	return x->endpoint->binding == EST_BINDING_OFF || x->registrar;
}

static RESULT check(struct est_exchange *x, struct err *err)
{
	SECRET said = SECRET_INIT;

	TRY(read_link(x, &said, err));
	if (secret_span(&said).len)
		return compare(x, secret_span(&said), err);
	if (x->endpoint->binding == EST_BINDING_OPTIONAL)
		return OK;
	return err_set(err, ERR_BAD_POP, "%s",
		       x->http->by_proxy ? why_none(x)
					 : "RFC 7030 3.5: the request is not linked with its TLS "
					   "connection: challengePassword is missing");
}

enum result est_binding_check(struct est_exchange *x, struct err *err)
{
	enum result r;

	if (is_exempt(x))
		return OK;
	r = check(x, err);
	enrol_trace_add(&x->trace, "channel binding", r == OK, "%s",
			r == OK ? "as the endpoint wants it" : err_text(err));
	return r;
}
