/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks (RFC 7030 3.3): by TLS a certificate of this CA, which is renewed or is a registration
 * authority's, or one of another CA that the listener trusts; by HTTP Basic a device account, or a
 * challenge as the password of anybody.
 */
#include <stdio.h>

#include "ca/standing.h"
#include "der/oid.h"
#include "est/exchange.h"
#include "net/http_basic.h"
#include "pki/name.h"

void est_credentials_ask(const struct est_exchange *x, const char *why, struct http_reply *reply)
{
	if (why)
		http_reply_text(reply, 401, "%s", why);
	reply->status = 401;
	http_reply_header(reply, "WWW-Authenticate", "Basic realm=\"%s\", charset=\"UTF-8\"",
			  x->endpoint->name);
}

/* ---- what is shown ---- */

static RESULT read_client(struct est_exchange *x, struct err *err)
{
	if (x->http->n_client_certs == 0)
		return OK;
	TRY(err_prefix(err, cert_parse(x->http->client_certs[0], &x->client, err),
		       "RFC 7030 3.3.2: the TLS client certificate"));
	x->has_client = true;
	return OK;
}

bool est_credentials_read(struct est_exchange *x, struct http_reply *reply)
{
	struct span header = http_header(x->http, "Authorization");
	struct err err = { 0 };

	if (read_client(x, &err) != OK) {
		est_reply_refused(x, &err, reply);
		return false;
	}
	if (header.len == 0)
		return true;
	if (http_basic_parse(header, &x->credentials, &x->user, &x->password, &err) == OK)
		return true;
	log_warning(&x->log, "unusable credentials", LOG_ERR(&err));
	est_credentials_ask(x, err_text(&err), reply);
	return false;
}

/* ---- what it is worth ---- */

static void trace_client(struct est_exchange *x)
{
	BUF name = BUF_INIT;

	if (name_put_text(&name, x->client.subject, NULL) != OK)
		buf_reset(&name);
	enrol_trace_add(&x->trace, x->client_signed ? "signer" : "TLS client", true,
			"certificate of \"%.100s\"%s%s", name.len ? buf_cstr(&name) : "",
			x->http->by_proxy && !x->client_signed ? ", as a proxy tells" : "",
			x->http->client_verified && !x->client_signed ? ", verified by the listener"
								      : "");
}

static void vouch(struct est_exchange *x, const char *who)
{
	BUF name = BUF_INIT;

	if (name_put_text(&name, x->client.subject, NULL) != OK)
		buf_reset(&name);
	(void)snprintf(x->vouched, sizeof(x->vouched), "%s \"%.100s\"", who,
		       name.len ? buf_cstr(&name) : "");
}

bool est_credentials_is_registrar(const struct est_exchange *x, const struct cert *cert)
{
	return x->endpoint->registrars && ext_has_eku(cert->exts, OID_CMC_RA);
}

/* One that asks for its own name renews its certificate, like everyone else. */
static bool acts_for_another(const struct est_exchange *x)
{
	return est_credentials_is_registrar(x, &x->client) &&
	       !name_equal(x->client.subject, x->csr.subject);
}

static RESULT weigh_own(struct est_exchange *x, struct err *err)
{
	const struct enrol_context *ctx = x->service->enrol;
	const struct ca_standing now = { ctx->store, x->c, clock_now(ctx->clock) };

	if (!acts_for_another(x)) {
		x->current = &x->client;
		return OK;
	}
	TRY(err_prefix(err, ca_standing_check(&now, x->ca, &x->client, err),
		       "RFC 7030 3.7: the registration authority"));
	x->registrar = true;
	vouch(x, "registration authority");
	return OK;
}

/* Fails closed: of a CA whose list is wanted, and is not there, nobody enrols. */
static RESULT check_revoked(struct est_exchange *x, struct err *err)
{
	const struct est_service *s = x->service;
	const struct foreign_crl_query q = { x->c, &x->log, clock_now(s->enrol->clock) };
	enum result r;

	if (!s->revoked)
		return OK;
	r = foreign_crl_ask(s->revoked, &q, &x->client, err);
	if (r == OK)
		return OK;
	return err_prefix(err, r == ERR_NOT_FOUND ? ERR_DENIED : r, "RFC 7030 3.3.2");
}

