/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/rollover_watch.h"

#include "ca/ra_renewal.h"
#include "ca/rollover.h"

#define RETRY_US 60000000

struct look {
	struct server *s;
	const struct config *config;
	const struct authority *authority;
	struct crypto *c; /* made when it is first needed: hardly ever */
	int64_t now;
	bool changed;
};

static int64_t lead_of(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->n_cas; i++)
		if (strcmp(config->cas[i].name, name) == 0)
			return config->cas[i].auto_rollover;
	return 0;
}

static RESULT need_crypto(struct look *l, struct err *err)
{
	return l->c ? OK : crypto_new(&l->c, false, err);
}

/* ---- what may be due ---- */

static RESULT take_over(struct look *l, const struct authority_ca *ca, struct err *err)
{
	enum result r;

	if (ca->began)
		return OK;
	r = rollover_begin(l->s->store, ca, l->now, err);
	if (r == OK)
		log_info(&l->s->log, "a CA's next generation has taken over",
			 LOG_STR("ca", ca->name), LOG_INT("generation", ca->generation));
	l->changed = true;
	return r == ERR_CONFLICT ? OK : r;
}

static RESULT make_next(struct look *l, const struct authority_ca *ca, struct err *err)
{
	struct rollover rollover = { .store = l->s->store,
				     .keeper = l->s->keeper,
				     .now = l->now,
				     .ca = ca,
				     .actor = "auto_rollover" };
	enum result r;

	if (!rollover_is_due(ca, lead_of(l->config, ca->name), l->now))
		return OK;
	TRY(need_crypto(l, err));
	rollover.c = l->c;
	r = rollover_make(&rollover, err);
	if (r == OK && cert_is_self_issued(&ca->ca.cert))
		log_info(&l->s->log, "a CA's next generation is made", LOG_STR("ca", ca->name),
			 LOG_INT("generation", ca->last + 1));
	else if (r == OK)
		log_warning(&l->s->log,
			    "a CA ends soon, and another must sign its next certificate: "
			    "scepterctl ca request, then ca import",
			    LOG_STR("ca", ca->name));
	l->changed = true;
	return r == ERR_CONFLICT ? OK : r;
}

static RESULT renew_ra(struct look *l, const struct authority_ca *ca, struct err *err)
{
	if (!ra_renewal_is_due(ca, l->now))
		return OK;
	TRY(need_crypto(l, err));
	TRY(ra_renewal_make(l->s->store, l->s->keeper, l->c, l->now, ca, err));
	log_info(&l->s->log, "registration authority's certificate renewed",
		 LOG_STR("ca", ca->name), LOG_INT("generation", ca->generation));
	l->changed = true;
	return OK;
}

/* Devices go on with what they know until a CA ends: the RAs of its old generations, too. */
static RESULT renew_ras(struct look *l, const char *name, struct err *err)
{
	const struct authority_ca *ca;

	for (ca = authority_oldest(l->authority, name); ca; ca = ca->next)
		TRY(renew_ra(l, ca, err));
	return OK;
}

/* ---- all of it ---- */

static RESULT look_at_ca(struct look *l, const char *name, struct err *err)
{
	const struct authority_ca *ca = authority_find(l->authority, name, l->now);

	if (!ca)
		return OK;
	TRY(take_over(l, ca, err));
	TRY(make_next(l, ca, err));
	return renew_ras(l, name, err);
}

static void complain(struct rollover_watch *w, const struct server *s, const char *ca,
		     const struct err *err)
{
	w->not_before_us = clock_mono_us() + RETRY_US;
	log_error(&s->log, "what a CA needs in time could not be made; it is tried again",
		  LOG_STR("ca", ca), LOG_ERR(err));
}

void rollover_watch_look(struct rollover_watch *w, struct server *s)
{
	struct authority *authority = server_authority(s);
	struct look l = { .s = s,
			  .config = server_config(s),
			  .authority = authority,
			  .now = clock_now(&s->clock) };
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < authority_count(authority) && clock_mono_us() >= w->not_before_us; i++)
		if (look_at_ca(&l, authority_name(authority, i), &err) != OK)
			complain(w, s, authority_name(authority, i), &err);
	if (l.changed && server_load_authority(s, &err) != OK)
		complain(w, s, "", &err);
	crypto_free(l.c);
	config_unref(l.config);
	authority_unref(authority);
}
