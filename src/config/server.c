/* SPDX-License-Identifier: Apache-2.0 */
/* data, users, admin, audit and http. */
#include <arpa/inet.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "config/build.h"

#define DRAIN_SECONDS 10
#define CHECKPOINT_EVENTS 1000
#define CHECKPOINT_SECONDS 60
#define CHALLENGE_RETENTION (30 * (int64_t)86400)

/* They count when started as root only. */
static void check_user(struct config_build *b, const char *setting, const char *name)
{
	if (b->scope == CONFIG_AND_FILES && geteuid() == 0 && !getpwnam(name))
		config_yaml_complain(&b->yaml, setting,
				     "there is no user \"%s\"; make one, as by adduser --system %s",
				     name, name);
}

static void build_users(struct config_build *b)
{
	const char *user = b->file->user, *keeper = b->file->keeper_user;

	b->config->user = user;
	b->config->keeper_user = keeper;
	if (!user != !keeper) {
		config_yaml_complain(&b->yaml, user ? "user" : "keeper_user",
				     "stands without %s; the keeper is of use only as a user of "
				     "its own, so set both or none",
				     user ? "keeper_user" : "user");
	} else if (user && strcmp(user, keeper) == 0) {
		config_yaml_complain(&b->yaml, "keeper_user",
				     "is \"%s\" like user; give the keeper a user of its own, or "
				     "the server can read its keys",
				     keeper);
	} else if (user) {
		check_user(b, "user", user);
		check_user(b, "keeper_user", keeper);
	}
}

