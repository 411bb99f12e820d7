/* SPDX-License-Identifier: Apache-2.0 */
#include "net/tls_staple.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"

struct tls_staple {
	pthread_mutex_t lock; /* of both */
	struct buf response;
	int64_t until;
};

/* The library frees what it is given. NULL: nothing to show, or no memory. */
static unsigned char *copy_of(struct tls_staple *s, size_t *len)
{
	const struct clock clock = CLOCK_SYSTEM;
	unsigned char *copy = NULL;

	(void)pthread_mutex_lock(&s->lock);
	*len = s->response.len;
	if (*len && clock_now(&clock) < s->until)
		copy = OPENSSL_memdup(s->response.data, *len);
	(void)pthread_mutex_unlock(&s->lock);
	return copy;
}

static int show(SSL *ssl, void *arg)
{
	size_t len = 0;
	unsigned char *copy = copy_of(arg, &len);

	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	if (SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)len) == 1)
		return SSL_TLSEXT_ERR_OK;
	OPENSSL_free(copy);
	return SSL_TLSEXT_ERR_NOACK;
}

enum result tls_staple_new(struct tls_staple **out, SSL_CTX *ctx, struct err *err)
{
	struct tls_staple *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)SSL_CTX_set_tlsext_status_cb(ctx, show);
	(void)SSL_CTX_set_tlsext_status_arg(ctx, s);
	*out = s;
	return OK;
}

void tls_staple_free(struct tls_staple *s)
{
	if (!s)
		return;
	buf_clear(&s->response);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

enum result tls_staple_put(struct tls_staple *s, struct span response, int64_t until,
			   struct err *err)
{
	BUF fresh = BUF_INIT;
	struct buf old;

	buf_put(&fresh, response);
	TRY(buf_check(&fresh, err));
	(void)pthread_mutex_lock(&s->lock);
	old = s->response;
	s->response = buf_take(&fresh);
	s->until = until;
	(void)pthread_mutex_unlock(&s->lock);
	buf_clear(&old);
	return OK;
}
