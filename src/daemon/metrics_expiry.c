/* SPDX-License-Identifier: Apache-2.0 */
/* What ends and when: a moment, and the days that are left of it. */
#include <stdio.h>

#include "daemon/metrics_page.h"

#define DAY 86400.0

static const char *const cert_labels[] = { "ca", "generation", "role", NULL };
static const struct exposition_family cert_ends = {
	"scepter_certificate_not_after_timestamp_seconds", EXPOSITION_GAUGE,
	"End of an authority's own certificate.", cert_labels
};
static const struct exposition_family cert_days = { "scepter_certificate_expiry_days",
						    EXPOSITION_GAUGE,
						    "Days until then; negative: it has ended.",
						    cert_labels };

static const char *const list_labels[] = { "ca", "list", NULL };
static const struct exposition_family list_ends = {
	"scepter_crl_next_update_timestamp_seconds", EXPOSITION_GAUGE,
	"When a published revocation list is no longer valid.", list_labels
};
static const struct exposition_family list_days = { "scepter_crl_expiry_days", EXPOSITION_GAUGE,
						    "Days until then; negative: it has ended.",
						    list_labels };
static const struct exposition_family list_entries = { "scepter_crl_entries", EXPOSITION_GAUGE,
						       "Certificates on the list.", list_labels };

/* A family's samples are told one after another, so that what ends is gone through for each. */
struct telling {
	const struct exposition_family *family;
	int64_t now;
	struct buf *out;
};

static double value_of(const struct telling *t, int64_t end)
{
	if (t->family == &cert_days || t->family == &list_days)
		return (double)(end - t->now) / DAY;
	return (double)end;
}

/* ---- certificates ---- */

static void tell_cert(const struct telling *t, const struct authority_ca *ca, const char *role,
		      const struct ca_identity *id)
{
	char number[16];
	const char *const values[] = { ca->name, number, role };

	if (!id->der.len)
		return;
	(void)snprintf(number, sizeof(number), "%u", ca->generation);
	exposition_value(t->family, values, value_of(t, id->cert.not_after), t->out);
}

static void tell_generation(const struct telling *t, const struct authority_ca *ca)
{
	tell_cert(t, ca, "ca", &ca->ca);
	if (ca->has_ra)
		tell_cert(t, ca, ca->ra_one ? "ra" : "ra-sign", &ca->ra_sign);
	if (ca->has_ra && !ca->ra_one)
		tell_cert(t, ca, "ra-encrypt", &ca->ra_encrypt);
	tell_cert(t, ca, "ocsp", &ca->ocsp);
}

static void tell_certs(const struct telling *t, const struct authority *authority)
{
	const struct authority_ca *ca;
	size_t i;

	exposition_head(t->family, t->out);
	for (i = 0; i < authority_count(authority); i++)
		for (ca = authority_oldest(authority, authority_name(authority, i)); ca;
		     ca = ca->next)
			tell_generation(t, ca);
}

/* ---- revocation lists ---- */

static void tell_list(const struct telling *t, const char *ca, const char *name,
		      const struct crl_file *file)
{
	const char *const values[] = { ca, name };
	double value = t->family == &list_entries ? (double)file->record.entries
						  : value_of(t, file->record.next_update);

	exposition_value(t->family, values, value, t->out);
}

/* By the name under which it is served: of later generations "2/full.crl". */
static void tell_plan(const struct telling *t, struct crl_publisher *publisher,
		      const struct crl_plan *plan, const struct authority_ca *ca)
{
	char name[CRL_NAME_MAX], shown[CRL_NAME_MAX + 16];
	struct crl_file *file;
	size_t i;

	for (i = 0; i < crl_plan_lists(plan); i++) {
		crl_plan_name(i, name);
		(void)snprintf(shown, sizeof(shown), "%u/%s", ca->generation, name);
		file = crl_publisher_get(publisher, plan->ca, ca->generation, span_str(name));
		if (file)
			tell_list(t, plan->ca, ca->generation > 1 ? shown : name, file);
		crl_file_unref(file);
	}
}

static void tell_lists(const struct telling *t, struct server *s, const struct config *config,
		       const struct authority *authority)
{
	const struct authority_ca *ca;
	size_t i;

	exposition_head(t->family, t->out);
	for (i = 0; i < config->n_endpoints; i++) {
		const struct config_endpoint *e = &config->endpoints[i];

		if (e->protocol != CONFIG_CRL)
			continue;
		for (ca = authority_oldest(authority, e->ca); ca; ca = ca->next)
			tell_plan(t, s->publisher, &e->crl, ca);
	}
}

void metrics_put_expiry(struct server *s, struct buf *out)
{
	const struct exposition_family *const certs[] = { &cert_ends, &cert_days };
	const struct exposition_family *const lists[] = { &list_ends, &list_days, &list_entries };
	struct authority *authority = server_authority(s);
	const struct config *config = server_config(s);
	struct telling t = { .now = clock_now(&s->clock), .out = out };
	size_t i;

	for (i = 0; i < ARRAY_LEN(certs); i++) {
		t.family = certs[i];
		tell_certs(&t, authority);
	}
	for (i = 0; i < ARRAY_LEN(lists); i++) {
		t.family = lists[i];
		tell_lists(&t, s, config, authority);
	}
	config_unref(config);
	authority_unref(authority);
}
