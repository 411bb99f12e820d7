/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fullcmc (RFC 7030 4.3): a PKIData within SignedData (RFC 5272 3.2), which asks for one thing: a
 * certificate, what has become of a request for one, a certificate or revocation list of this CA,
 * or the revocation of a certificate.
 */
#include "est/full_cmc.h"

#include "der/ber.h"
#include "der/oid.h"
#include "est/body.h"

/* ---- the message ---- */

/* Devices send BER (BouncyCastle does unless it is asked not to). */
static RESULT read_message(struct full_cmc *m, struct err *err)
{
	struct est_exchange *x = m->x;
	struct span bytes = SPAN_NONE;

	TRY(est_body_read(x->http->body, &x->decoded, &bytes, err));
	TRY(ber_put_der(bytes, &m->der, err));
	TRY(err_prefix(err, cms_signed_parse(buf_span(&m->der), &m->sd, err),
		       "RFC 5272 3.2: SignedData"));
	if (!span_eq(m->sd.content_type, OID_CCT_PKI_DATA))
		return err_set(err, ERR_SYNTAX, "RFC 5272 3.2: eContentType is not id-cct-PKIData");
	return cmc_pki_data_parse(m->sd.content, &m->data, err);
}

/* ---- what it asks for ---- */

static const struct action {
	const struct span *control; /* NULL: none, but a certification request */
	full_cmc_action_fn *serve;
} actions[] = {
	{ NULL, full_cmc_enrol },
	{ &OID_CMC_QUERY_PENDING, full_cmc_query_pending },
	{ &OID_CMC_GET_CERT, full_cmc_get_cert },
	{ &OID_CMC_GET_CRL, full_cmc_get_crl },
	{ &OID_CMC_REVOKE_REQUEST, full_cmc_revoke },
};

struct asked {
	const struct action *action;
	const struct cmc_control *control;
	size_t n; /* things asked for, which m->bodies names */
};

static void add(struct full_cmc *m, struct asked *asked, uint32_t id)
{
	asked->n++;
	if (m->n_bodies < CMC_BODIES_MAX)
		m->bodies[m->n_bodies++] = id;
}

static struct asked find_asked(struct full_cmc *m)
{
	struct asked asked = { .n = 0 };
	size_t i;

	for (i = 0; i < m->data.n_requests; i++) {
		asked.action = &actions[0];
		add(m, &asked, m->data.requests[i].id);
	}
	for (i = 1; i < ARRAY_LEN(actions); i++) {
		const struct cmc_control *control =
		    cmc_control_find(&m->data.controls, *actions[i].control);

		if (!control)
			continue;
		asked.action = &actions[i];
		asked.control = control;
		add(m, &asked, control->id);
	}
	return asked;
}

/* An answer to many would be one of parts that came to different ends: we give none. */
static RESULT serve_asked(struct full_cmc *m, struct http_reply *reply, struct err *err)
{
	struct asked asked;

	TRY(full_cmc_check_controls(m, err));
	asked = find_asked(m);
	if (asked.n == 1)
		return asked.action->serve(m, asked.control, reply, err);
	if (asked.n == 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5272 3.2.1: the PKIData asks for nothing: it has neither "
			       "certification request, nor queryPending, getCert, getCRL or "
			       "revokeRequest");
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 5272 3.2.1: the PKIData asks for %zu things; this server takes one at "
		       "a time",
		       asked.n);
}

static void clear(struct full_cmc *m)
{
	buf_wipe(&m->der);
	buf_clear(&m->spki);
	store_cert_clear(&m->known);
}

void est_fullcmc(struct est_exchange *x, struct http_reply *reply)
{
	struct full_cmc m = { .x = x, .fail_info = CMC_FAIL_NONE, .status = CMC_FAILED };
	struct err err = { 0 };

	if (!x->endpoint->full_cmc) {
		http_reply_text(reply, 404,
				"RFC 7030 4.3: Full PKI Requests are not taken by endpoint \"%s\"",
				x->endpoint->name);
		return;
	}
	if (!est_credentials_read(x, reply))
		return;
	if (read_message(&m, &err) != OK)
		est_reply_refused(x, &err, reply);
	else if (serve_asked(&m, reply, &err) != OK)
		full_cmc_refuse(&m, &err, reply);
	clear(&m);
}
