/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tls_watch.h"

#include <stdio.h>

#include "daemon/tls_clients.h"
#include "daemon/tls_listener.h"
#include "store/alarm.h"
#include "token/token.h"

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

/* Of keys in files one finds out when they are opened. */
static bool is_in_token(const struct config *config, const struct config_listener *l)
{
	return l->own_ca ? config->keys.store && token_is_uri(config->keys.store)
			 : token_is_uri(l->tls_key);
}

/* Is it another one now? */
static bool try_key(struct server *s, struct crypto *c, const struct config_listener *l,
		    struct tls_listener *t)
{
	bool renewed;

	(void)pthread_mutex_lock(&s->tls_lock);
	renewed = tls_listener_try(t, l, s->keeper, c);
	(void)pthread_mutex_unlock(&s->tls_lock);
	return renewed;
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

void tls_watch_look(struct server *s, struct crypto *c, bool all)
{
	const struct config *config = server_config(s);
	char why[ERR_TEXT_MAX];
	bool back = false;
	size_t i;

	for (i = 0; i < config->n_listeners && s->tls; i++) {
		const struct config_listener *l = &config->listeners[i];

		if (!s->tls[i] || !is_in_token(config, l))
			continue;
		if (all || tls_watch_is_away(s, i, why))
			back |= try_key(s, c, l, s->tls[i]);
		tell(s, l->name, tls_watch_is_away(s, i, why) ? why : NULL);
	}
	config_unref(config);
	/* who has come back trusts nobody yet */
	if (back)
		tls_clients_trust_all(s);
}
