/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device's dealings with an EST server (RFC 7030). Whom to trust: by trust anchors for TLS that
 * are given, or by the CA's fingerprint (4.1.1): then cacerts is fetched from whoever answers, and
 * nothing else is said before the connection was made again and verified by what the fingerprint
 * has vouched for.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "client/device_est_cmc.h"
#include "client/device_est_key.h"
#include "der/oid.h"
#include "der/writer.h"
#include "est/attributes.h"
#include "est/client.h"
#include "pki/csr.h"
#include "pki/ext.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/pem.h"

static struct est_client client_of(const struct device *d)
{
	return (struct est_client){ .http = d->http, .url = d->url };
}

static RESULT get_ca(struct device *d, struct err *err)
{
	const struct http_client_config anyone = { .anyone = !d->tls_ca_file };
	struct est_client client;
	struct scep_ca_certs ca;
	BUF der = BUF_INIT;

	TRY(device_connect(d, &anyone, err));
	client = client_of(d);
	TRY(est_client_get_ca(&client, &der, err));
	TRY(scep_ca_certs_parse(buf_span(&der), &ca, err));
	scep_ca_certs_clear(&d->ca);
	d->ca = ca;
	return OK;
}

/* ---- a connection that is verified ---- */

/* By the anchors that were given, else by the CAs that are trusted now. */
static void put_anchors(const struct device *d, struct buf *out)
{
	size_t i;

	for (i = 0; i < d->ca.n && !d->tls_ca_file; i++)
		if (d->ca.trusted[i] && cert_is_ca(&d->ca.certs[i]))
			pem_put(out, "CERTIFICATE", d->ca.certs[i].der);
}

/* As: with the certificate that is renewed, or with name and password. */
static RESULT connect_as(struct device *d, bool known, struct err *err)
{
	struct http_client_config config = { 0 };
	BUF anchors = BUF_INIT;
	BUF cert = BUF_INIT;
	BUF_SECRET key = BUF_INIT;

	put_anchors(d, &anchors);
	TRY(buf_check(&anchors, err));
	config.ca_pem = buf_span(&anchors);
	if (known && d->current_key) {
		pem_put(&cert, "CERTIFICATE", buf_span(&d->current_cert));
		TRY(buf_check(&cert, err));
		TRY(key_evp_export(d->current_key, NULL, &key, err));
		config.cert_pem = buf_span(&cert);
		config.key_pem = buf_span(&key);
	}
	if (known && (d->user || secret_span(&d->challenge).len)) {
		config.user = d->user ? d->user : "";
		config.password = secret_span(&d->challenge);
	}
	return device_connect(d, &config, err);
}

static RESULT fetch_wanted(struct device *d, struct est_attributes *a, struct err *err)
{
	struct est_client client = client_of(d);
	BUF der = BUF_INIT;

	*a = (struct est_attributes){ 0 };
	TRY(est_client_get_attributes(&client, &der, err));
	buf_clear(&d->wanted);
	d->wanted = buf_take(&der);
	return d->wanted.len ? est_attributes_parse(buf_span(&d->wanted), a, err) : OK;
}

static RESULT trust(struct device *d, struct span fingerprint, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;

	return scep_ca_certs_trust_issuer(&d->ca, d->c, fingerprint, clock_now(&clock), err);
}

static RESULT get_wanted(struct device *d, struct err *err)
{
	struct est_attributes a;

	TRY(connect_as(d, false, err));
	return fetch_wanted(d, &a, err);
}

/* ---- what the server wants ---- */

const char *device_key_type(const struct device *d, const char *usual)
{
	static const char *const types[] = { [KEY_EC_P256] = "p256",
					     [KEY_EC_P384] = "p384",
					     [KEY_EC_P521] = "p521",
					     [KEY_ED25519] = "ed25519" };
	struct est_attributes a;

	if (d->wanted.len == 0 || est_attributes_parse(buf_span(&d->wanted), &a, NULL) != OK ||
	    a.key == KEY_NONE)
		return usual;
	if (a.key == KEY_RSA)
		return a.bits <= 2048 ? "rsa2048" : a.bits <= 3072 ? "rsa3072" : "rsa4096";
	return types[a.key];
}

