/* SPDX-License-Identifier: Apache-2.0 */
#include "client/device_state.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/ext.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/san.h"

static RESULT set_text(char **field, const char *text, struct err *err)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return err_nomem(err);
	free(*field);
	*field = copy;
	return OK;
}

enum result device_new(struct device **out, const char *url, struct err *err)
{
	CLEANUP(device_freep) struct device *d = NULL;

	if (!url || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return err_set(err, ERR_USAGE,
			       "the URL has to begin with http:// or https://, not \"%.80s\"",
			       url ? url : "");
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem(err);
	d->retry_after = -1;
	TRY(set_text(&d->url, url, err));
	/* there are servers that answer in single DES whatever was asked; what it hides is a
	   certificate, which is no secret, and its signature is checked */
	TRY(crypto_new(&d->c, true, err));
	*out = take(d);
	return OK;
}

void device_free(struct device *d)
{
	if (!d)
		return;
	scep_ca_certs_clear(&d->ca);
	key_free(d->key);
	key_free(d->current_key);
	buf_clear(&d->current_cert);
	buf_clear(&d->subject);
	buf_clear(&d->sans);
	secret_clear(&d->challenge);
	buf_clear(&d->cert);
	http_client_free(d->http);
	crypto_free(d->c);
	free(d->url);
	free(d->ca_identifier);
	free(d->tls_ca_file);
	free(d);
}

enum result device_set_ca_identifier(struct device *d, const char *text, struct err *err)
{
	return set_text(&d->ca_identifier, text, err);
}

enum result device_set_tls_ca_file(struct device *d, const char *path, struct err *err)
{
	return set_text(&d->tls_ca_file, path, err);
}

void device_set_timeout(struct device *d, unsigned seconds)
{
	d->timeout = seconds;
}

void device_allow_legacy(struct device *d, bool allow)
{
	d->allow_legacy = allow;
}

struct crypto *device_crypto(struct device *d)
{
	return d->c;
}

/* ---- the CA ---- */

struct scep_client device_state_client(const struct device *d)
{
	return (struct scep_client){ .http = d->http,
				     .url = d->url,
				     .ca_identifier = d->ca_identifier };
}

static RESULT connect_http(struct device *d, struct err *err)
{
	struct http_client_config config = { .ca_file = d->tls_ca_file,
					     .total_seconds = d->timeout };
	struct http_client *http;

	TRY(http_client_new(&http, &config, err));
	http_client_free(d->http);
	d->http = http;
	return OK;
}

enum result device_get_ca(struct device *d, struct err *err)
{
	struct scep_client client;
	struct scep_ca_certs ca;

	TRY(connect_http(d, err));
	client = device_state_client(d);
	TRY(scep_client_get_caps(&client, &d->caps, err));
	TRY(scep_client_get_ca(&client, &ca, err));
	scep_ca_certs_clear(&d->ca);
	d->ca = ca;
	d->trusted = false;
	return OK;
}

const struct scep_ca_certs *device_ca(const struct device *d)
{
	return &d->ca;
}

uint32_t device_caps(const struct device *d)
{
	return d->caps;
}

static RESULT parse_fingerprint(const char *text, struct buf *out, struct err *err)
{
	enum result r = hex_parse(span_str(text), out, err);

	if (r != OK)
		return err_prefix(err, ERR_USAGE, "the CA fingerprint");
	if (out->len == digest_size(DIGEST_SHA256))
		return OK;
	return err_set(err, ERR_USAGE, "the CA fingerprint has %zu octets, a SHA-256 one has %zu%s",
		       out->len, digest_size(DIGEST_SHA256),
		       out->len == digest_size(DIGEST_SHA1) ? "; this is a SHA-1 fingerprint" : "");
}

enum result device_trust(struct device *d, const char *fingerprint, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;
	BUF wanted = BUF_INIT;

	if (fingerprint)
		TRY(parse_fingerprint(fingerprint, &wanted, err));
	if (d->ca.n == 0)
		return err_set(err, ERR_USAGE, "trust in a CA before GetCACert was asked");
	TRY(scep_ca_certs_trust(&d->ca, d->c, buf_span(&wanted), clock_now(&clock), err));
	d->trusted = true;
	return OK;
}

/* ---- the key ---- */

static RESULT make_key(struct device *d, const char *path, const char *type, struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	BUF_SECRET pem = BUF_INIT;
	struct key_spec spec;

	TRY(key_spec_parse(type, &spec, err));
	TRY(key_evp_generate(&key, d->c, spec, err));
	TRY(key_evp_export(key, NULL, &pem, err));
	TRY(file_write_atomic(path, 0600, buf_span(&pem), err));
	key_free(d->key);
	d->key = take(key);
	return OK;
}

enum result device_open_key(struct device *d, const char *path, const char *type, bool *made,
			    struct err *err)
{
	struct key *key = NULL;

