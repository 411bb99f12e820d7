/* SPDX-License-Identifier: Apache-2.0 */
#include "client/device_state.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hex.h"
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
	d->protocol = &device_scep;
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
	buf_clear(&d->wanted);
	buf_clear(&d->pend_token);
	buf_clear(&d->tls_cert);
	buf_wipe(&d->tls_key);
	http_client_free(d->http);
	crypto_free(d->c);
	free(d->url);
	free(d->ca_identifier);
	free(d->tls_ca_file);
	free(d->user);
	free(d->server_key);
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

enum result device_set_protocol(struct device *d, const char *name, struct err *err)
{
	static const struct {
		const char *name;
		const struct device_protocol *protocol;
	} known[] = { { "scep", &device_scep }, { "est", &device_est } };
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(name, known[i].name) == 0) {
			d->protocol = known[i].protocol;
			return OK;
		}
	return err_set(err, ERR_USAGE, "\"%.40s\" is not a protocol: scep or est", name);
}

enum result device_set_user(struct device *d, const char *name, struct err *err)
{
	return set_text(&d->user, name, err);
}

enum result device_use_full_cmc(struct device *d, struct err *err)
{
	if (d->protocol != &device_est)
		return err_set(err, ERR_USAGE, "only EST servers take Full PKI Requests");
	d->full_cmc = true;
	return OK;
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

enum result device_get_ca(struct device *d, struct err *err)
{
	TRY(d->protocol->get_ca(d, err));
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

enum result device_recognise(struct device *d, const char *fingerprint, struct err *err)
{
	BUF wanted = BUF_INIT;

	if (fingerprint)
		TRY(parse_fingerprint(fingerprint, &wanted, err));
	if (d->ca.n == 0)
		return err_set(err, ERR_USAGE, "trust in a CA that was not asked yet");
	TRY(d->protocol->trust(d, buf_span(&wanted), err));
	d->trusted = true;
	return OK;
}

enum result device_trust(struct device *d, const char *fingerprint, struct err *err)
{
	TRY(device_recognise(d, fingerprint, err));
	return d->protocol->get_wanted ? d->protocol->get_wanted(d, err) : OK;
}

enum result device_use_next_ca(struct device *d, struct err *err)
{
	if (!d->trusted)
		return err_set(err, ERR_USAGE,
			       "the next CA, before the one that there is is trusted");
	if (!d->protocol->use_next)
		return err_set(err, ERR_USAGE, "only SCEP has a way to ask for the next CA");
	return d->protocol->use_next(d, err);
}

bool device_ends_with_ca(const struct device *d)
{
	struct cert cert;

	return d->trusted && cert_parse(buf_span(&d->current_cert), &cert, NULL) == OK &&
	       cert.not_after >= d->ca.certs[d->ca.issuer].not_after;
}

/* ---- the key ---- */

void device_take_key(struct device *d, struct key *key)
{
	key_free(d->key);
	d->key = key;
	buf_reset(&d->pend_token);
}

static RESULT make_key(struct device *d, const char *path, const char *type, struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	BUF_SECRET pem = BUF_INIT;
	struct key_spec spec;

	TRY(key_spec_parse(type, &spec, err));
	TRY(key_evp_generate(&key, d->c, spec, err));
	TRY(key_evp_export(key, NULL, &pem, err));
	TRY(file_write_atomic(path, 0600, buf_span(&pem), err));
	device_take_key(d, take(key));
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
	device_take_key(d, key);
	return OK;
}

/* ---- what is asked for ---- */

enum result device_set_subject(struct device *d, const char *dn, struct err *err)
{
	BUF name = BUF_INIT;

	TRY(name_parse_text(dn, &name, err));
	buf_clear(&d->subject);
	d->subject = buf_take(&name);
	buf_reset(&d->pend_token);
	return OK;
}

enum result device_add_san(struct device *d, const char *san, struct err *err)
{
	buf_reset(&d->pend_token);
	return san_parse_text(san, &d->sans, err);
}

enum result device_set_challenge(struct device *d, struct span challenge, struct err *err)
{
	return secret_set(&d->challenge, challenge, err);
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

enum result device_take_cert(struct device *d, struct buf *cert, struct err *err)
{
	TRY(check_validity(buf_span(cert), err));
	if (d->current_key)
		TRY(device_renewal_check(d, buf_span(cert), err));
	buf_clear(&d->cert);
	buf_clear(&d->wanted);
	d->cert = buf_take(cert);
	return OK;
}

enum result device_enrol(struct device *d, struct err *err)
{
	d->retry_after = -1;
	if (!d->trusted)
		return err_set(err, ERR_USAGE, "enrolment with a CA that is not trusted yet");
	if (!d->key)
		return err_set(err, ERR_USAGE, "enrolment without a key");
	return d->protocol->enrol(d, err);
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