static bool has_part(const struct device *d, struct span type)
{
	struct name_attr part;
	struct name_iter it;

	name_iter_init(&it, buf_span(&d->subject));
	while (name_next(&it, &part))
		if (span_eq(part.type, type))
			return true;
	return false;
}

/* The subject, with what the server has told that it is to hold. */
static RESULT put_subject(const struct device *d, const struct est_attributes *a, struct buf *out,
			  struct err *err)
{
	size_t name = der_open(out, DER_SEQUENCE), set, part, i;
	struct name_attr attr;
	struct name_iter it;
	const char *text;

	if (d->subject.len) {
		struct der_reader whole;

		TRY(der_read_whole(buf_span(&d->subject), DER_SEQUENCE, "subject", &whole, err));
		buf_put(out, whole.rest);
	}
	name_iter_init(&it, buf_span(&d->subject));
	(void)name_next(&it, &attr);
	for (i = 0; i < a->n_subject; i++) {
		if (has_part(d, a->subject[i].type))
			continue;
		text = name_type_text(a->subject[i].type);
		if (a->subject[i].value.len == 0)
			return err_set(err, ERR_USAGE,
				       "RFC 7030 4.5: the CA wants %s%s in the subject",
				       text ? "a " : "another attribute", text ? text : "");
		set = der_open(out, DER_SET);
		part = der_open(out, DER_SEQUENCE);
		der_put_oid(out, a->subject[i].type);
		buf_put(out, a->subject[i].value);
		der_close(out, part);
		der_close(out, set);
	}
	der_close(out, name);
	return buf_check(out, err);
}

static RESULT check_wanted(const struct device *d, const struct est_attributes *a, struct err *err)
{
	if (a->key != KEY_NONE && a->key != d->key->kind)
		return err_set(err, ERR_USAGE, "RFC 7030 4.5: the CA wants a %s key, this is %s",
			       key_kind_name(a->key), key_kind_name(d->key->kind));
	if (a->san && d->sans.len == 0)
		return err_set(err, ERR_USAGE, "RFC 7030 4.5: the CA wants a subjectAltName");
	return OK;
}

/* ---- the request ---- */

/* Made anew each time: the link belongs to the connection. */
static RESULT make_request(const struct device *d, const struct est_attributes *a, struct buf *out,
			   struct err *err)
{
	BUF subject = BUF_INIT;
	BUF exts = BUF_INIT;
	BUF link = BUF_INIT;
	BUF attrs = BUF_INIT;
	struct csr_template t = { 0 };

	TRY(check_wanted(d, a, err));
	TRY(put_subject(d, a, &subject, err));
	TRY(device_est_key_put_attrs(d, &attrs, err));
	if (d->sans.len)
		ext_put_san(&exts, buf_span(&d->sans), d->subject.len == 0);
	if (a->link)
		base64_put(&link, http_client_binding(d->http), 0);
	TRY(buf_check(&exts, err));
	TRY(buf_check(&link, err));
	t.subject = buf_span(&subject);
	t.exts = buf_span(&exts);
	t.challenge = buf_span(&link);
	t.attrs = buf_span(&attrs);
	return csr_build(&t, d->key, d->c, out, err);
}

/* ---- the answer ---- */

bool device_trusts(const struct device *d, const struct cert *cert)
{
	size_t i;

	for (i = 0; i < d->ca.n; i++)
		if (d->ca.trusted[i] && cert_is_ca(&d->ca.certs[i]) &&
		    name_equal(cert->issuer, d->ca.certs[i].subject) &&
		    cert_verify_signature(cert, d->c, d->ca.certs[i].spki, NULL) == OK)
			return true;
	return false;
}

static bool is_trusted_ca(const struct device *d, const struct cert *cert)
{
	size_t i;

	for (i = 0; i < d->ca.n; i++)
		if (d->ca.trusted[i] && span_eq(d->ca.certs[i].der, cert->der))
			return true;
	return false;
}

