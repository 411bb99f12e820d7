/* SPDX-License-Identifier: Apache-2.0 */
/* endpoints of protocol crl: struct crl_plan made of them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "config/build.h"

#define DAY 86400
#define VALIDITY (7 * DAY)
#define INTERVAL DAY

struct making {
	struct config_item item;
	const struct file_endpoint *f;
	struct config_endpoint *e;
};

static void read_duration(struct making *m, const char *setting, const char *text, int64_t *out)
{
	struct err err = { 0 };

	if (text && clock_parse_duration(text, out, &err) != OK)
		COMPLAIN(m, AT(m, "%s", setting), "%s", err_text(&err));
	else if (*out <= 0)
		COMPLAIN(m, AT(m, "%s", setting), "must be longer than nothing");
}

static void read_full_after(struct making *m, const struct file_crl *f)
{
	struct err err = { 0 };

	if (!f->delta || f->parts)
		COMPLAIN(
		    m, AT(m, "crl.full_after"),
		    "goes with crl.delta and without crl.parts: else the complete list is made "
		    "anew with each change");
	else if (clock_parse_duration(f->full_after, &m->e->crl.full_after, &err) != OK)
		COMPLAIN(m, AT(m, "crl.full_after"), "%s", err_text(&err));
}

static void check_url(struct making *m, const char *url)
{
	size_t len = strlen(url);

	if (strncmp(url, "http://", 7) != 0 || len < 8 || len > 400 || url[len - 1] == '/')
		COMPLAIN(m, AT(m, "crl.url"),
			 "must begin with http://, for whoever fetches a list over TLS needs one "
			 "first, and not end with '/'");
}

static void check_alone(struct making *m)
{
	size_t j;

	for (j = 0; j < m->item.i; j++)
		if (m->item.b->file->endpoints[j].protocol == FILE_PROTOCOL_CRL &&
		    strcmp(m->item.b->file->endpoints[j].ca, m->f->ca) == 0)
			COMPLAIN(m, AT(m, "ca"), "this CA has an endpoint of protocol crl already");
}

static void read_plan(struct making *m, const struct file_crl *f)
{
	struct crl_plan *plan = &m->e->crl;

	plan->url = f->url;
	plan->parts = f->parts;
	read_duration(m, "crl.validity", f->validity, &plan->validity);
	read_duration(m, "crl.interval", f->interval, &plan->interval);
	if (f->delta)
		read_duration(m, "crl.delta", f->delta, &plan->delta_interval);
	if (f->full_after)
		read_full_after(m, f);
	if (f->url)
		check_url(m, f->url);
	if (f->parts > CRL_PARTS_MAX)
		COMPLAIN(m, AT(m, "crl.parts"), "at most 256");
	if (f->parts && !f->url)
		COMPLAIN(m, AT(m, "crl.parts"),
			 "needs crl.url: a part says where it is (RFC 5280 5.2.5)");
}

enum result config_build_crl(struct config_build *b, size_t i, struct err *err)
{
	struct making m = { .item = { .b = b, .list = "endpoints", .i = i },
			    .f = &b->file->endpoints[i],
			    .e = &b->config->endpoints[i] };
	struct crl_plan *plan = &m.e->crl;

	*plan = (struct crl_plan){ .ca = m.f->ca, .validity = VALIDITY, .interval = INTERVAL };
	if (asprintf(&m.e->crl_directory, "%s/crl/%s", b->config->data, m.f->ca) < 0) {
		m.e->crl_directory = NULL;
		return err_nomem(err);
	}
	plan->directory = m.e->crl_directory;
	check_alone(&m);
	if (m.f->crl)
		read_plan(&m, m.f->crl);
	if (plan->interval >= plan->validity)
		COMPLAIN(
		    &m, AT(&m, "crl.interval"),
		    "must be shorter than crl.validity, or there is a time without a valid list");
	return OK;
}
