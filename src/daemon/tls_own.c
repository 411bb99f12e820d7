/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_own.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/file.h"
#include "base/hex.h"
#include "config/own_tls.h"
#include "daemon/staple_own.h"
#include "daemon/tls_clients.h"
#include "daemon/tls_listener.h"
#include "der/oid.h"
#include "der/writer.h"
#include "pki/ext.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/san.h"
#include "store/revocation.h"

/* One listener whose certificate is due. */
struct renewal {
	struct server *s;
	const struct config *config;
	const struct config_listener *l;
	struct tls_listener *t;
	const struct authority_ca *ca;
};

static const struct profile *find_profile(const struct renewal *r)
{
	size_t i;

	for (i = 0; i < r->config->n_profiles; i++)
		if (strcmp(r->config->profiles[i]->name, r->l->own_profile) == 0)
			return r->config->profiles[i];
	return NULL;
}

/* ---- is it time? ---- */

static bool is_old(const struct cert *cert, int64_t now)
{
	return now >= cert->not_after ||
	       now - cert->not_before > (cert->not_after - cert->not_before) / 3 * 2;
}

static bool is_for_other_names(const struct renewal *r, const struct cert *cert)
{
	BUF names = BUF_INIT;
	struct ext san = { 0 };

	return ext_find(cert->exts, OID_SUBJECT_ALT_NAME, &san, NULL) != OK ||
	       own_tls_put_sans(r->l, &names, NULL) != OK ||
	       !san_equal(san.value, buf_span(&names));
}

/* One for the same key would be no better where that is what was lost. */
static bool is_revoked(const struct renewal *r, const struct cert *cert)
{
	struct store_status status = { 0 };

	if (store_find_status(r->s->store, r->l->own_ca, cert->serial, &status, NULL) != OK ||
	    !status.revoked || status.reason == CRL_CERTIFICATE_HOLD)
		return false;
	if (status.reason != CRL_KEY_COMPROMISE)
		return true;
	log_error(&r->s->log,
		  "the TLS certificate is revoked for its key's sake; end the server, remove the "
		  "key and the certificate, and start it again",
		  LOG_STR("listener", r->l->name), LOG_STR("certificate", r->l->tls_certificate));
	return false;
}

static bool is_due(const struct renewal *r)
{
	struct span der = tls_listener_cert(r->t);
	struct cert cert;

	return der.len == 0 || cert_parse(der, &cert, NULL) != OK ||
	       is_old(&cert, clock_now(&r->s->clock)) || is_for_other_names(r, &cert) ||
	       is_revoked(r, &cert);
}

/* ---- the next one ---- */

/* The certificate that is renewed names the transaction, so that each is renewed once. */
static RESULT put_transaction(const struct renewal *r, struct buf *out, struct err *err)
{
	struct span der = tls_listener_cert(r->t);
	struct cert cert;

	buf_printf(out, "listener-%s", r->l->name);
	if (der.len) {
		TRY(cert_parse(der, &cert, err));
		buf_put_byte(out, '-');
		hex_put(out, cert.serial);
	}
	return buf_check(out, err);
}

static RESULT decide(const struct renewal *r, struct enrol_request *req, struct crypto *c,
		     struct buf *cert, struct err *err)
{
	const struct enrol_context enrol = { .store = r->s->store, .clock = &r->s->clock };
	struct enrol_outcome outcome = { .status = ENROL_REJECTED };
	enum result result = ca_enrol(&enrol, c, req, &outcome, err);

	if (result == OK && outcome.status != ENROL_ISSUED)
		result = err_set(err, ERR_CONFIG, "%s", outcome.reason);
	if (result == OK)
		*cert = buf_take(&outcome.cert);
	enrol_outcome_clear(&outcome);
	return result;
}

