/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/staple_own.h"

#include "daemon/serve_ocsp.h"
#include "daemon/staple.h"
#include "ocsp/staple.h"

#define VALIDITY 3600 /* of a response, where no endpoint answers for the CA */

/* One listener's. */
struct making {
	struct server *s;
	struct crypto *c;
	const struct config *config;
	struct staple staple;
};

static void making_clear(struct making *m)
{
	staple_clear(&m->staple);
}

/* One response then does for both. */
static struct ocsp_endpoint endpoint_of(const struct config *config, const char *ca)
{
	size_t i;

	for (i = 0; i < config->n_endpoints; i++)
		if (config->endpoints[i].protocol == CONFIG_OCSP &&
		    strcmp(config->endpoints[i].ca, ca) == 0)
			return config->endpoints[i].ocsp;
	return (struct ocsp_endpoint){ .name = "", .validity = VALIDITY };
}

static RESULT answer(struct making *m, const struct authority_ca *issuer, const struct cert *cert,
		     struct err *err)
{
	const struct ocsp_endpoint endpoint = endpoint_of(m->config, issuer->name);
	const struct ocsp_source source = { .store = m->s->store,
					    .cache = m->s->ocsp_cache,
					    .endpoint = &endpoint,
					    .now = clock_now(&m->s->clock) };
	struct ocsp_said said = { .state = OCSP_UNKNOWN };

	TRY(ocsp_staple_make(&source, m->c, issuer, cert, &said, &m->staple.response, err));
	m->staple.until = said.next_update;
	m->staple.revoked = said.state == OCSP_REVOKED;
	return OK;
}

/* False: the certificate is not of a CA of ours. */
static bool renew_responder(const struct making *m, const struct cert *cert)
{
	struct authority *authority = server_authority(m->s);
	const struct authority_ca *issuer = staple_issuer(authority, m->c, cert);

	if (issuer)
		serve_ocsp_renew(m->s, m->c, issuer->name);
	authority_unref(authority);
	return issuer != NULL;
}

/* False: this one has nothing to say of it. */
static bool make(struct making *m)
{
	const struct authority_ca *issuer;
	struct authority *authority;
	struct cert cert;

	if (cert_parse(buf_span(&m->staple.cert), &cert, NULL) != OK || !renew_responder(m, &cert))
		return false;
	authority = server_authority(m->s);
	issuer = staple_issuer(authority, m->c, &cert);
	if (issuer)
		m->staple.result = answer(m, issuer, &cert, &m->staple.err);
	authority_unref(authority);
	return issuer != NULL;
}

static void look_at(struct server *s, struct crypto *c, const struct config *config, size_t i)
{
	enum config_stapling wanted = config->listeners[i].stapling;
	CLEANUP(making_clear) struct making m = { .s = s, .c = c, .config = config };

	if (!staple_begin(&m.staple, s, i))
		return;
	/* others' certificates are for who fetches, or have nothing any more */
	if ((wanted != CONFIG_STAPLING_OFF && make(&m)) || wanted != CONFIG_STAPLING_FETCH)
		staple_finish(&m.staple, s, config, i);
}

void staple_own_all(struct server *s, struct crypto *c)
{
	const struct config *config = server_config(s);
	size_t i;

	for (i = 0; i < config->n_listeners && s->tls; i++)
		look_at(s, c, config, i);
	config_unref(config);
}
