/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/server_admin.h"

#include <stdatomic.h>
#include <unistd.h>

#include "config/generation_urls.h"
#include "daemon/tls_own.h"

static enum result authorities_changed(void *ctx, struct err *err)
{
	TRY(server_load_authority(ctx, err));
	tls_own_renew_all(ctx);
	return OK;
}

static void each_endpoint(void *ctx, admin_endpoint_fn *fn, void *arg)
{
	const struct config *config = server_config(ctx);
	size_t i;

	for (i = 0; i < config->n_endpoints; i++) {
		const struct config_endpoint *e = &config->endpoints[i];

		fn(arg, &(struct admin_endpoint){ .name = e->name,
						  .protocol = config_protocol_name(e->protocol),
						  .path = e->path,
						  .ca = e->ca });
	}
	config_unref(config);
}

static enum result with_policy(void *ctx, const char *endpoint, admin_policy_fn *fn, void *arg,
			       struct err *err)
{
	const struct config *config = server_config(ctx);
	struct authority *authority = server_authority(ctx);
	int64_t now = clock_now(&((struct server *)ctx)->clock);
	enum result r = err_set(err, ERR_NOT_FOUND,
				"the configuration has no endpoint \"%s\" any more", endpoint);
	size_t i;

	for (i = 0; i < config->n_endpoints; i++) {
		const struct config_endpoint *e = &config->endpoints[i];
		const struct enrol_policy *policy = e->policy;

		if (policy && strcmp(e->name, endpoint) == 0)
			r = fn(arg, policy, authority_find(authority, policy->ca, now), err);
	}
	authority_unref(authority);
	config_unref(config);
	return r;
}

static enum result with_ca(void *ctx, const char *name, admin_ca_fn *fn, void *arg, struct err *err)
{
	struct server *s = ctx;
	struct authority *authority = server_authority(s);
	const struct authority_ca *ca = authority_find(authority, name, clock_now(&s->clock));
	enum result r = OK;

	if (ca)
		r = fn(arg, ca, err);
	else
		r = err_set(err, ERR_NOT_FOUND, "CA \"%.64s\": %.400s", name,
			    authority_why_none(authority, name));
	authority_unref(authority);
	return r;
}

static enum result check_urls(void *ctx, const char *ca, struct err *err)
{
	const struct config *config = server_config(ctx);
	enum result r = generation_urls_check(config, ca, err);

	config_unref(config);
	return r;
}

static void http_stats(void *ctx, struct http_server_stats *out)
{
	struct server *s = ctx;
	const struct http_server *http = atomic_load(&s->http);

	if (http)
		http_server_stats(http, out);
}

void server_admin_init(struct server *s)
{
	s->admin = (struct admin_api){
		.store = s->store,
		.keeper = s->keeper,
		.audit = s->audit,
		.clock = &s->clock,
		.log = &s->log,
		.own_uid = geteuid(),
		.started = clock_now(&s->clock),
		.ctx = s,
		.changed = authorities_changed,
		.each_endpoint = each_endpoint,
		.with_policy = with_policy,
		.with_ca = with_ca,
		.check_urls = check_urls,
		.http_stats = http_stats,
	};
}
