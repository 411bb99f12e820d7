/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_listener.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "keeper/rule_tls.h"
#include "keeper/tls_key.h"
#include "pki/cert.h"
#include "pki/key_evp.h"
#include "pki/key_pkey.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "token/token.h"

#define CLIENT_CA_MAX (1u << 20)
#define CHAIN_MAX (1u << 20)
#define STAND_IN_LASTS 86400

struct tls_listener {
	struct tls_listener *retired; /* what it was before; its connections may go on */
	struct buf cert;              /* DER */
	struct buf issuer;            /* DER of what stands behind it; empty: nothing */
	enum tls_listener_staple staple;
	bool stand_in;           /* for a certificate that there is not yet */
	bool keyless;            /* the key was never there: one without a private half stands in */
	char away[ERR_TEXT_MAX]; /* why there is no key; "": there is */
	enum tls_clients clients;
	bool trust_later;
	struct buf client_ca; /* the file */
	struct buf trusted;   /* what tls_listener_trust() was given */
	struct key *key;
	struct key_pkey *pkey;
	struct tls_server *server;
};

static void free_one(struct tls_listener *t)
{
	tls_server_free(t->server);
	key_pkey_free(t->pkey);
	key_free(t->key);
	buf_clear(&t->cert);
	buf_clear(&t->issuer);
	buf_clear(&t->client_ca);
	buf_clear(&t->trusted);
	free(t);
}

void tls_listener_free(struct tls_listener *t)
{
	struct tls_listener *retired;

	for (; t; t = retired) {
		retired = t->retired;
		free_one(t);
	}
}

struct tls_server *tls_listener_get(const struct tls_listener *t)
{
	return t ? t->server : NULL;
}

const char *tls_listener_away(const struct tls_listener *t)
{
	return t->away;
}

struct span tls_listener_cert(const struct tls_listener *t)
{
	return t->stand_in ? SPAN_NONE : buf_span(&t->cert);
}

struct span tls_listener_issuer(const struct tls_listener *t)
{
	return buf_span(&t->issuer);
}

bool tls_listener_staple(struct tls_listener *t, enum tls_listener_staple state,
			 struct span response, int64_t until)
{
	bool news = state != t->staple;

	if (state != TLS_LISTENER_UNSTAPLED &&
	    tls_server_staple(t->server, response, until, NULL) != OK)
		return false; /* no memory: at the next look, perhaps */
	t->staple = state;
	return news;
}

/* The second certificate of the file; none is no error. */
static RESULT load_issuer(struct tls_listener *t, const char *path, struct err *err)
{
	BUF file = BUF_INIT;
	BUF leaf = BUF_INIT;
	struct span text;
	enum result r;

	TRY(file_read(path, CHAIN_MAX, &file, err));
	text = buf_span(&file);
	r = pem_next(&text, "CERTIFICATE", &leaf, err);
	if (r == OK)
		r = pem_next(&text, "CERTIFICATE", &t->issuer, err);
	if (r != ERR_NOT_FOUND)
		return r;
	err_clear(err);
	return OK;
}

/* With t->key at hand. */
static enum result make(struct tls_listener *t, const struct config_listener *l, struct err *err)
{
	struct tls_server_config config = { .certificate = l->tls_certificate,
					    .clients = l->clients,
					    .client_ca = l->client_ca,
					    .trust_later = l->client_authority != NULL };

	t->trust_later = config.trust_later;
	t->clients = l->clients;
	TRY(load_issuer(t, l->tls_certificate, err));
	if (l->client_ca)
		TRY(file_read(l->client_ca, CLIENT_CA_MAX, &t->client_ca, err));
	TRY(key_pkey_new(&t->pkey, t->key, err));
	config.key = key_pkey_get(t->pkey);
	return tls_server_new(&t->server, &config, err);
}

/* ---- a certificate that the server issues to itself ---- */

enum result tls_listener_own_key(const struct config_listener *l, struct keeper_client *keeper,
				 struct key **out, struct err *err)
{
	const struct key_rule rule = { .tls = true };
	struct key_spec spec = { KEY_EC_P256, 256 };
	char id[KEEPER_TLS_ID_MAX];
	enum result r;

	(void)snprintf(id, sizeof(id), "listener-%s", l->name);
	r = keeper_key_open(out, keeper, id, err);
	if (r != ERR_NOT_FOUND)
		return r;
	TRY(keeper_generate(keeper, id, spec, &rule, err));
	return keeper_key_open(out, keeper, id, err);
}

/* Is what lies there for this key? Its time is looked at by who renews it. */
static bool load_own(struct tls_listener *t, const struct config_listener *l)
{
	struct cert cert;

	return file_exists(l->tls_certificate) &&
	       cert_load(l->tls_certificate, &t->cert, NULL) == OK &&
	       cert_parse(buf_span(&t->cert), &cert, NULL) == OK &&
	       span_eq(cert.spki, key_spki(t->key));
}

