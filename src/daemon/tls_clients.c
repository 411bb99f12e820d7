/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_clients.h"

#include "daemon/tls_listener.h"

static void trust(struct server *s, const struct authority *authority,
		  const struct config_listener *l, struct tls_listener *t)
{
	const struct authority_ca *ca = authority_oldest(authority, l->client_authority);
	struct span cas[STORE_CA_GENERATIONS_MAX];
	struct err err = { 0 };
	size_t n = 0;

	for (; ca && n < ARRAY_LEN(cas); ca = ca->next)
		cas[n++] = buf_span(&ca->ca.der);
	if (tls_listener_trust(t, cas, n, &err) != OK)
		log_error(&s->log, "client certificates: the CA is not trusted",
			  LOG_STR("listener", l->name), LOG_STR("ca", l->client_authority),
			  LOG_ERR(&err));
}

void tls_clients_trust_all(struct server *s)
{
	const struct config *config = server_config(s);
	struct authority *authority = server_authority(s);
	size_t i;

	(void)pthread_mutex_lock(&s->tls_lock);
	for (i = 0; i < config->n_listeners && s->tls; i++)
		if (s->tls[i] && config->listeners[i].client_authority)
			trust(s, authority, &config->listeners[i], s->tls[i]);
	(void)pthread_mutex_unlock(&s->tls_lock);
	authority_unref(authority);
	config_unref(config);
}
