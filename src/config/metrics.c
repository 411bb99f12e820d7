/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: where monitoring asks. */
#include <arpa/inet.h>
#include <sys/un.h>

#include "config/build.h"

static void build_socket(struct config_build *b, const struct file_metrics *f)
{
	const size_t most = sizeof(((struct sockaddr_un *)0)->sun_path);

	if (f->address || f->port)
		config_yaml_complain(&b->yaml, "metrics.socket",
				     "stands beside address or port; write either a Unix socket or "
				     "an address and its port");
	if (strlen(f->socket) >= most)
		config_yaml_complain(&b->yaml, "metrics.socket",
				     "\"%s\" is longer than the %zu characters that a socket's "
				     "path may have; choose a shorter one",
				     f->socket, most - 1);
	if (strcmp(f->socket, b->config->admin_socket) == 0)
		config_yaml_complain(&b->yaml, "metrics.socket",
				     "is the admin socket already; choose another path");
	b->config->metrics_socket = f->socket;
}

static void check_unlike_listeners(struct config_build *b)
{
	const struct config_listener *m = &b->config->metrics;
	size_t i;

	for (i = 0; i < b->config->n_listeners; i++) {
		const struct config_listener *l = &b->config->listeners[i];

		if (m->port && l->port == m->port && strcmp(l->address, m->address) == 0)
			config_yaml_complain(&b->yaml, "metrics.port",
					     "%s port %u is that of listener \"%s\" already; "
					     "metrics need one of their own",
					     l->address, l->port, l->name);
	}
}

static void build_address(struct config_build *b, const struct file_metrics *f)
{
	struct config_listener *m = &b->config->metrics;
	struct in6_addr any;

	*m = (struct config_listener){ .name = CONFIG_METRICS,
				       .address = f->address ? f->address : "127.0.0.1" };
	if (inet_pton(AF_INET, m->address, &any) != 1 && inet_pton(AF_INET6, m->address, &any) != 1)
		config_yaml_complain(&b->yaml, "metrics.address",
				     "\"%s\" is no IPv4 or IPv6 address; write 0.0.0.0 or \"::\" "
				     "for all",
				     m->address);
	if (!f->port)
		config_yaml_complain(&b->yaml, "metrics",
				     "has neither port nor socket; write one of them");
	else if (*f->port > UINT16_MAX)
		config_yaml_complain(&b->yaml, "metrics.port",
				     "%u is no port: 1 to 65535, or 0 for any free one", *f->port);
	else
		m->port = (uint16_t)*f->port;
	check_unlike_listeners(b);
}

void config_build_metrics(struct config_build *b)
{
	const struct file_metrics *f = b->file->metrics;

	if (f && f->socket)
		build_socket(b, f);
	else if (f)
		build_address(b, f);
}