/* ---- keys that are not there: every handshake fails ---- */

static enum result stand_in_sign(UNUSED struct key *k, UNUSED struct crypto *c,
				 UNUSED enum key_purpose purpose, UNUSED struct sig_alg alg,
				 UNUSED struct span message, UNUSED struct buf *out,
				 struct err *err)
{
	return err_set(err, ERR_BUSY, "this listener has no key yet");
}

static void stand_in_free(struct key *k)
{
	free(k);
}

static enum result make_stand_in_key(struct span spki, struct key **out, struct err *err)
{
	static const struct key_ops ops = { .sign = stand_in_sign, .free = stand_in_free };
	struct pubkey_info info;
	struct key *k;

	TRY(pubkey_inspect(spki, &info, err));
	k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem(err);
	k->ops = &ops;
	k->kind = info.kind;
	k->bits = info.bits;
	buf_put(&k->spki, spki);
	*out = k;
	return buf_check(&k->spki, err);
}

/* Until there is a certificate: one whose key nobody has any more. */

static enum result make_stand_in(struct tls_listener *t, const struct config_listener *l,
				 struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;
	struct cert_self self = { .not_before = clock_now(&clock) };
	struct key_spec spec = { KEY_EC_P256, 256 };
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	CLEANUP(key_freep) struct key *key = NULL;
	BUF name = BUF_INIT;
	BUF pem = BUF_INIT;

	t->stand_in = true;
	key_free(t->key);
	t->key = NULL;
	buf_clear(&t->cert);
	TRY(crypto_new(&c, false, err));
	TRY(key_evp_generate(&key, c, spec, err));
	TRY(make_stand_in_key(key_spki(key), &t->key, err));
	TRY(name_parse_text("CN=not issued yet", &name, err));
	self.subject = buf_span(&name);
	self.not_after = self.not_before + STAND_IN_LASTS;
	TRY(cert_self_signed(&self, key, c, &t->cert, err));
	pem_put(&pem, "CERTIFICATE", buf_span(&t->cert));
	TRY(buf_check(&pem, err));
	return file_write_atomic(l->tls_certificate, 0644, buf_span(&pem), err);
}

static enum result open_own(struct tls_listener *t, const struct config_listener *l,
			    struct keeper_client *keeper, struct err *err)
{
	TRY(tls_listener_own_key(l, keeper, &t->key, err));
	return load_own(t, l) ? OK : make_stand_in(t, l, err);
}

/* ---- the administrator's ---- */

static enum result open_key(struct tls_listener *t, struct crypto *c,
			    const struct config_listener *l, struct keeper_client *keeper,
			    struct err *err)
{
	char id[KEEPER_TLS_ID_MAX];
	struct cert cert;
	enum result r;

	TRY(cert_load(l->tls_certificate, &t->cert, err));
	TRY(cert_parse(buf_span(&t->cert), &cert, err));
	TRY(keeper_tls_key_id(c, cert.spki, id, err));
	r = keeper_key_open(&t->key, keeper, id, err);
	if (r == ERR_NOT_FOUND)
		return err_set(err, ERR_CONFIG,
			       "%s is not the private key of %s, or the keeper cannot read it",
			       l->tls_key, l->tls_certificate);
	return r;
}

/* ---- either ---- */

/* A token comes back; a file that cannot be read is for the administrator to mend. */
static bool is_away(const struct config_listener *l, enum result r)
{
	return (r == ERR_BUSY || r == ERR_TIMEOUT) && (l->own_ca || token_is_uri(l->tls_key));
}

/* With the certificate that there is; its public key has no other half for now. */
static RESULT do_without_key(struct tls_listener *t, const struct config_listener *l,
			     struct err *err)
{
	struct cert cert;

	if (l->own_ca && !file_exists(l->tls_certificate))
		return make_stand_in(t, l, err);
	key_free(t->key);
	t->key = NULL;
	buf_clear(&t->cert);
	TRY(cert_load(l->tls_certificate, &t->cert, err));
	TRY(cert_parse(buf_span(&t->cert), &cert, err));
	return make_stand_in_key(cert.spki, &t->key, err);
}

static RESULT open_any(struct tls_listener *t, const struct config_listener *l,
		       struct keeper_client *keeper, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	struct err why = { 0 };
	enum result r;

	TRY(crypto_new(&c, false, err));
	r = l->own_ca ? open_own(t, l, keeper, &why) : open_key(t, c, l, keeper, &why);
	if (is_away(l, r)) {
		t->keyless = true;
		(void)snprintf(t->away, sizeof(t->away), "%s", err_text(&why));
		return do_without_key(t, l, err);
	}
	return r == OK ? OK : err_set(err, r, "%s", err_text(&why));
}

