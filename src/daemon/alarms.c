/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/alarms.h"

#include <stdio.h>

#include "base/hex.h"
#include "store/alarm.h"

#define ACTOR "scepterd"
#define DAY ((int64_t)86400)
#define LATE_SECONDS 60 /* that a list may be late beyond half its interval */

struct look {
	struct server *server;
	int64_t now;
	struct span missed;  /* lists that were not there at the last look */
	struct buf *missing; /* nor at this one */
};

static void report(const struct look *l, enum result r, bool changed,
		   const struct store_event *event, const struct err *err)
{
	const struct log *log = &l->server->log;

	if (r != OK)
		log_error(log, "alarm not recorded", LOG_STR("alarm", event->kind), LOG_ERR(err));
	else if (changed)
		log_warning(log, "alarm", LOG_STR("alarm", event->kind), LOG_STR("ca", event->ca),
			    LOG_STR("reason", event->reason));
}

/* ---- certificates that end ---- */

/* Days; 0: it has longer. */
static unsigned threshold_of(int64_t left)
{
	static const unsigned thresholds[] = { 1, 7, 30 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(thresholds); i++)
		if (left <= thresholds[i] * DAY)
			return thresholds[i];
	return 0;
}

static void look_at_cert(const struct look *l, const struct authority_ca *ca, const char *role,
			 const struct ca_identity *id)
{
	unsigned days = id->der.len ? threshold_of(id->cert.not_after - l->now) : 0;
	char name[STORE_ALARM_MAX], reason[256], end[CLOCK_TEXT_MAX];
	struct store_event event = { .time = l->now,
				     .kind = "ca.expiring",
				     .ca = ca->name,
				     .serial = id->cert.serial,
				     .actor = ACTOR,
				     .reason = reason };
	BUF serial = BUF_INIT;
	struct err err = { 0 };
	bool raised = false;
	enum result r;

	if (!days)
		return;
	hex_put(&serial, id->cert.serial);
	clock_format(id->cert.not_after, end);
	(void)snprintf(name, sizeof(name), "ca.expiring %s %s %u", ca->name,
		       serial.len ? buf_cstr(&serial) : role, days);
	(void)snprintf(reason, sizeof(reason),
		       "certificate of %s, generation %u, ends at %s: %s %u day%s", role,
		       ca->generation, end, id->cert.not_after < l->now ? "over, within" : "within",
		       days, days == 1 ? "" : "s");
	r = store_raise_alarm(l->server->store, name, &event, &raised, &err);
	report(l, r, raised, &event, &err);
}

/* Those before the one in charge may end: the next has taken over. */
static void look_at_ca(const struct look *l, const struct authority_ca *ca)
{
	for (; ca; ca = ca->next) {
		look_at_cert(l, ca, "the CA", &ca->ca);
		look_at_cert(l, ca, "the RA", &ca->ra_sign);
		if (!ca->ra_one)
			look_at_cert(l, ca, "the RA (encryption)", &ca->ra_encrypt);
	}
}

/* ---- lists that are not renewed ---- */

/* At the first look one that was never made may be under way. */
static const char *why_missing(const struct look *l, const char *name)
{
	size_t len = strlen(name) + 1;

	buf_put(l->missing, span_of(name, len));
	return l->missed.len && memmem(l->missed.p, l->missed.len, name, len)
		   ? "it could not be made yet"
		   : NULL;
}

/* NULL: all is well. */
static const char *why_stale(const struct look *l, const struct crl_plan *plan, size_t list,
			     const struct crl_file *file)
{
	int64_t interval = list == CRL_DELTA ? plan->delta_interval : plan->interval;

	if (l->now >= file->record.next_update)
		return "its nextUpdate is over: whoever checks it refuses every certificate";
	if (l->now > file->record.this_update + interval + interval / 2 + LATE_SECONDS)
		return "the next one is overdue";
	return NULL;
}

struct list {
	const char *alarm;
	const char *name;
	const struct authority_ca *ca;
};

static void tell_list(const struct look *l, const struct list *list, const char *why)
{
	const struct authority_ca *ca = list->ca;
	char reason[256];
	struct store_event event = { .time = l->now,
				     .kind = why ? "crl.stale" : "crl.fresh",
				     .ca = ca->name,
				     .actor = ACTOR,
				     .reason = reason };
	struct err err = { 0 };
	bool changed = false;
	enum result r;

	(void)snprintf(reason, sizeof(reason), "%s, generation %u: %s", list->name, ca->generation,
		       why ? why : "renewed again");
	r = why ? store_raise_alarm(l->server->store, list->alarm, &event, &changed, &err)
		: store_end_alarm(l->server->store, list->alarm, &event, &changed, &err);
	report(l, r, changed, &event, &err);
}

static void look_at_list(const struct look *l, const struct crl_plan *plan,
			 const struct authority_ca *ca, size_t number)
{
	char name[CRL_NAME_MAX], alarm[STORE_ALARM_MAX];
	const struct list list = { alarm, name, ca };
	struct crl_file *file;
	const char *why;

	crl_plan_name(number, name);
	(void)snprintf(alarm, sizeof(alarm), "crl.stale %s %u/%s", ca->name, ca->generation, name);
	file = crl_publisher_get(l->server->publisher, ca->name, ca->generation, span_str(name));
	why = file ? why_stale(l, plan, number, file) : why_missing(l, alarm);
	if (why || file)
		tell_list(l, &list, why);
	crl_file_unref(file);
}

static void look_at_lists(const struct look *l, const struct crl_plan *plan,
			  const struct authority_ca *ca)
{
	size_t i;

	for (i = 0; i < crl_plan_lists(plan); i++)
		if (i != CRL_DELTA || (plan->delta_interval && plan->url))
			look_at_list(l, plan, ca, i);
}

/* ---- all ---- */

static void look_at_all(const struct look *l, const struct config *config,
			const struct authority *authority)
{
	const struct authority_ca *ca;
	size_t i;

	for (i = 0; i < authority_count(authority); i++)
		look_at_ca(l, authority_find(authority, authority_name(authority, i), l->now));
	for (i = 0; i < config->n_endpoints; i++) {
		const struct config_endpoint *e = &config->endpoints[i];

		if (e->protocol != CONFIG_CRL)
			continue;
		for (ca = authority_oldest(authority, e->ca); ca; ca = ca->next)
			if (authority_ca_is_alive(ca, l->now))
				look_at_lists(l, &e->crl, ca);
	}
}

void alarms_look(struct alarms *a, struct server *s)
{
	struct authority *authority = server_authority(s);
	const struct config *config = server_config(s);
	struct buf missing = BUF_INIT;
	const struct look l = { s, clock_now(&s->clock), buf_span(&a->missing), &missing };

	look_at_all(&l, config, authority);
	config_unref(config);
	authority_unref(authority);
	buf_clear(&a->missing);
	a->missing = missing;
}

void alarms_clear(struct alarms *a)
{
	buf_clear(&a->missing);
}
