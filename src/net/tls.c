/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Forward secrecy and AEAD only; TLS 1.3 has nothing else anyway. */
#define CIPHERS_TLS12 "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

struct tls_server {
	pthread_mutex_t lock; /* of ctx, which tls_server_swap exchanges */
	SSL_CTX *ctx;
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
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_TLS12) != 1)
		return err_set(err, ERR_INTERNAL, "TLS: %s", reason());
	(void)SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION |
					   SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* an idle connection gives its 34 KiB of buffers back */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	/* sessions are resumed by tickets; a cache would only cost memory and a lock */
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_num_tickets(ctx, 1);
	/* devices choke on being asked for a certificate: macOS shows a leaf only, Windows fails */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	TRY(load_chain(ctx, config->certificate, err));
	return use_key(ctx, config, err);
}

enum result tls_server_new(struct tls_server **out, const struct tls_server_config *config,
			   struct err *err)
{
	struct tls_server *t = calloc(1, sizeof(*t));
	enum result r;

	if (!t)
		return err_nomem(err);
	(void)pthread_mutex_init(&t->lock, NULL);
	t->ctx = SSL_CTX_new(TLS_server_method());
	r = t->ctx ? set_up(t->ctx, config, err) : err_nomem(err);
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
	SSL_CTX_free(t->ctx);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

void tls_server_swap(struct tls_server *t, struct tls_server *other)
{
	SSL_CTX *ctx;

	(void)pthread_mutex_lock(&t->lock);
	ctx = t->ctx;
	t->ctx = other->ctx;
	other->ctx = ctx;
	(void)pthread_mutex_unlock(&t->lock);
}

void *tls_server_ssl(struct tls_server *t)
{
	SSL *ssl;

	(void)pthread_mutex_lock(&t->lock);
	ssl = SSL_new(t->ctx);
	(void)pthread_mutex_unlock(&t->lock);
	return ssl;
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