enum result tls_listener_open(struct tls_listener **out, const struct config_listener *l,
			      struct keeper_client *keeper, struct err *err)
{
	CLEANUP(tls_listener_freep) struct tls_listener *t = calloc(1, sizeof(*t));
	enum result r;

	if (!t)
		return err_nomem(err);
	r = open_any(t, l, keeper, err);
	if (r == OK)
		r = make(t, l, err);
	if (r != OK)
		return err_prefix(err, r, "listener %s", l->name);
	*out = take(t);
	return OK;
}

/* The running server stays where it is, for the HTTP server has it; the rest changes places. */
static void swap(struct tls_listener *t, struct tls_listener *fresh)
{
	struct tls_listener old = *t;

	tls_server_swap(t->server, fresh->server);
	*t = *fresh;
	t->server = old.server;
	t->retired = fresh;
	old.server = fresh->server;
	*fresh = old;
}

static bool is_same(const struct tls_listener *a, const struct tls_listener *b)
{
	return span_eq(buf_span(&a->cert), buf_span(&b->cert)) && a->clients == b->clients &&
	       a->keyless == b->keyless && a->trust_later == b->trust_later &&
	       span_eq(buf_span(&a->client_ca), buf_span(&b->client_ca));
}

enum result tls_listener_renew(struct tls_listener *t, const struct config_listener *l,
			       struct keeper_client *keeper, bool *renewed, struct err *err)
{
	CLEANUP(tls_listener_freep) struct tls_listener *fresh = NULL;
	bool same;

	TRY(tls_listener_open(&fresh, l, keeper, err));
	if (fresh->keyless && !t->keyless)
		return err_set(err, ERR_BUSY, "listener %s: %s", l->name, fresh->away);
	same = is_same(fresh, t);
	if (!same)
		swap(t, take(fresh));
	*renewed = !same;
	return OK;
}

static RESULT sign_something(const struct tls_listener *t, struct crypto *c, struct err *err)
{
	struct sig_alg alg = sig_alg_for(t->key->kind);
	BUF message = BUF_INIT;
	BUF signature = BUF_INIT;

	alg.pss = t->key->kind == KEY_RSA; /* as TLS 1.3 wants it */
	TRY(rule_tls_put_trial(&message, err));
	return key_sign(t->key, c, KEY_FOR_TLS, alg, buf_span(&message), &signature, err);
}

bool tls_listener_try(struct tls_listener *t, const struct config_listener *l,
		      struct keeper_client *keeper, struct crypto *c)
{
	struct err err = { 0 };
	bool renewed = false;
	enum result r;

	if (t->stand_in)
		return false;
	r = t->keyless ? tls_listener_renew(t, l, keeper, &renewed, &err)
		       : sign_something(t, c, &err);
	if (r != OK)
		(void)snprintf(t->away, sizeof(t->away), "%s", err_text(&err));
	else if (!t->keyless)
		t->away[0] = '\0';
	return r == OK && renewed;
}

enum result tls_listener_trust(struct tls_listener *t, const struct span *cas, size_t n,
			       struct err *err)
{
	BUF all = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		buf_put(&all, cas[i]);
	TRY(buf_check(&all, err));
	if (span_eq(buf_span(&all), buf_span(&t->trusted)))
		return OK;
	TRY(tls_server_trust(t->server, cas, n, err));
	buf_clear(&t->trusted);
	t->trusted = buf_take(&all);
	return OK;
}

static enum result check_one(const struct config_listener *l, struct crypto *c, struct err *err)
{
	CLEANUP(tls_listener_freep) struct tls_listener *t = calloc(1, sizeof(*t));
	enum result r;

	if (!t)
		return err_nomem(err);
	/* it makes its own; or one in a token, which is for the keeper to see */
	if (!l->tls_key || token_is_uri(l->tls_key))
		return OK;
	r = key_evp_load(&t->key, c, l->tls_key, NULL, err);
	/* encrypted: the keeper, which has the passphrase, will see */
	if (r == ERR_DENIED)
		return OK;
	return r == OK ? make(t, l, err) : r;
}

enum result tls_listener_check(const struct config *config, struct err *err)
{
	CLEANUP(crypto_freep) struct crypto *c = NULL;
	enum result r;
	size_t i;

	TRY(crypto_new(&c, false, err));
	for (i = 0; i < config->n_listeners; i++) {
		if (!config->listeners[i].tls_certificate)
			continue;
		r = check_one(&config->listeners[i], c, err);
		if (r != OK)
			return err_prefix(err, r, "listener %s", config->listeners[i].name);
	}
	return OK;
}
