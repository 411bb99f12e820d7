/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists of other CAs that are fetched: when they end, and whether that goes well. */
#include "daemon/metrics_page.h"

static const char *const labels[] = { "listener", "setting", "url", NULL };
static const struct exposition_family ends = {
	"scepter_client_crl_next_update_timestamp_seconds", EXPOSITION_GAUGE,
	"When a revocation list that was fetched is no longer valid.", labels
};
static const struct exposition_family failures = {
	"scepter_client_crl_fetch_failures", EXPOSITION_GAUGE,
	"Attempts to fetch it that have failed since the last that did not.", labels
};

static void tell_lists(const struct exposition_family *family, const char *listener,
		       const char *setting, const struct foreign_crl *lists, struct buf *out)
{
	struct foreign_crl_fetched fetched;
	size_t i;

	for (i = 0; i < foreign_crl_count(lists); i++) {
		if (!foreign_crl_fetched(lists, i, &fetched))
			continue;
		const char *const values[] = { listener, setting, fetched.url };

		if (family == &failures)
			exposition_value(family, values, fetched.failures, out);
		else if (fetched.next_update)
			exposition_value(family, values, (double)fetched.next_update, out);
	}
}

static void tell(const struct exposition_family *family, const struct config *config,
		 struct buf *out)
{
	size_t i;

	exposition_head(family, out);
	for (i = 0; i < config->n_listeners; i++) {
		const struct config_listener *l = &config->listeners[i];

		tell_lists(family, l->name, "tls", l->client_crl, out);
		tell_lists(family, l->name, "tls_proxy", l->tls_proxy.client_crl, out);
	}
}

void metrics_put_client_crl(struct server *s, struct buf *out)
{
	const struct config *config = server_config(s);

	tell(&ends, config, out);
	tell(&failures, config, out);
	config_unref(config);
}
