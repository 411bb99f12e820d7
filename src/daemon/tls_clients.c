/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_clients.h"

#include "daemon/tls_listener.h"
#include "net/tls_verifier.h"

/* All generations of the CA. */
static size_t collect(const struct authority *authority, const char *name,
		      struct span cas[STORE_CA_GENERATIONS_MAX])
{
	const struct authority_ca *ca = authority_oldest(authority, name);
	size_t n = 0;

	for (; ca && n < STORE_CA_GENERATIONS_MAX; ca = ca->next)
		cas[n++] = buf_span(&ca->ca.der);
	return n;
}

static void report(struct server *s, const struct config_listener *l, const char *ca, enum result r,
		   const struct err *err)
{
	if (r != OK)
		log_error(&s->log, "client certificates: the CA is not trusted",
			  LOG_STR("listener", l->name), LOG_STR("ca", ca), LOG_ERR(err));
}

static void trust(struct server *s, const struct authority *authority,
		  const struct config_listener *l, size_t i)
{
	const char *own = l->client_authority, *told = l->tls_proxy.client_authority;
	struct span cas[STORE_CA_GENERATIONS_MAX];
	struct err err = { 0 };
	size_t n;

	if (s->tls[i] && own) {
		n = collect(authority, own, cas);
		report(s, l, own, tls_listener_trust(s->tls[i], cas, n, &err), &err);
	}
	if (s->verifiers[i] && told) {
		n = collect(authority, told, cas);
		report(s, l, told, tls_verifier_trust(s->verifiers[i], cas, n, &err), &err);
	}
}

void tls_clients_trust_all(struct server *s)
{
	const struct config *config = server_config(s);
	struct authority *authority = server_authority(s);
	size_t i;

	(void)pthread_mutex_lock(&s->tls_lock);
	for (i = 0; i < config->n_listeners && s->tls; i++)
		trust(s, authority, &config->listeners[i], i);
	(void)pthread_mutex_unlock(&s->tls_lock);
	authority_unref(authority);
	config_unref(config);
}
