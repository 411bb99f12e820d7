/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cacerts (RFC 7030 4.1): whom devices of this endpoint are to trust. The CA with what is above it,
 * its next generation as soon as there is one, and the one before as long as what it has issued may
 * be valid, with the cross certificates between them (RFC 7030 4.1.3). Everyone may ask.
 */
#include "est/exchange.h"

struct list {
	struct span certs[CMS_CERTS_MAX];
	size_t n;
};

static void add(struct list *list, struct span cert)
{
	size_t i;

	if (cert.len == 0)
		return;
	for (i = 0; i < list->n; i++)
		if (span_eq(list->certs[i], cert))
			return;
	if (list->n < CMS_CERTS_MAX)
		list->certs[list->n++] = cert;
}

static void add_generation(struct list *list, const struct authority_ca *ca)
{
	size_t i;

	add(list, buf_span(&ca->ca.der));
	for (i = 0; i < ca->n_chain; i++)
		add(list, buf_span(&ca->chain[i]));
}

/* OldWithNew and NewWithOld: whoever trusts either finds to the other. */
static void add_cross(struct list *list, const struct authority_ca *ca, int64_t now)
{
	if (!ca->before || !authority_ca_is_alive(ca->before, now))
		return;
	add(list, buf_span(&ca->old_with_new));
	add(list, buf_span(&ca->new_with_old));
}

void est_cacerts(struct est_exchange *x, struct http_reply *reply)
{
	int64_t now = clock_now(x->service->enrol->clock);
	struct list list = { .n = 0 };

	add_generation(&list, x->ca);
	if (x->ca->next)
		add_generation(&list, x->ca->next);
	if (x->ca->before && authority_ca_is_alive(x->ca->before, now))
		add_generation(&list, x->ca->before);
	add_cross(&list, x->ca, now);
	if (x->ca->next)
		add_cross(&list, x->ca->next, now);
	est_reply_certs(x, list.certs, list.n, reply);
}