enum result device_check_signer(const struct device *d, const struct cms_signed *sd,
				const char *what, struct err *err)
{
	struct cert signer;

	TRY(cms_signed_signer(sd, &signer, err));
	TRY(cms_signed_verify(sd, d->c, signer.spki, err));
	if (is_trusted_ca(d, &signer) || device_trusts(d, &signer))
		return OK;
	return err_set(err, ERR_BAD_CHECK,
		       "%s is signed by somebody whose certificate is of no CA that is trusted",
		       what);
}

/* The certificate for our key, among what servers send with it. */
static RESULT find_cert(const struct device *d, struct span answer, struct buf *out,
			struct err *err)
{
	struct cms_signed sd;
	struct cert cert;
	size_t i;

	TRY(cms_signed_parse(answer, &sd, err));
	for (i = 0; i < sd.n_certs; i++) {
		if (cert_parse(sd.certs[i], &cert, NULL) != OK ||
		    !pubkey_same(cert.spki, key_spki(d->key)))
			continue;
		if (!device_trusts(d, &cert))
			return err_set(err, ERR_BAD_CHECK,
				       "the certificate is not signed by a CA that is trusted");
		buf_put(out, sd.certs[i]);
		return buf_check(out, err);
	}
	return err_set(err, ERR_BAD_CERT_ID,
		       "RFC 7030 4.2.3: no certificate for our key among the %zu of the answer",
		       sd.n_certs);
}

static enum est_enrolment how_of(const struct device *d)
{
	if (d->server_key)
		return EST_SERVER_KEY;
	return d->current_key ? EST_RENEW : EST_ENROL;
}

/* What is asked goes by the connection that it is linked with, if the server keeps that. */
static RESULT make_linked_request(struct device *d, struct buf *out, bool *linked, struct err *err)
{
	struct est_attributes a;

	TRY(fetch_wanted(d, &a, err));
	*linked = a.link;
	return make_request(d, &a, out, err);
}

static RESULT explain_link(enum result r, bool linked, const struct est_wait *wait, struct err *err)
{
	if (r == OK || r == ERR_BUSY || !linked || !wait->fresh)
		return r;
	return err_prefix(err, r,
			  "RFC 7030 3.5: the server has closed the connection that the request is "
			  "linked with before it took it");
}

static RESULT ask_simply(struct device *d, struct buf *certs, struct est_wait *wait,
			 struct err *err)
{
	const struct est_client client = client_of(d);
	BUF request = BUF_INIT;
	BUF_SECRET answer = BUF_INIT;
	bool linked = false;
	enum result r;

	TRY(make_linked_request(d, &request, &linked, err));
	r = est_client_enrol(&client, how_of(d), buf_span(&request), &answer, wait, err);
	TRY(explain_link(r, linked, wait, err));
	if (d->server_key)
		return device_est_key_take(d, buf_span(&answer), certs, err);
	*certs = buf_take(&answer);
	return OK;
}

static RESULT ask_fully(struct device *d, struct buf *certs, struct est_wait *wait, struct err *err)
{
	BUF request = BUF_INIT;
	bool linked = false;
	enum result r;

	if (d->server_key)
		return err_set(err, ERR_USAGE,
			       "RFC 7030 4.4: keys are made by servers for simple requests only");
	if (d->pend_token.len == 0)
		TRY(make_linked_request(d, &request, &linked, err));
	r = device_est_cmc_ask(d, buf_span(&request), certs, wait, err);
	return explain_link(r, linked, wait, err);
}

static RESULT enrol(struct device *d, struct err *err)
{
	struct est_wait wait = { .seconds = -1 };
	BUF certs = BUF_INIT;
	BUF cert = BUF_INIT;
	enum result r;

	TRY(connect_as(d, true, err));
	r = d->full_cmc ? ask_fully(d, &certs, &wait, err) : ask_simply(d, &certs, &wait, err);
	d->pending = r == ERR_BUSY && wait.approval;
	d->retry_after = wait.seconds;
	TRY(r);
	TRY(find_cert(d, buf_span(&certs), &cert, err));
	return device_take_cert(d, &cert, err);
}

const struct device_protocol device_est = {
	.get_ca = get_ca, .trust = trust, .get_wanted = get_wanted, .enrol = enrol
};
