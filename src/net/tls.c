/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_staple.h"
#include "net/tls_trust.h"

/*
 * Forward secrecy and AEAD only; TLS 1.3 has nothing else anyway. AES-128 first: it is as strong as
 * the curves are, and its SHA-256 makes a handshake 8% cheaper than SHA-384.
 */
#define CIPHERS_TLS12 "ECDHE+AES128+AESGCM:ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
#define SUITES_TLS13 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

#define CHAIN_BYTES 32768 /* of a client's certificates */
#define SESSION_SECONDS 3600

/* What a connection is made of. */
struct identity {
	SSL_CTX *ctx;
	struct tls_staple *staple;
	enum tls_clients clients;
	struct tls_trust *trust; /* NULL: the handler decides */
	uint32_t trusts;         /* how many there were; a session belongs to one of them */
};

struct tls_server {
	pthread_mutex_t lock; /* of all */
	struct identity id;
};

/* The library's oldest reason is the cause; the later ones tell who passed it on. */
static const char *reason(void)
{
	unsigned long code = ERR_get_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	return text ? text : "unknown reason";
}

static enum result check_readable(const char *path, struct err *err)
{
	if (access(path, R_OK) != 0)
		return err_errno(err, errno, "cannot read the TLS certificate %s", path);
	return OK;
}

static enum result load_chain(SSL_CTX *ctx, const char *path, struct err *err)
{
	TRY(check_readable(path, err));
	if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
		return err_set(
		    err, ERR_CONFIG,
		    "TLS certificate %s: not a chain of PEM certificates, leaf first (%s)", path,
		    reason());
	return OK;
}

static enum result use_key(SSL_CTX *ctx, const struct tls_server_config *config, struct err *err)
{
	if (SSL_CTX_use_PrivateKey(ctx, config->key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return err_set(err, ERR_CONFIG,
			       "TLS: the private key does not belong to the certificate in %s (%s)",
			       config->certificate, reason());
	return OK;
}

static enum result set_up(SSL_CTX *ctx, const struct tls_server_config *config, struct err *err)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, SUITES_TLS13) != 1)
		return err_set(err, ERR_INTERNAL, "TLS: %s", reason());
	(void)SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
					   SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* an idle connection gives its 34 KiB of buffers back; a reply is tried again elsewhere */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* sessions are resumed by tickets; a cache would only cost memory and a lock */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 1);
	(void)SSL_CTX_set_timeout(ctx, SESSION_SECONDS);
	SSL_CTX_set_max_cert_list(ctx, CHAIN_BYTES);
	SSL_CTX_set_verify_depth(ctx, TLS_TRUST_DEPTH);
	TRY(load_chain(ctx, config->certificate, err));
	return use_key(ctx, config, err);
}

static RESULT set_up_trust(struct tls_server *t, const struct tls_server_config *config,
			   struct err *err)
{
	t->id.clients = config->clients;
	if (!config->client_ca && !config->trust_later)
		return OK;
	TRY(tls_trust_new(&t->id.trust, err));
	if (!config->client_ca)
		return OK;
	return tls_trust_add_file(t->id.trust, config->client_ca, err);
}

enum result tls_server_new(struct tls_server **out, const struct tls_server_config *config,
			   struct err *err)
{
	struct tls_server *t = calloc(1, sizeof(*t));
	enum result r;

	if (!t)
		return err_nomem(err);
	(void)pthread_mutex_init(&t->lock, NULL);
	t->id.ctx = SSL_CTX_new(TLS_server_method());
	r = t->id.ctx ? set_up(t->id.ctx, config, err) : err_nomem(err);
	if (r == OK)
		r = tls_staple_new(&t->id.staple, t->id.ctx, err);
	if (r == OK)
		r = set_up_trust(t, config, err);
	if (r != OK) {
		tls_server_free(t);
		return r;
	}
	*out = t;
	return OK;
}

void tls_server_free(struct tls_server *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->id.ctx);
	tls_staple_free(t->id.staple);
	tls_trust_free(t->id.trust);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

void tls_server_swap(struct tls_server *t, struct tls_server *other)
{
	struct identity id;

	(void)pthread_mutex_lock(&t->lock);
	id = t->id;
	t->id = other->id;
	other->id = id;
	(void)pthread_mutex_unlock(&t->lock);
}

enum result tls_server_trust(struct tls_server *t, const struct span *cas, size_t n,
			     struct err *err)
{
	CLEANUP(tls_trust_freep) struct tls_trust *trust = NULL;
	struct tls_trust *old;
	size_t i;

	TRY(tls_trust_new(&trust, err));
	for (i = 0; i < n; i++)
		TRY(tls_trust_add_der(trust, cas[i], err));
	(void)pthread_mutex_lock(&t->lock);
	old = t->id.trust;
	t->id.trust = take(trust);
	t->id.trusts++;
	(void)pthread_mutex_unlock(&t->lock);
	tls_trust_free(old);
	return OK;
}

enum result tls_server_staple(struct tls_server *t, struct span response, int64_t until,
			      struct err *err)
{
	enum result r;

	(void)pthread_mutex_lock(&t->lock);
	r = tls_staple_put(t->id.staple, response, until, err);
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

/* Whoever comes is let in; what was wrong is remembered as the connection's verify result. */
static int let_in(int ok, X509_STORE_CTX *ctx)
{
	(void)ok;
	(void)ctx;
	return 1;
}

/* False: no memory. */
static bool ask_for_certificate(const struct identity *id, SSL *ssl)
{
	bool strict = id->clients == TLS_CLIENTS_REQUIRE;

	SSL_set_verify(ssl, SSL_VERIFY_PEER | (strict ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
		       strict && id->trust ? NULL : let_in);
	/* without one a client that comes back is sent away; of another trust: a full handshake */
	if (SSL_set_session_id_context(ssl, (const unsigned char *)&id->trusts,
				       sizeof(id->trusts)) != 1)
		return false;
	/* whoever is let in with another's certificate shall show it: Java does not, where it is
	   named whose are wanted */
	return !id->trust || tls_trust_apply(id->trust, strict, ssl);
}

void *tls_server_ssl(struct tls_server *t)
{
	SSL *ssl;

	(void)pthread_mutex_lock(&t->lock);
	ssl = SSL_new(t->id.ctx);
	if (ssl && t->id.clients != TLS_CLIENTS_NONE && !ask_for_certificate(&t->id, ssl)) {
		SSL_free(ssl);
		ssl = NULL;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return ssl;
}

ssize_t tls_server_ssl_send(void *ssl, struct span plain)
{
	int n, why;

	if (plain.len > SSL3_RT_MAX_PLAIN_LENGTH)
		return 0;
	ERR_clear_error();
	n = SSL_write(ssl, plain.p, (int)plain.len);
	if (n > 0)
		return n;
	why = SSL_get_error(ssl, n);
	ERR_clear_error();
	return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? 0 : -1;
}

void tls_server_ssl_close(void *ssl)
{
	if (!ssl || !SSL_is_init_finished(ssl))
		return;
	SSL_set_quiet_shutdown(ssl, 0);
	(void)SSL_shutdown(ssl);
	ERR_clear_error();
}

void tls_server_ssl_free(void *ssl)
{
	SSL_free(ssl);
}
