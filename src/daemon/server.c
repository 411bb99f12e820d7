/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/file.h"
#include "config/generation_urls.h"
#include "daemon/tls_clients.h"

/* ---- snapshots ---- */

const struct config *server_config(struct server *s)
{
	const struct config *c;

	(void)pthread_mutex_lock(&s->lock);
	c = config_ref(s->config);
	(void)pthread_mutex_unlock(&s->lock);
	return c;
}

struct authority *server_authority(struct server *s)
{
	struct authority *a;

	(void)pthread_mutex_lock(&s->lock);
	a = authority_ref(s->authority);
	(void)pthread_mutex_unlock(&s->lock);
	return a;
}

void server_set_config(struct server *s, const struct config *config)
{
	const struct config *old;

	(void)pthread_mutex_lock(&s->lock);
	old = s->config;
	s->config = config;
	atomic_fetch_add(&s->epoch, 1);
	(void)pthread_mutex_unlock(&s->lock);
	config_unref(old);
}

static void log_faults(const struct server *s, const struct authority *a)
{
	size_t i;

	for (i = 0; i < authority_count(a); i++)
		if (*authority_fault(a, i))
			log_error(&s->log, "CA is not whole; the others are not concerned",
				  LOG_STR("ca", authority_name(a, i)),
				  LOG_STR("fault", authority_fault(a, i)));
}

static void swap_authority(struct server *s, struct authority *made)
{
	struct authority *old;

	log_faults(s, made);
	(void)pthread_mutex_lock(&s->lock);
	old = s->authority;
	s->authority = made;
	atomic_fetch_add(&s->epoch, 1);
	(void)pthread_mutex_unlock(&s->lock);
	if (old)
		authority_unref(old);
}

enum result server_load_authority(struct server *s, struct err *err)
{
	struct authority *made = NULL;
	enum result r;

	(void)pthread_mutex_lock(&s->loading);
	r = authority_load(&made, s->store, s->keeper, err);
	if (r == OK)
		swap_authority(s, made);
	(void)pthread_mutex_unlock(&s->loading);
	if (r == OK)
		tls_clients_trust_all(s);
	return r;
}

/* ---- revocation lists ---- */

static struct authority *authority_of(void *ctx)
{
	return server_authority(ctx);
}

enum result server_set_plans(struct server *s, struct err *err)
{
	struct crl_plan plans[CONFIG_ENDPOINTS_MAX];
	const struct config *config = server_config(s);
	char folder[PATH_MAX];
	size_t i, n = 0;
	enum result r = OK;

	for (i = 0; i < config->n_endpoints; i++)
		if (config->endpoints[i].protocol == CONFIG_CRL)
			plans[n++] = config->endpoints[i].crl;
	(void)snprintf(folder, sizeof(folder), "%s/crl", config->data);
	if (n)
		r = file_mkdir(folder, 0755, err);
	if (r == OK)
		r = crl_publisher_set(s->publisher, plans, n, err);
	config_unref(config);
	return r;
}

enum result server_start_publisher(struct server *s, struct err *err)
{
	const struct crl_publisher_config config = { .store = s->store,
						     .clock = &s->clock,
						     .log = s->log,
						     .authority = authority_of,
						     .ctx = s };

	TRY(crl_publisher_new(&s->publisher, &config, err));
	s->admin.publisher = s->publisher;
	return server_set_plans(s, err);
}

/* ---- URLs that were good for one generation ---- */

static bool has_later(const struct authority *a, const char *name)
{
	const struct authority_ca *ca = authority_oldest(a, name);

	return ca && (ca->generation > 1 || ca->next || ca->planned);
}

void server_warn_of_urls(struct server *s)
{
	const struct config *config = server_config(s);
	struct authority *a = server_authority(s);
	size_t i;

	for (i = 0; i < authority_count(a); i++) {
		const char *name = authority_name(a, i);
		struct err err = { 0 };

		if (has_later(a, name) && generation_urls_check(config, name, &err) != OK)
			log_warning(&s->log,
				    "certificates of this CA name what is of another generation",
				    LOG_STR("ca", name), LOG_STR("reason", err_text(&err)));
	}
	authority_unref(a);
	config_unref(config);
}