	*made = !file_exists(path);
	if (*made)
		return make_key(d, path, type, err);
	TRY(key_evp_load(&key, d->c, path, NULL, err));
	key_free(d->key);
	d->key = key;
	return OK;
}

/* ---- what is asked for ---- */

enum result device_set_subject(struct device *d, const char *dn, struct err *err)
{
	BUF name = BUF_INIT;

	TRY(name_parse_text(dn, &name, err));
	buf_clear(&d->subject);
	d->subject = buf_take(&name);
	return OK;
}

enum result device_add_san(struct device *d, const char *san, struct err *err)
{
	return san_parse_text(san, &d->sans, err);
}

enum result device_set_challenge(struct device *d, struct span challenge, struct err *err)
{
	return secret_set(&d->challenge, challenge, err);
}

static RESULT check_ready(const struct device *d, struct err *err)
{
	if (!d->trusted)
		return err_set(err, ERR_USAGE, "enrolment with a CA that is not trusted yet");
	if (!d->key)
		return err_set(err, ERR_USAGE, "enrolment without a key");
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
	static const enum result codes[] = { ERR_BAD_ALG, ERR_BAD_CHECK, ERR_BAD_REQUEST,
					     ERR_BAD_TIME, ERR_BAD_CERT_ID };
	bool known = reply->fail_info >= 0 && (size_t)reply->fail_info < ARRAY_LEN(codes);

	return err_set(err, known ? codes[reply->fail_info] : ERR_BAD_REQUEST,
		       "the CA refuses (%s): %.400s", scep_fail_info_name(reply->fail_info),
		       reply->text[0] ? reply->text : "it does not say why; its log may");
}

/* A repeated transaction gets the certificate of the first time, however long ago that was. */
static RESULT check_validity(struct span der, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;
	char until[CLOCK_TEXT_MAX];
	struct cert cert;

	TRY(cert_parse(der, &cert, err));
	if (cert.not_after >= clock_now(&clock))
		return OK;
	clock_format(cert.not_after, until);
	return err_set(err, ERR_BAD_TIME,
		       "the CA sent the certificate that this key got before, which expired on %s; "
		       "enrol with a new key",
		       until);
}

static RESULT take_reply(struct device *d, struct scep_enrolment_reply *reply, struct err *err)
{
	d->pending = reply->status == SCEP_PENDING;
	if (d->pending)
		return err_set(err, ERR_BUSY, "the request waits for approval at the CA");
	if (reply->status != SCEP_SUCCESS)
		return refused(reply, err);
	TRY(check_validity(buf_span(&reply->cert), err));
	if (d->current_key)
		TRY(device_renewal_check(d, buf_span(&reply->cert), err));
	buf_clear(&d->cert);
	d->cert = buf_take(&reply->cert);
	return OK;
}

static RESULT exchange(struct device *d, struct scep_enrolment *e, struct err *err)
{
	CLEANUP(scep_enrolment_reply_clear)
	struct scep_enrolment_reply reply = { .status = SCEP_FAILURE };
	struct scep_client client = device_state_client(d);
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
	struct scep_client client = device_state_client(d);
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

enum result device_enrol(struct device *d, struct err *err)
{
	CLEANUP(scep_enrolment_clear) struct scep_enrolment e = { 0 };

	d->retry_after = -1;
	TRY(check_ready(d, err));
	TRY(begin(d, &e, err));
	return exchange(d, &e, err);
}

enum result device_poll(struct device *d, struct err *err)
{
	d->pending = true;
	return device_enrol(d, err);
}

bool device_is_pending(const struct device *d)
{
	return d->pending;
}

long device_retry_after(const struct device *d)
{
	return d->retry_after;
}

struct span device_cert(const struct device *d)
{
	return buf_span(&d->cert);
}

/* ---- files ---- */

enum result device_save_cert(const struct device *d, const char *path, struct err *err)
{
	BUF pem = BUF_INIT;

	if (d->cert.len == 0)
		return err_set(err, ERR_USAGE, "there is no certificate to save yet");
	pem_put(&pem, "CERTIFICATE", buf_span(&d->cert));
	TRY(buf_check(&pem, err));
	return file_write_atomic(path, 0644, buf_span(&pem), err);
}

enum result device_save_ca(const struct device *d, const char *path, struct err *err)
{
	BUF pem = BUF_INIT;
	size_t i;

	if (!d->trusted)
		return err_set(err, ERR_USAGE, "there is no trusted CA to save yet");
	pem_put(&pem, "CERTIFICATE", d->ca.certs[d->ca.issuer].der);
	for (i = 0; i < d->ca.n; i++)
		if (i != d->ca.issuer && d->ca.trusted[i] && cert_is_ca(&d->ca.certs[i]))
			pem_put(&pem, "CERTIFICATE", d->ca.certs[i].der);
	TRY(buf_check(&pem, err));
	return file_write_atomic(path, 0644, buf_span(&pem), err);
}
