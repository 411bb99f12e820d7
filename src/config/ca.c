/* SPDX-License-Identifier: Apache-2.0 */
/* cas: what CAs do by themselves. */
#include <stdlib.h>

#include "base/clock.h"
#include "config/build.h"
#include "config/generation_urls.h"

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

static void complain_of(void *arg, const struct generation_url *url)
{
	struct making *m = arg;

	COMPLAIN(m, AT(m, "auto_rollover"), GENERATION_URL_FMT, GENERATION_URL_ARGS(url));
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
		generation_urls_each(m->item.b->config, m->f->name, complain_of, m);
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