/* It is made at the start, if there is a folder for it. */
static void check_data(struct config_build *b)
{
	const char *data = b->file->data, *end = strrchr(data, '/');
	struct stat st;
	BUF parent = BUF_INIT;

	if (b->scope != CONFIG_AND_FILES)
		return;
	if (stat(data, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			config_yaml_complain(&b->yaml, "data", "%s is no directory", data);
		return;
	}
	buf_put(&parent, span_of(data, (size_t)(end - data)));
	if (stat(parent.len ? buf_cstr(&parent) : "/", &st) != 0)
		config_yaml_complain(&b->yaml, "data",
				     "%s: %s; make the directory that %s is to be in",
				     buf_cstr(&parent), strerror(errno), data);
}

/* Default: beside the store. Made in the file's structs, where it is freed with the rest. */
static enum result build_admin(struct config_build *b, struct err *err)
{
	struct file_config *f = b->file;

	if (!f->admin)
		f->admin = calloc(1, sizeof(*f->admin));
	if (!f->admin)
		return err_nomem(err);
	if (!f->admin->socket && asprintf(&f->admin->socket, "%s/admin.sock", f->data) < 0) {
		f->admin->socket = NULL;
		return err_nomem(err);
	}
	b->config->admin_socket = f->admin->socket;
	if (strlen(f->admin->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		config_yaml_complain(&b->yaml, "admin.socket",
				     "\"%s\" is longer than the %zu characters that a socket's "
				     "path may have; choose a shorter one",
				     f->admin->socket,
				     sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	return OK;
}

/* ---- listeners ---- */

void config_check_readable(struct config_build *b, const char *place, const char *path)
{
	if (b->scope == CONFIG_AND_FILES && access(path, R_OK))
		config_yaml_complain(&b->yaml, place, "%s: %s", path, strerror(errno));
}

static void check_address(struct config_build *b, size_t i, const char *address)
{
	char place[CONFIG_PLACE];
	struct in6_addr any;

	if (inet_pton(AF_INET, address, &any) != 1 && inet_pton(AF_INET6, address, &any) != 1)
		config_yaml_complain(&b->yaml,
				     config_place(place, "http.listeners[%zu].address", i),
				     "\"%s\" is no IPv4 or IPv6 address; write 0.0.0.0 or \"::\" "
				     "for all",
				     address);
}

/* One of all addresses of a family takes the port of each. */
static bool is_same_place(const struct config_listener *a, const struct config_listener *b)
{
	const char *all = strchr(a->address, ':') ? "::" : "0.0.0.0";

	return a->port && a->port == b->port &&
	       !strchr(a->address, ':') == !strchr(b->address, ':') &&
	       (strcmp(a->address, b->address) == 0 || strcmp(a->address, all) == 0 ||
		strcmp(b->address, all) == 0);
}

static void check_unlike_others(struct config_build *b, size_t i)
{
	const struct config_listener *l = b->config->listeners;
	char place[CONFIG_PLACE];
	size_t j;

	for (j = 0; j < i; j++) {
		if (strcmp(l[i].name, l[j].name) == 0)
			config_yaml_complain(&b->yaml,
					     config_place(place, "http.listeners[%zu].name", i),
					     "\"%s\" is the name of listeners[%zu] already; choose "
					     "another",
					     l[i].name, j);
		if (is_same_place(&l[i], &l[j]))
			config_yaml_complain(&b->yaml,
					     config_place(place, "http.listeners[%zu].port", i),
					     "%s port %u is listeners[%zu]'s already; choose "
					     "another",
					     l[j].address, l[i].port, j);
	}
}

static RESULT build_listener(struct config_build *b, size_t i, struct err *err)
{
	const struct file_listener *f = &b->file->http.listeners[i];
	struct config_listener *l = &b->config->listeners[i];
	char place[CONFIG_PLACE];

	*l = (struct config_listener){ .name = f->name, .address = f->address };
	config_check_name(b, config_place(place, "http.listeners[%zu].name", i), f->name);
	if (strcmp(f->name, "admin") == 0 || strcmp(f->name, CONFIG_METRICS) == 0)
		config_yaml_complain(&b->yaml, config_place(place, "http.listeners[%zu].name", i),
				     "\"%s\" is the name of %s; choose another", f->name,
				     f->name[0] == 'a' ? "the admin socket"
						       : "the listener of metrics");
	check_address(b, i, f->address);
	if (f->port > UINT16_MAX)
		config_yaml_complain(&b->yaml, config_place(place, "http.listeners[%zu].port", i),
				     "%u is no port: 1 to 65535, or 0 for any free one", f->port);
	l->port = (uint16_t)f->port;
	if (f->tls)
		TRY(config_build_tls(b, i, err));
	check_unlike_others(b, i);
	b->config->n_listeners++;
	TRY(config_build_tls_proxy(b, i, err));
	return config_build_proxies(b, i, err);
}

/* Those that serve the admin API beside its socket. Passwords are not sent in the clear. */
static void build_admin_listeners(struct config_build *b)
{
	const struct file_admin *f = b->file->admin;
	const struct config *c = b->config;
	char place[CONFIG_PLACE];
	size_t i, j;

	for (i = 0; i < f->listeners_count; i++) {
		(void)config_place(place, "admin.listeners[%zu]", i);
		for (j = 0; j < c->n_listeners; j++)
			if (strcmp(f->listeners[i], c->listeners[j].name) == 0)
				break;
		if (j == c->n_listeners)
			config_yaml_complain(&b->yaml, place,
					     "no listener is named \"%s\" under http.listeners",
					     f->listeners[i]);
		else if (!c->listeners[j].tls_certificate && !c->listeners[j].tls_proxy.operators)
			config_yaml_complain(
			    &b->yaml, place,
			    "listener \"%s\" is in the clear; give it tls (or tls_proxy with "
			    "operators: true), or name one that has",
			    f->listeners[i]);
		else
			b->config->admin_listeners |= UINT32_C(1) << j;
	}
}

/* ---- limits ---- */

struct limit_range {
	const char *group;
	const char *name;
	const unsigned *given; /* NULL: the default stays */
	unsigned min;
	unsigned max;
};

static unsigned limit_of(struct config_build *b, const struct limit_range *r, unsigned usual)
{
	char place[CONFIG_PLACE];

	if (!r->given)
		return usual;
	if (*r->given < r->min || *r->given > r->max)
		config_yaml_complain(&b->yaml, config_place(place, "%s.%s", r->group, r->name),
				     "%u is not within %u to %u", *r->given, r->min, r->max);
	return *r->given;
}

#define LIMIT(name, min, max)                                                                      \
	limit_of(b, &(struct limit_range){ "http.limits", #name, f->name, min, max },              \
		 (unsigned)l.name)

static void build_limits(struct config_build *b)
{
	static const struct file_limits none;
	const struct file_limits *f = b->file->http.limits ? b->file->http.limits : &none;
	struct http_limits l = HTTP_LIMITS_DEFAULT;

	l.header_bytes = LIMIT(header_bytes, 1024, 1 << 20);
	l.body_bytes = LIMIT(body_bytes, 4096, 64 << 20);
	l.header_seconds = LIMIT(header_seconds, 1, 3600);
	l.body_seconds = LIMIT(body_seconds, 1, 3600);
	l.write_seconds = LIMIT(write_seconds, 1, 3600);
	l.idle_seconds = LIMIT(idle_seconds, 1, 3600);
	l.connections = LIMIT(connections, 1, 1000000);
	l.connections_per_address = LIMIT(connections_per_address, 0, 1000000);
	l.queue = LIMIT(queue, 1, 1000000);
	b->config->limits = l;
	b->config->drain_seconds = limit_of(
	    b, &(struct limit_range){ "http.limits", "drain_seconds", f->drain_seconds, 0, 3600 },
	    DRAIN_SECONDS);
}

static void build_audit(struct config_build *b)
{
	static const struct file_audit none;
	const struct file_audit *f = b->file->audit ? b->file->audit : &none;

	b->config->checkpoint_events = limit_of(
	    b,
	    &(struct limit_range){ "audit", "checkpoint_events", f->checkpoint_events, 1, 1000000 },
	    CHECKPOINT_EVENTS);
	b->config->checkpoint_seconds = limit_of(
	    b,
	    &(struct limit_range){ "audit", "checkpoint_seconds", f->checkpoint_seconds, 1, 86400 },
	    CHECKPOINT_SECONDS);
}

static void build_challenges(struct config_build *b)
{
	const struct file_challenges *f = b->file->challenges;
	struct err why = { 0 };

	b->config->challenge_retention = CHALLENGE_RETENTION;
	if (f && f->retention &&
	    clock_parse_duration(f->retention, &b->config->challenge_retention, &why) != OK)
		config_yaml_complain(&b->yaml, "challenges.retention", "%s", err_text(&why));
}

static void build_threads(struct config_build *b)
{
	const struct file_http *f = &b->file->http;

	if (f->loops > 256)
		config_yaml_complain(&b->yaml, "http.loops", "%u event loops; at most 256",
				     f->loops);
	if (f->workers > 1024)
		config_yaml_complain(&b->yaml, "http.workers", "%u workers; at most 1024",
				     f->workers);
	if (f->requests > 8192)
		config_yaml_complain(&b->yaml, "http.requests", "%u requests at once; at most 8192",
				     f->requests);
	b->config->loops = f->loops;
	b->config->requests = f->requests;
	b->config->workers = f->workers;
}

enum result config_build_server(struct config_build *b, struct err *err)
{
	size_t i;

	b->config->data = b->file->data;
	check_data(b);
	build_users(b);
	config_build_log(b);
	config_build_keys(b);
	TRY(build_admin(b, err));
	build_limits(b);
	build_audit(b);
	build_challenges(b);
	build_threads(b);
	for (i = 0; i < b->file->http.listeners_count; i++)
		TRY(build_listener(b, i, err));
	config_build_metrics(b);
	build_admin_listeners(b);
	return OK;
}
