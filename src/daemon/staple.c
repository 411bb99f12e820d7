/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/staple.h"

#include "daemon/tls_listener.h"
#include "pki/name.h"

void staple_clear(struct staple *staple)
{
	buf_clear(&staple->cert);
	buf_clear(&staple->issuer);
	buf_clear(&staple->response);
}

bool staple_begin(struct staple *staple, struct server *s, size_t i)
{
	const struct tls_listener *t = s->tls[i];

	if (!t)
		return false;
	(void)pthread_mutex_lock(&s->tls_lock);
	buf_put(&staple->cert, tls_listener_cert(t));
	buf_put(&staple->issuer, tls_listener_issuer(t));
	(void)pthread_mutex_unlock(&s->tls_lock);
	return staple->cert.len && !staple->cert.failed && !staple->issuer.failed;
}

static enum tls_listener_staple state_of(const struct staple *staple)
{
	if (staple->result != OK)
		return TLS_LISTENER_UNSTAPLED;
	if (staple->response.len == 0)
		return TLS_LISTENER_NO_STAPLE;
	return staple->revoked ? TLS_LISTENER_STAPLED_REVOKED : TLS_LISTENER_STAPLED;
}

static void tell(const struct staple *staple, const struct log *log, const char *listener)
{
	char until[CLOCK_TEXT_MAX];

	clock_format(staple->until, until);
	switch (state_of(staple)) {
	case TLS_LISTENER_NO_STAPLE:
		break;
	case TLS_LISTENER_STAPLED:
		log_info(log, "OCSP response stapled to the TLS certificate",
			 LOG_STR("listener", listener), LOG_STR("until", until));
		break;
	case TLS_LISTENER_STAPLED_REVOKED:
		log_warning(log, "the TLS certificate is revoked, and its OCSP response says so",
			    LOG_STR("listener", listener));
		break;
	case TLS_LISTENER_UNSTAPLED:
		log_warning(log, "no new OCSP response to staple to the TLS certificate",
			    LOG_STR("listener", listener), LOG_ERR(&staple->err));
		break;
	}
}

void staple_finish(const struct staple *staple, struct server *s, const struct config *config,
		   size_t i)
{
	struct tls_listener *t = s->tls[i];
	bool news = false;

	(void)pthread_mutex_lock(&s->tls_lock);
	if (span_eq(tls_listener_cert(t), buf_span(&staple->cert)))
		news = tls_listener_staple(t, state_of(staple), buf_span(&staple->response),
					   staple->until);
	(void)pthread_mutex_unlock(&s->tls_lock);
	if (news)
		tell(staple, &s->log, config->listeners[i].name);
}

/* ---- whose certificate it is ---- */

static const struct authority_ca *issuer_among(const struct authority_ca *ca, struct crypto *c,
					       const struct cert *cert)
{
	while (ca && (!name_equal(ca->ca.cert.subject, cert->issuer) ||
		      cert_verify_signature(cert, c, ca->ca.cert.spki, NULL) != OK))
		ca = ca->next;
	return ca;
}

const struct authority_ca *staple_issuer(const struct authority *a, struct crypto *c,
					 const struct cert *cert)
{
	const struct authority_ca *found = NULL;
	size_t i;

	for (i = 0; i < authority_count(a) && !found; i++)
		found = issuer_among(authority_oldest(a, authority_name(a, i)), c, cert);
	return found;
}
