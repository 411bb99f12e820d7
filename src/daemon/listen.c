/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define BACKLOG 4096
#define PATIENCE_US 2000000

union socket_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
};

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static enum result set_option(int fd, int level, int name, int value, struct err *err)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		return err_errno(err, errno, "socket option %d/%d", level, name);
	return OK;
}

/*
 * A daemon that was killed leaves children behind for the moment that they take to die: its
 * addresses are free again soon. True: try once more.
 */
static bool be_patient(int64_t since)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	if (clock_mono_us() - since > PATIENCE_US)
		return false;
	(void)nanosleep(&pause, NULL);
	return true;
}

static int bind_patiently(int fd, const struct sockaddr *address, socklen_t len)
{
	int64_t since = clock_mono_us();

	while (bind(fd, address, len))
		if (errno != EADDRINUSE || !be_patient(since))
			return -1;
	return 0;
}

/* ---- TCP ---- */

static socklen_t make_address(const struct config_listener *l, union socket_address *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, l->address, &out->in.sin_addr) == 1) {
		out->in.sin_family = AF_INET;
		out->in.sin_port = htons(l->port);
		return sizeof(out->in);
	}
	(void)inet_pton(AF_INET6, l->address, &out->in6.sin6_addr);
	out->in6.sin6_family = AF_INET6;
	out->in6.sin6_port = htons(l->port);
	return sizeof(out->in6);
}

/* "::" takes IPv4 too, unless another listener is there for it. */
static bool only_ipv6(const struct config *config, const struct config_listener *l)
{
	size_t i;

	if (strcmp(l->address, "::") != 0)
		return true;
	for (i = 0; i < config->n_listeners; i++)
		if (l->port && config->listeners[i].port == l->port &&
		    !strchr(config->listeners[i].address, ':'))
			return true;
	return false;
}

static enum result open_tcp(const struct config *config, const struct config_listener *l, int *out,
			    struct err *err)
{
	union socket_address address;
	socklen_t len = make_address(l, &address);
	CLEANUP(close_fd)
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, errno, "listener %s: socket", l->name);
	TRY(set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1, err));
	/* inherited by what is accepted: replies go out in more than one piece */
	TRY(set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1, err));
	if (address.any.sa_family == AF_INET6)
		TRY(set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, only_ipv6(config, l), err));
	if (bind_patiently(fd, &address.any, len) || listen(fd, BACKLOG))
		return err_set(err, ERR_CONFIG,
			       "listener %s: %s port %u: %s; choose another address or port, or "
			       "end what holds it",
			       l->name, l->address, l->port, strerror(errno));
	*out = fd;
	fd = -1;
	return OK;
}

/* ---- Unix sockets ---- */

static bool is_answered(const struct sockaddr_un *address)
{
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
}

/* A path that nobody answers on is what a killed daemon left behind. */
static enum result remove_stale(const struct sockaddr_un *address, const char *setting,
				struct err *err)
{
	int64_t since = clock_mono_us();
	struct stat st;

	if (lstat(address->sun_path, &st))
		return OK;
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_CONFIG,
			       "%s: %s is there and is no socket; choose another path", setting,
			       address->sun_path);
	while (is_answered(address))
		if (!be_patient(since))
			return err_set(err, ERR_CONFIG,
				       "%s: another scepterd answers on %s; stop it first", setting,
				       address->sun_path);
	(void)unlink(address->sun_path);
	return OK;
}

static enum result open_unix(const char *setting, const char *path, mode_t mode, int *out,
			     struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t old;
	int failed;

	if (fd < 0)
		return err_errno(err, errno, "%s", setting);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	TRY(remove_stale(&address, setting, err));
	old = umask(~mode & 0777);
	failed = bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	(void)umask(old);
	if (failed || listen(fd, BACKLOG))
		return err_set(err, ERR_CONFIG, "%s: %s: %s", setting, path,
			       strerror(failed ? failed : errno));
	*out = fd;
	fd = -1;
	return OK;
}

