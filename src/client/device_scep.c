/* SPDX-License-Identifier: Apache-2.0 */
/* The device's dealings with a SCEP server (RFC 8894). */
#include "base/clock.h"
#include "client/device_state.h"
#include "der/writer.h"
#include "pki/ext.h"
#include "scep/caps.h"

static struct scep_client client_of(const struct device *d)
{
	return (struct scep_client){ .http = d->http,
				     .url = d->url,
				     .ca_identifier = d->ca_identifier };
}

static RESULT get_ca(struct device *d, struct err *err)
{
	struct scep_client client;
	struct scep_ca_certs ca;

	TRY(device_connect(d, NULL, err));
	client = client_of(d);
	TRY(scep_client_get_caps(&client, &d->caps, err));
	TRY(scep_client_get_ca(&client, &ca, err));
	scep_ca_certs_clear(&d->ca);
	d->ca = ca;
	return OK;
}

static RESULT trust(struct device *d, struct span fingerprint, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;

	return scep_ca_certs_trust(&d->ca, d->c, fingerprint, clock_now(&clock), err);
}

static RESULT use_next(struct device *d, struct err *err)
{
	const struct scep_client client = client_of(d);
	struct clock clock = CLOCK_SYSTEM;
	struct scep_ca_certs next;
	BUF answer = BUF_INIT;

	if (!(d->caps & SCEP_CAP_GET_NEXT_CA_CERT))
		return err_set(err, ERR_NOT_FOUND,
			       "RFC 8894 3.5.2: the server does not offer GetNextCACert: there is "
			       "no next CA yet");
	TRY(scep_client_get_next_ca(&client, &answer, err));
	TRY(scep_ca_certs_next(&d->ca, d->c, buf_span(&answer), clock_now(&clock), &next, err));
	scep_ca_certs_clear(&d->ca);
	d->ca = next;
	return OK;
}

static RESULT check_challenge(const struct device *d, struct err *err)
{
	if (d->current_key)
		return OK;
	if (d->key->kind != KEY_RSA && secret_span(&d->challenge).len == 0)
		return err_set(err, ERR_USAGE,
			       "RFC 8894 3.1: a %s key cannot decrypt the answer, which needs a "
			       "challenge then; give one, or take an RSA key",
			       key_kind_name(d->key->kind));
	return OK;
}

static RESULT begin(struct device *d, struct scep_enrolment *e, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;
	struct scep_enrolment_config config = { .key = d->key,
						.subject = buf_span(&d->subject),
						.challenge = secret_span(&d->challenge),
						.current_key = d->current_key,
						.current_cert = buf_span(&d->current_cert),
						.caps = d->caps,
						.allow_legacy = d->allow_legacy,
						.now = clock_now(&clock) };
	BUF exts = BUF_INIT;
	BUF empty = BUF_INIT;

	if (d->subject.len == 0) { /* a name of no RDNs is a name, too */
		der_put_tlv(&empty, DER_SEQUENCE, SPAN_NONE);
		config.subject = buf_span(&empty);
	}
	if (d->sans.len)
		ext_put_san(&exts, buf_span(&d->sans), d->subject.len == 0);
	TRY(buf_check(&exts, err));
	TRY(buf_check(&empty, err));
	config.exts = buf_span(&exts);
	return scep_enrolment_init(e, &config, d->c, err);
}

/* A refusal as an error: RFC 8894 3.2.1.4. */
static RESULT refused(const struct scep_enrolment_reply *reply, struct err *err)
{
	static const enum result codes[] = { ERR_BAD_ALG, ERR_BAD_REQUEST, ERR_DENIED, ERR_BAD_TIME,
					     ERR_BAD_CERT_ID };
	bool known = reply->fail_info >= 0 && (size_t)reply->fail_info < ARRAY_LEN(codes);

	return err_set(err, known ? codes[reply->fail_info] : ERR_DENIED,
		       "the CA refuses (%s): %.400s", scep_fail_info_name(reply->fail_info),
		       reply->text[0] ? reply->text : "it does not say why; its log may");
}

static RESULT take_reply(struct device *d, struct scep_enrolment_reply *reply, struct err *err)
{
	d->pending = reply->status == SCEP_PENDING;
	if (d->pending)
		return err_set(err, ERR_BUSY, "the request waits for approval at the CA");
	if (reply->status != SCEP_SUCCESS)
		return refused(reply, err);
	return device_take_cert(d, &reply->cert, err);
}

static RESULT exchange(struct device *d, struct scep_enrolment *e, struct err *err)
{
	CLEANUP(scep_enrolment_reply_clear)
	struct scep_enrolment_reply reply = { .status = SCEP_FAILURE };
	struct scep_client client = client_of(d);
	BUF request = BUF_INIT;
	BUF answer = BUF_INIT;

	if (d->pending && scep_enrolment_can_poll(e))
		TRY(scep_enrolment_poll(e, &d->ca, d->c, &request, err));
	else
		TRY(scep_enrolment_request(e, &d->ca, d->c, &request, err));
	TRY(scep_client_pki_operation(&client, d->caps, buf_span(&request), &answer,
				      &d->retry_after, err));
	TRY(scep_enrolment_read(e, &d->ca, d->c, buf_span(&answer), &reply, err));
	return take_reply(d, &reply, err);
}

static RESULT check_can_look_up(const struct device *d, struct err *err)
{
	if (!d->trusted || !d->current_key)
		return err_set(err, ERR_USAGE,
			       "a look-up takes a trusted CA and a certificate to sign with");
	if (d->current_key->kind == KEY_RSA)
		return OK;
	return err_set(err, ERR_USAGE, "RFC 8894 3.1: a %s key cannot decrypt the answer",
		       key_kind_name(d->current_key->kind));
}

static RESULT look_up(struct device *d, struct scep_enrolment *e, int type, struct span serial,
		      struct buf *out, struct err *err)
{
	CLEANUP(scep_enrolment_reply_clear)
	struct scep_enrolment_reply reply = { .status = SCEP_FAILURE };
	struct scep_client client = client_of(d);
	BUF request = BUF_INIT;
	BUF answer = BUF_INIT;

	TRY(scep_enrolment_lookup(e, &d->ca, type, serial, d->c, &request, err));
	TRY(scep_client_pki_operation(&client, d->caps, buf_span(&request), &answer,
				      &d->retry_after, err));
	TRY(scep_enrolment_read(e, &d->ca, d->c, buf_span(&answer), &reply, err));
	if (reply.status != SCEP_SUCCESS)
		return refused(&reply, err);
	buf_put(out, buf_span(&reply.cert));
	return buf_check(out, err);
}

enum result device_lookup(struct device *d, int type, struct span serial, struct buf *out,
			  struct err *err)
{
	CLEANUP(scep_enrolment_clear) struct scep_enrolment e = { 0 };
	struct key *own = d->key;
	enum result r;

	TRY(check_can_look_up(d, err));
	d->key = d->current_key;
	r = begin(d, &e, err);
	d->key = own;
	return r == OK ? look_up(d, &e, type, serial, out, err) : r;
}

static RESULT enrol(struct device *d, struct err *err)
{
	CLEANUP(scep_enrolment_clear) struct scep_enrolment e = { 0 };

	TRY(check_challenge(d, err));
	TRY(begin(d, &e, err));
	return exchange(d, &e, err);
}

const struct device_protocol device_scep = {
	.get_ca = get_ca, .trust = trust, .enrol = enrol, .use_next = use_next
};