/* Without a device: the server vouches for itself, on record under the listener's name. */
static RESULT issue(const struct renewal *r, struct crypto *c, struct buf *cert, struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	char endpoint[STORE_NAME_MAX];
	struct enrol_policy policy = { .endpoint = endpoint,
				       .ca = r->l->own_ca,
				       .profile = find_profile(r) };
	struct enrol_trace trace = { 0 };
	BUF subject = BUF_INIT;
	BUF exts = BUF_INIT;
	BUF id = BUF_INIT;
	struct enrol_request req = { .policy = &policy,
				     .ca = r->ca,
				     .vouched = "the server itself",
				     .anew = true,
				     .peer = "self",
				     .log = &r->s->log,
				     .trace = &trace };

	if (!policy.profile)
		return err_set(err, ERR_CONFIG, "no profile \"%s\"", r->l->own_profile);
	(void)snprintf(endpoint, sizeof(endpoint), "listener:%.48s", r->l->name);
	TRY(tls_listener_own_key(r->l, r->s->keeper, &key, err));
	TRY(own_tls_put_names(r->l, &subject, &exts, err));
	TRY(put_transaction(r, &id, err));
	req.transaction_id = buf_span(&id);
	req.subject = buf_span(&subject);
	req.exts = buf_span(&exts);
	req.spki = key_spki(key);
	return decide(r, &req, c, cert, err);
}

/* ---- the exchange ---- */

static RESULT put_in_place(const struct renewal *r, struct span cert, struct err *err)
{
	bool renewed = false;
	BUF pem = BUF_INIT;
	size_t i;

	pem_put(&pem, "CERTIFICATE", cert);
	pem_put(&pem, "CERTIFICATE", buf_span(&r->ca->ca.der));
	for (i = 0; i < r->ca->n_chain; i++)
		pem_put(&pem, "CERTIFICATE", buf_span(&r->ca->chain[i]));
	TRY(buf_check(&pem, err));
	TRY(file_write_atomic(r->l->tls_certificate, 0644, buf_span(&pem), err));
	TRY(tls_listener_renew(r->t, r->l, r->s->keeper, &renewed, err));
	log_info(&r->s->log, "TLS certificate issued to this server",
		 LOG_STR("listener", r->l->name));
	return OK;
}

static RESULT renew(const struct renewal *r, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	BUF cert = BUF_INIT;

	TRY(crypto_new(&c, false, err));
	TRY(issue(r, c, &cert, err));
	return put_in_place(r, buf_span(&cert), err);
}

static void look_at(struct renewal *r, const struct authority *authority)
{
	struct err err = { 0 };

	if (!r->t || !r->l->own_ca || !is_due(r))
		return;
	r->ca = authority_find(authority, r->l->own_ca, clock_now(&r->s->clock));
	if (!r->ca)
		log_warning(&r->s->log, "no TLS certificate yet: scepterctl ca init",
			    LOG_STR("listener", r->l->name), LOG_STR("ca", r->l->own_ca));
	else if (renew(r, &err) != OK)
		log_error(&r->s->log, "TLS certificate not renewed",
			  LOG_STR("listener", r->l->name), LOG_ERR(&err));
}

/* What is there now, renewed or not. */
static void staple_all(struct server *s)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct err err = { 0 };

	if (crypto_new(&c, false, &err) == OK)
		staple_own_all(s, c);
	else
		log_error(&s->log, "nothing is stapled to TLS certificates", LOG_ERR(&err));
}

void tls_own_renew_all(struct server *s)
{
	const struct config *config = server_config(s);
	struct authority *authority = server_authority(s);
	size_t i;

	(void)pthread_mutex_lock(&s->tls_lock);
	for (i = 0; i < config->n_listeners && s->tls; i++) {
		struct renewal r = {
			.s = s, .config = config, .l = &config->listeners[i], .t = s->tls[i]
		};

		look_at(&r, authority);
	}
	(void)pthread_mutex_unlock(&s->tls_lock);
	authority_unref(authority);
	config_unref(config);
	/* a renewed listener trusts nobody yet */
	tls_clients_trust_all(s);
	staple_all(s);
}