/* ---- systemd's ---- */

static int *place_of(struct listen_set *set, const struct config *config, const char *name)
{
	size_t i;

	if (strcmp(name, "admin") == 0)
		return &set->admin;
	if (strcmp(name, CONFIG_METRICS) == 0)
		return &set->metrics;
	for (i = 0; i < config->n_listeners; i++)
		if (strcmp(name, config->listeners[i].name) == 0)
			return &set->fds[i];
	return NULL;
}

static void free_names(char ***names)
{
	char **n;

	for (n = *names; n && *n; n++)
		free(*n);
	free(*names);
}

static enum result adopt(struct listen_set *set, const struct config *config, struct err *err)
{
	CLEANUP(free_names) char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names), i;

	if (n < 0)
		return err_errno(err, -n, "sockets passed by systemd");
	for (i = 0; i < n; i++) {
		int *place = place_of(set, config, names[i]);

		if (!place || *place >= 0)
			return err_set(err, ERR_CONFIG,
				       "systemd passes a socket named \"%s\", but no listener %s; "
				       "set FileDescriptorName= to a listener's name or to admin",
				       names[i], place ? "is left for it" : "has that name");
		*place = SD_LISTEN_FDS_START + i;
	}
	return OK;
}

/* ---- the whole ---- */

static enum result open_metrics(struct listen_set *set, const struct config *config,
				struct err *err)
{
	if (set->metrics >= 0)
		return OK;
	if (config->metrics.name)
		return open_tcp(config, &config->metrics, &set->metrics, err);
	if (!config->metrics_socket)
		return OK;
	TRY(open_unix("metrics.socket", config->metrics_socket, 0660, &set->metrics, err));
	set->metrics_is_ours = true;
	return OK;
}

static enum result open_all(struct listen_set *set, const struct config *config, struct err *err)
{
	size_t i;

	TRY(adopt(set, config, err));
	for (i = 0; i < set->n; i++)
		if (set->fds[i] < 0)
			TRY(open_tcp(config, &config->listeners[i], &set->fds[i], err));
	TRY(open_metrics(set, config, err));
	if (set->admin >= 0)
		return OK;
	TRY(open_unix("admin.socket", config->admin_socket, 0600, &set->admin, err));
	set->admin_is_ours = true;
	return OK;
}

enum result listen_open(struct listen_set *out, const struct config *config, struct err *err)
{
	struct listen_set set = LISTEN_SET_NONE;
	enum result r;
	size_t i;

	for (i = 0; i < config->n_listeners; i++)
		set.fds[i] = -1;
	set.n = config->n_listeners;
	r = open_all(&set, config, err);
	if (r != OK) {
		listen_close(&set);
		return r;
	}
	*out = set;
	return OK;
}

void listen_close(struct listen_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		close_fd(&set->fds[i]);
	close_fd(&set->admin);
	close_fd(&set->metrics);
	*set = LISTEN_SET_NONE;
}

static void log_tcp(int fd, const struct config_listener *l, const struct log *log)
{
	union socket_address address = { .any = { 0 } };
	socklen_t len = sizeof(address);

	(void)getsockname(fd, &address.any, &len);
	log_info(log, "listening", LOG_STR("listener", l->name), LOG_STR("address", l->address),
		 LOG_INT("port", ntohs(address.in.sin_port)),
		 LOG_STR("tls", l->tls_certificate ? "yes" : "no"));
}

void listen_log(const struct listen_set *set, const struct config *config, const struct log *log)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		log_tcp(set->fds[i], &config->listeners[i], log);
	if (config->metrics.name)
		log_tcp(set->metrics, &config->metrics, log);
	if (config->metrics_socket)
		log_info(log, "listening", LOG_STR("listener", CONFIG_METRICS),
			 LOG_STR("path", config->metrics_socket));
	log_info(log, "listening", LOG_STR("listener", "admin"),
		 LOG_STR("path", config->admin_socket));
}
