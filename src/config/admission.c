/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: the proxies that a listener trusts, and who may come to an endpoint. */
#include <stdlib.h>

#include "config/build.h"

/* ---- listeners ---- */

enum result config_build_proxies(struct config_build *b, size_t i, struct err *err)
{
	const struct file_proxies *f = b->file->http.listeners[i].proxies;
	struct config_listener *l = &b->config->listeners[i];
	char place[CONFIG_PLACE];
	struct err why = { 0 };
	size_t j;

	if (!f)
		return OK;
	l->proxies = calloc(f->trusted_count + 1, sizeof(*l->proxies));
	if (!l->proxies)
		return err_nomem(err);
	l->n_proxies = f->trusted_count;
	l->proxy_optional = f->header == FILE_HEADER_OPTIONAL;
	for (j = 0; j < f->trusted_count; j++)
		if (address_block_parse(f->trusted[j], &l->proxies[j], &why) != OK)
			config_yaml_complain(
			    &b->yaml,
			    config_place(place, "http.listeners[%zu].proxies.trusted[%zu]", i, j),
			    "%s", err_text(&why));
	return OK;
}

/* ---- endpoints ---- */

struct making {
	struct config_item item;
	const struct file_endpoint *f;
};

static void read_rule(struct making *m, size_t j, struct admission_rule *out)
{
	const struct file_address_rule *f = &m->f->addresses[j];
	struct err why = { 0 };

	if (!f->allow == !f->deny) {
		COMPLAIN(m, AT(m, "addresses[%zu]", j),
			 "write either allow or deny, as in {allow: 192.0.2.0/24}");
		return;
	}
	out->allow = f->allow != NULL;
	if (address_block_parse(f->allow ? f->allow : f->deny, &out->block, &why) != OK)
		COMPLAIN(m, AT(m, "addresses[%zu].%s", j, f->allow ? "allow" : "deny"), "%s",
			 err_text(&why));
}

/* A rule that comes too late to count is not what its author meant. */
static void check_order(struct making *m, const struct admission_rule *rules, size_t n)
{
	bool someone = false;
	size_t i, j;

	for (i = 0; i < n; i++) {
		someone |= rules[i].allow;
		for (j = 0; j < i; j++)
			if (rules[j].block.bits <= rules[i].block.bits &&
			    address_block_has(&rules[j].block, &rules[i].block.first))
				break;
		if (j < i)
			COMPLAIN(m, AT(m, "addresses[%zu]", i),
				 "never counts: addresses[%zu] has all of it, and the first that "
				 "has an address counts; put it in front of that, or remove it",
				 j);
	}
	if (!someone)
		COMPLAIN(m, AT(m, "addresses"),
			 "nobody could come: who is in no rule is refused; end with {allow: all}, "
			 "or allow some");
}

static RESULT read_rules(struct making *m, struct admission_rule **out, struct err *err)
{
	size_t n = m->f->addresses_count, j;
	unsigned before = m->item.b->yaml.n_complaints;
	struct admission_rule *rules = calloc(n + 1, sizeof(*rules));

	if (!rules)
		return err_nomem(err);
	for (j = 0; j < n; j++)
		read_rule(m, j, &rules[j]);
	if (n && m->item.b->yaml.n_complaints == before)
		check_order(m, rules, n);
	*out = rules;
	return OK;
}

void config_read_rate(struct config_item *item, const char *setting, const char *text,
		      struct rate *out)
{
	struct err why = { 0 };

	if (text && rate_parse(text, out, &why) != OK)
		config_yaml_complain(&item->b->yaml, config_at(item, "%s", setting), "%s",
				     err_text(&why));
}

enum result config_build_admission(struct config_build *b, size_t i, struct err *err)
{
	struct making m = { .item = { .b = b, .list = "endpoints", .i = i },
			    .f = &b->file->endpoints[i] };
	struct admission_config config = { .n_rules = m.f->addresses_count };
	struct admission_rule *rules = NULL;
	enum result r = OK;

	if (m.f->limits)
		config_read_rate(&m.item, "limits.address", m.f->limits->address, &config.rate);
	if (!config.n_rules && !config.rate.count)
		return OK;
	TRY(read_rules(&m, &rules, err));
	config.rules = rules;
	r = admission_new(&b->config->endpoints[i].admission, &config, err);
	free(rules);
	return r;
}
