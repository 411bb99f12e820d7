/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_watch.h"

#include <stdio.h>

#include "daemon/tls_clients.h"
#include "daemon/tls_listener.h"
#include "store/alarm.h"

#define ACTOR "scepterd"

bool tls_watch_is_away(struct server *s, size_t i, char why[ERR_TEXT_MAX])
{
	why[0] = '\0';
	(void)pthread_mutex_lock(&s->tls_lock);
	if (s->tls && s->tls[i])
		(void)snprintf(why, ERR_TEXT_MAX, "%s", tls_listener_away(s->tls[i]));
	(void)pthread_mutex_unlock(&s->tls_lock);
	return why[0] != '\0';
}

/* Is it back? What is still wrong with it becomes the reason. */
static bool try_again(struct server *s, const struct config_listener *l, struct tls_listener *t)
{
	struct err err = { 0 };
	bool renewed = false;
	enum result r;

	(void)pthread_mutex_lock(&s->tls_lock);
	r = tls_listener_renew(t, l, s->keeper, &renewed, &err);
	(void)pthread_mutex_unlock(&s->tls_lock);
	if (r != OK)
		log_warning(&s->log, "TLS key not taken", LOG_STR("listener", l->name),
			    LOG_ERR(&err));
	return r == OK && renewed;
}

static void tell(struct server *s, const char *listener, const char *why)
{
	char name[STORE_ALARM_MAX], reason[ERR_TEXT_MAX];
	const struct store_event event = { .time = clock_now(&s->clock),
					   .kind = why ? "tls.unavailable" : "tls.available",
					   .actor = ACTOR,
					   .reason = reason };
	struct err err = { 0 };
	bool changed = false;
	enum result r;

	(void)snprintf(name, sizeof(name), "tls.unavailable %s", listener);
	(void)snprintf(reason, sizeof(reason), "listener %s: %.400s", listener,
		       why ? why : "its key is there again");
	r = why ? store_raise_alarm(s->store, name, &event, &changed, &err)
		: store_end_alarm(s->store, name, &event, &changed, &err);
	if (r != OK)
		log_error(&s->log, "alarm not recorded", LOG_STR("alarm", event.kind),
			  LOG_ERR(&err));
	else if (changed)
		log_warning(&s->log, "alarm", LOG_STR("alarm", event.kind),
			    LOG_STR("reason", reason));
}

void tls_watch_look(struct server *s)
{
	const struct config *config = server_config(s);
	char why[ERR_TEXT_MAX];
	bool back = false;
	size_t i;

	for (i = 0; i < config->n_listeners && s->tls; i++) {
		const struct config_listener *l = &config->listeners[i];

		if (!s->tls[i])
			continue;
		if (tls_watch_is_away(s, i, why))
			back |= try_again(s, l, s->tls[i]);
		tell(s, l->name, tls_watch_is_away(s, i, why) ? why : NULL);
	}
	config_unref(config);
	/* who has come back trusts nobody yet */
	if (back)
		tls_clients_trust_all(s);
}