static RESULT weigh_foreign(struct est_exchange *x, struct err *err)
{
	if (!x->endpoint->certificates)
		return OK;
	if (!x->http->client_verified)
		return err_set(err, ERR_DENIED,
			       "RFC 7030 3.3.2: the TLS client certificate is not of a CA that "
			       "the listener trusts, or not in its validity");
	TRY(check_revoked(x, err));
	TRY(err_prefix(err, ca_standing_check_key(x->service->enrol->store, x->c, &x->client, err),
		       "RFC 7030 3.3.2"));
	vouch(x, "the holder of certificate");
	return OK;
}

/* RFC 7894 3: a password that travels within the request. */
static RESULT read_otp(struct est_exchange *x, struct err *err)
{
	enum result r;

	if (x->password.len)
		return OK;
	r = csr_text_attr(&x->csr, OID_OTP_CHALLENGE, "otpChallenge", &x->otp, err);
	/* as in RFC 2985, where it does not link the request with the connection */
	if (r == ERR_NOT_FOUND && x->endpoint->binding == EST_BINDING_OFF)
		r = csr_challenge(&x->csr, &x->otp, err);
	if (r == ERR_NOT_FOUND) {
		err_clear(err);
		return OK;
	}
	TRY(r);
	x->password = secret_span(&x->otp);
	return OK;
}

static bool takes_passwords(const struct est_endpoint *e)
{
	return e->accounts || e->policy.one_time || e->policy.statics;
}

bool est_credentials_password_counts(const struct est_exchange *x)
{
	const struct est_endpoint *e = x->endpoint;

	if (!takes_passwords(e) || e->policy.accept_anyone || x->renewal || x->registrar)
		return false;
	return e->both ? x->current || x->vouched[0] : !x->vouched[0];
}

bool est_credentials_are_missing(const struct est_exchange *x)
{
	return x->password.len == 0 && !x->current && est_credentials_password_counts(x);
}

/* Is there something else that may let the request in, if its certificate does not? */
static bool has_another_way(const struct est_exchange *x)
{
	return x->endpoint->policy.accept_anyone ||
	       (x->password.len && !x->endpoint->both && est_credentials_password_counts(x));
}

static RESULT weigh_client(struct est_exchange *x, struct err *err)
{
	bool own = name_equal(x->client.issuer, x->ca->ca.cert.subject);
	enum result r;

	trace_client(x);
	r = own ? weigh_own(x, err) : weigh_foreign(x, err);
	if (r != ERR_DENIED || !has_another_way(x))
		return r;
	enrol_trace_add(&x->trace, "TLS client", false, "%s", err_text(err));
	err_clear(err);
	return OK;
}

static RESULT refuse_renewal(const struct est_exchange *x, struct err *err)
{
	return err_set(err, ERR_DENIED,
		       x->has_client ? "RFC 7030 4.2.2: the TLS client certificate is not of CA "
				       "\"%s\", whose certificates are renewed here"
				     : "RFC 7030 4.2.2: whoever renews a certificate of CA \"%s\" "
				       "connects with it, and this connection has none",
		       x->ca->name);
}

/* Where no password would do either, the device is told what would. */
static RESULT check_certificate(const struct est_exchange *x, struct err *err)
{
	if (takes_passwords(x->endpoint) || x->endpoint->policy.accept_anyone)
		return OK;
	return err_set(err, ERR_DENIED,
		       x->has_client
			   ? "RFC 7030 3.3.2: endpoint \"%s\" goes by certificates of CA \"%s\", "
			     "and the TLS client certificate is another's"
			   : "RFC 7030 3.3.2: endpoint \"%s\" of CA \"%s\" goes by TLS client "
			     "certificates, and this connection has none",
		       x->endpoint->name, x->ca->name);
}

enum result est_credentials_weigh(struct est_exchange *x, struct err *err)
{
	TRY(read_otp(x, err));
	if (x->has_client)
		TRY(weigh_client(x, err));
	if (x->current || x->vouched[0])
		return OK;
	return x->renewal ? refuse_renewal(x, err) : check_certificate(x, err);
}
