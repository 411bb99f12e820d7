/* SPDX-License-Identifier: Apache-2.0 */
/* cas: what CAs do by themselves. */
#include <stdlib.h>

#include "base/clock.h"
#include "ca/profile_url.h"
#include "daemon/config_build.h"

struct making {
	struct config_item item;
	const struct file_ca *f;
	struct config_ca *ca;
};

static void check_name(struct making *m)
{
	size_t n = strspn(m->f->name, "abcdefghijklmnopqrstuvwxyz0123456789-"), j;

	if (n == 0 || m->f->name[n] || n >= STORE_NAME_MAX)
		COMPLAIN(m, AT(m, "name"), "\"%s\" is no CA's name: a-z, 0-9 and -", m->f->name);
	for (j = 0; j < m->item.i; j++)
		if (strcmp(m->f->name, m->item.b->file->cas[j].name) == 0)
			COMPLAIN(m, AT(m, "name"), "\"%s\" is the name of cas[%zu] already",
				 m->f->name, j);
}

/* ---- URLs of certificates that the next generation issues ---- */

static void check_urls(struct making *m, const char *profile, const char *setting,
		       char *const *urls, size_t n, enum profile_url_kind kind)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!profile_url_follows(urls[i], kind))
			COMPLAIN(m, AT(m, "auto_rollover"),
				 "profile \"%s\" has %s \"%s\", which would lead from "
				 "certificates of the next generation to what is of the first: "
				 "put " PROFILE_GENERATION " into it",
				 profile, setting, urls[i]);
}

static void check_profile(struct making *m, const char *name)
{
	const struct file_config *file = m->item.b->file;
	size_t i;

	for (i = 0; i < file->profiles_count; i++) {
		const struct file_profile *p = &file->profiles[i];

		if (strcmp(p->name, name) != 0)
			continue;
		check_urls(m, name, "crl_urls", p->crl_urls, p->crl_urls_count, PROFILE_URL_LIST);
		check_urls(m, name, "ca_issuer_urls", p->ca_issuer_urls, p->ca_issuer_urls_count,
			   PROFILE_URL_ISSUER);
	}
}

/* Has an endpoint before this one been looked at for the same CA and profile? */
static bool is_seen(const struct file_config *file, size_t at)
{
	const struct file_endpoint *e = &file->endpoints[at];
	size_t i;

	for (i = 0; i < at; i++)
		if (file->endpoints[i].profile && strcmp(file->endpoints[i].ca, e->ca) == 0 &&
		    strcmp(file->endpoints[i].profile, e->profile) == 0)
			return true;
	return false;
}

static void check_profiles(struct making *m)
{
	const struct file_config *file = m->item.b->file;
	size_t i;

	for (i = 0; i < file->endpoints_count; i++)
		if (file->endpoints[i].profile && strcmp(file->endpoints[i].ca, m->f->name) == 0 &&
		    !is_seen(file, i))
			check_profile(m, file->endpoints[i].profile);
}

static void build(struct making *m)
{
	struct err why = { 0 };

	check_name(m);
	m->ca->name = m->f->name;
	if (!m->f->auto_rollover)
		return;
	if (clock_parse_duration(m->f->auto_rollover, &m->ca->auto_rollover, &why) != OK)
		COMPLAIN(m, AT(m, "auto_rollover"), "%s", err_text(&why));
	else if (m->ca->auto_rollover <= 0)
		COMPLAIN(m, AT(m, "auto_rollover"),
			 "must be longer than nothing, as in 30d; remove it to have none");
	else
		check_profiles(m);
}

enum result config_build_cas(struct config_build *b, struct err *err)
{
	struct config *c = b->config;
	size_t i;

	c->cas = calloc(b->file->cas_count + 1, sizeof(*c->cas));
	if (!c->cas)
		return err_nomem(err);
	for (i = 0; i < b->file->cas_count; i++) {
		struct making m = { .item = { .b = b, .list = "cas", .i = i },
				    .f = &b->file->cas[i],
				    .ca = &c->cas[i] };

		build(&m);
	}
	c->n_cas = b->file->cas_count;
	return OK;
}
