/* SPDX-License-Identifier: Apache-2.0 */
#include "config/generation_urls.h"

static bool is_issued_by(const struct config *config, const char *ca, const struct profile *p)
{
	size_t i;

	for (i = 0; i < config->n_endpoints; i++) {
		const struct enrol_policy *policy = config->endpoints[i].policy;

		if (policy && policy->profile == p && strcmp(policy->ca, ca) == 0)
			return true;
	}
	for (i = 0; i < config->n_listeners; i++) {
		const struct config_listener *l = &config->listeners[i];

		if (l->own_ca && l->own_profile && strcmp(l->own_ca, ca) == 0 &&
		    strcmp(l->own_profile, p->name) == 0)
			return true;
	}
	return false;
}

static void look_at(const struct profile *p, enum profile_url_kind kind, generation_url_fn *fn,
		    void *arg)
{
	bool list = kind == PROFILE_URL_LIST;
	char *const *urls = list ? p->cdp : p->ca_issuers;
	size_t n = list ? p->n_cdp : p->n_ca_issuers, i;

	for (i = 0; i < n; i++)
		if (!profile_url_follows(urls[i], kind))
			fn(arg, &(struct generation_url){
				    p->name, list ? "crl_urls" : "ca_issuer_urls", urls[i] });
}

void generation_urls_each(const struct config *config, const char *ca, generation_url_fn *fn,
			  void *arg)
{
	size_t i;

	for (i = 0; i < config->n_profiles; i++) {
		const struct profile *p = config->profiles[i];

		if (!is_issued_by(config, ca, p))
			continue;
		look_at(p, PROFILE_URL_LIST, fn, arg);
		look_at(p, PROFILE_URL_ISSUER, fn, arg);
	}
}

static void keep_first(void *arg, const struct generation_url *url)
{
	struct generation_url *first = arg;

	if (!first->url)
		*first = *url;
}

enum result generation_urls_check(const struct config *config, const char *ca, struct err *err)
{
	struct generation_url first = { 0 };

	generation_urls_each(config, ca, keep_first, &first);
	if (!first.url)
		return OK;
	return err_set(err, ERR_CONFLICT, "CA \"%s\": " GENERATION_URL_FMT, ca,
		       GENERATION_URL_ARGS(&first));
}
