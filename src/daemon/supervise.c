/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/supervise.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/listen.h"
#include "daemon/privileges.h"
#include "daemon/process.h"

#define BACKOFF_FIRST_US 50000
#define BACKOFF_MAX_US 10000000
#define STEADY_US 10000000 /* a child that ran as long starts with a clean slate */
#define STOP_US 5000000    /* what a child gets beyond its drain time */
#define GIVE_UP_US 200000
#define MALLOC_ARENAS 2 /* threads share them: memory counts more than their contention */

struct child {
	const char *name;
	process_fn *run;
	pid_t pid;   /* 0: not running */
	int control; /* -1: not running */
	int intro;   /* its end of the introduction socket, kept for the next one */
	int64_t started;
	bool ready;         /* has reported; the next report is of a reload */
	int64_t restart_at; /* monotonic us; 0: no restart due */
	int64_t backoff;
};

struct supervisor {
	const char *config_path;
	const struct config *config;
	struct listen_set listeners;
	struct child children[PROCESS_ROLES];
	struct process_board *board;
	struct log_relay relay;
	struct secrets secrets;
	int signals;
	bool was_ready;
	bool stopping;
	int64_t kill_at; /* when stopping: what is left is killed */
	enum result failure;
	struct err why;
	struct log_sink *sink;
	struct log log;
};

/* ---- children ---- */

/* In the child: its own log, signals and descriptors. Does not return. */
static void be_child(struct supervisor *s, enum process_role role, int control)
{
	struct child *c = &s->children[role];
	struct process_context ctx = {
		.config_path = s->config_path,
		.config = s->config,
		.listeners = &s->listeners,
		.board = s->board,
		.relay = s->relay.out,
		.secrets = &s->secrets,
		.control = control,
		.intro = c->intro,
		.parent = getppid(),
		.sink = s->sink,
	};
	struct err err = { 0 };
	sigset_t none;
	enum result r;

	(void)prctl(PR_SET_NAME, role == PROCESS_KEEPER ? "scepterd-keeper" : "scepterd-server");
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)close(s->signals);
	/* the other's end would let the server take what is sent to the keeper */
	(void)close(s->children[role == PROCESS_KEEPER ? PROCESS_SERVER : PROCESS_KEEPER].intro);
	if (s->children[!role].control >= 0)
		(void)close(s->children[!role].control);
	if (role == PROCESS_KEEPER)
		listen_close(&s->listeners);
	else
		secrets_close(&s->secrets);
	(void)mprotect(s->board, sizeof(*s->board), PROT_READ);
	if (role == PROCESS_SERVER)
		log_sink_clear_taps(s->sink); /* it has the outputs themselves */
	(void)mallopt(M_ARENA_MAX, MALLOC_ARENAS);
	log_init(&ctx.log, s->sink);
	log_bind(&ctx.log, LOG_STR("process", c->name));
	r = c->run(&ctx, &err);
	if (r != OK)
		log_error(&ctx.log, "process failed", LOG_ERR(&err));
	/* leaves the parent's state, which it is a copy of, alone */
	_exit(err_map(r)->exit_code);
}

static enum result start_child(struct supervisor *s, enum process_role role, struct err *err)
{
	struct child *c = &s->children[role];
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_errno(err, errno, "%s: control socket", c->name);
	c->restart_at = 0;
	c->ready = false;
	c->started = clock_mono_us();
	c->pid = fork();
	if (c->pid == 0) {
		(void)close(pair[0]);
		be_child(s, role, pair[1]);
	}
	(void)close(pair[1]);
	if (c->pid < 0) {
		c->pid = 0;
		(void)close(pair[0]);
		return err_errno(err, errno, "%s: fork", c->name);
	}
	c->control = pair[0];
	atomic_fetch_add(&s->board->starts[role], 1);
	log_debug(&s->log, "process started", LOG_STR("child", c->name), LOG_INT("pid", c->pid));
	return OK;
}

/* A restart that fails to fork is a death like another. */
static void plan_restart(struct child *c)
{
	int64_t now = clock_mono_us();

	if (now - c->started > STEADY_US || c->backoff == 0)
		c->backoff = BACKOFF_FIRST_US;
	else
		c->backoff = c->backoff * 2 < BACKOFF_MAX_US ? c->backoff * 2 : BACKOFF_MAX_US;
	c->restart_at = now + c->backoff;
}

static void start_due(struct supervisor *s)
{
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < PROCESS_ROLES; i++) {
		struct child *c = &s->children[i];

		if (!c->restart_at || c->restart_at > clock_mono_us())
			continue;
		if (start_child(s, (enum process_role)i, &err) != OK) {
			log_error(&s->log, "process not started", LOG_ERR(&err));
			plan_restart(c);
		}
	}
}

static void send_command(const struct child *c, enum process_command command)
{
	uint8_t byte = (uint8_t)command;

	/* a child that is not there any more is restarted with the new configuration */
	if (c->control >= 0 && send(c->control, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
		return;
}

static void close_control(struct child *c)
{
	if (c->control >= 0)
		(void)close(c->control);
	c->control = -1;
}

/* ---- stopping ---- */

/* From now on new connections are refused, and do not wait for an answer that never comes. */
static void close_listeners(struct supervisor *s)
{
	if (s->listeners.admin_is_ours)
		(void)unlink(s->config->admin_socket);
	if (s->listeners.metrics_is_ours)
		(void)unlink(s->config->metrics_socket);
	listen_close(&s->listeners);
}

static void stop_keeper(struct supervisor *s)
{
	s->kill_at = clock_mono_us() + STOP_US;
	close_control(&s->children[PROCESS_KEEPER]);
}

/* First the server, which needs the keeper until its last answer. */
static void begin_stop(struct supervisor *s)
{
	struct child *server = &s->children[PROCESS_SERVER];
	size_t i;

	if (s->stopping)
		return;
	s->stopping = true;
	(void)sd_notify(0, "STOPPING=1");
	close_listeners(s);
	for (i = 0; i < PROCESS_ROLES; i++)
		s->children[i].restart_at = 0;
	if (!server->pid) {
		stop_keeper(s);
		return;
	}
	s->kill_at = clock_mono_us() + s->config->drain_seconds * 1000000LL + STOP_US;
	send_command(server, PROCESS_DRAIN);
}

static void kill_late(struct supervisor *s)
{
	size_t i;

	if (!s->stopping || clock_mono_us() < s->kill_at)
		return;
	s->kill_at = clock_mono_us() + STOP_US;
	for (i = 0; i < PROCESS_ROLES; i++)
		if (s->children[i].pid && (i == PROCESS_SERVER || !s->children[PROCESS_SERVER].pid))
			(void)kill(s->children[i].pid, SIGKILL);
}

/* ---- events ---- */

static enum result result_of_exit(int code)
{
	int r;

	/* success is none here: a child that ends unasked has failed */
	for (r = OK + 1; r < ERR_COUNT_; r++)
		if (err_map((enum result)r)->exit_code == code)
			return (enum result)r;
	return ERR_INTERNAL;
}

/* A start that cannot succeed is not tried over and over: the first one decides. */
static void give_up(struct supervisor *s, const struct child *c, int code)
{
	s->failure =
	    err_set(&s->why, result_of_exit(code), "%s did not start: see the log", c->name);
	begin_stop(s);
	/* nothing has been answered yet: the other, who waits for this one, is not waited for */
	s->kill_at = clock_mono_us() + GIVE_UP_US;
}

static void child_ended(struct supervisor *s, struct child *c, int status)
{
	bool by_signal = WIFSIGNALED(status);
	int code = by_signal ? WTERMSIG(status) : WEXITSTATUS(status);

	c->pid = 0;
	close_control(c);
	if (s->stopping) {
		if (c == &s->children[PROCESS_SERVER])
			stop_keeper(s);
		return;
	}
	if (!s->was_ready && !by_signal && code != err_map(ERR_BUSY)->exit_code) {
		give_up(s, c, code);
		return;
	}
	plan_restart(c);
	log_error(&s->log, "process ended; it will be restarted", LOG_STR("child", c->name),
		  LOG_INT(by_signal ? "signal" : "exit", code),
		  LOG_INT("restart_ms", c->backoff / 1000));
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < PROCESS_ROLES; i++)
			if (s->children[i].pid == pid)
				child_ended(s, &s->children[i], status);
}

static void log_complaints(const struct supervisor *s, const struct buf *complaints,
			   const struct err *err)
{
	struct span rest = buf_span(complaints);

	log_error(&s->log, "configuration refused; the old one stays", LOG_ERR(err));
	while (rest.len) {
		size_t end = span_find(rest, '\n');

		log_error(&s->log, "configuration", LOG_SPAN("complaint", span_sub(rest, 0, end)));
		rest = span_sub(rest, end + 1, SIZE_MAX);
	}
}

static void reload(struct supervisor *s)
{
	const struct config *config = NULL;
	BUF complaints = BUF_INIT;
	struct err err = { 0 };
	const char *changed;

	if (s->stopping)
		return;
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_us());
	if (config_load(&config, s->config_path, CONFIG_AND_FILES, &complaints, &err) != OK) {
		log_complaints(s, &complaints, &err);
		(void)sd_notify(0, "READY=1\nSTATUS=configuration refused, the old one stays");
		return;
	}
	changed = config_needs_restart(s->config, config);
	if (changed) {
		log_error(&s->log,
			  "this setting's change takes a restart; the old configuration "
			  "stays",
			  LOG_STR("setting", changed));
		(void)sd_notify(0, "READY=1\nSTATUS=restart needed, the old configuration stays");
		config_unref(config);
		return;
	}
	config_unref(s->config);
	s->config = config;
	log_sink_set_floor(s->sink, config->log_level);
	send_command(&s->children[PROCESS_SERVER], PROCESS_RELOAD);
}

static void on_signal(struct supervisor *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGCHLD:
		reap(s);
		break;
	case SIGHUP:
		reload(s);
		break;
	default:
		log_info(&s->log, "stopping", LOG_STR("signal", strsignal((int)info.ssi_signo)));
		begin_stop(s);
		break;
	}
}

static void on_report(struct supervisor *s, struct child *c)
{
	char report;

	if (recv(c->control, &report, 1, MSG_DONTWAIT) != 1) {
		/* SIGCHLD tells the rest */
		close_control(c);
		return;
	}
	if (report != PROCESS_READY || s->stopping)
		return;
	s->was_ready = true;
	(void)sd_notify(0, "READY=1\nSTATUS=serving");
	if (!c->ready)
		log_info(&s->log, "ready",
			 LOG_INT("startup_ms", (clock_mono_us() - c->started) / 1000));
	c->ready = true;
}

/* Milliseconds until something is due; -1: nothing is. */
static int poll_timeout(const struct supervisor *s)
{
	int64_t due = s->stopping ? s->kill_at : INT64_MAX, left;
	size_t i;

	for (i = 0; i < PROCESS_ROLES; i++)
		if (s->children[i].restart_at && s->children[i].restart_at < due)
			due = s->children[i].restart_at;
	if (due == INT64_MAX)
		return -1;
	left = due - clock_mono_us();
	return left <= 0 ? 0 : (int)(left / 1000 + 1);
}

static bool is_over(const struct supervisor *s)
{
	return s->stopping && !s->children[PROCESS_KEEPER].pid && !s->children[PROCESS_SERVER].pid;
}

static void watch(struct supervisor *s)
{
	while (!is_over(s)) {
		struct pollfd fds[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->children[PROCESS_SERVER].control, .events = POLLIN },
		};

		if (poll(fds, ARRAY_LEN(fds), poll_timeout(s)) > 0) {
			if (fds[1].revents)
				on_report(s, &s->children[PROCESS_SERVER]);
			if (fds[0].revents)
				on_signal(s);
		}
		kill_late(s);
		start_due(s);
	}
}

/* ---- the whole ---- */

static enum result catch_signals(struct supervisor *s, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return err_errno(err, errno, "block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? err_errno(err, errno, "signalfd") : OK;
}

static enum result make_board(struct supervisor *s, struct err *err)
{
	void *board = mmap(NULL, sizeof(*s->board), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (board == MAP_FAILED)
		return err_errno(err, errno, "memory that the processes share");
	s->board = board;
	return OK;
}

static enum result open_relay(struct supervisor *s, struct err *err)
{
	if (!s->config->n_outputs)
		return OK;
	TRY(log_relay_open(&s->relay, err));
	return log_sink_add_tap(s->sink, log_relay_send, &s->relay, err);
}

static enum result prepare(struct supervisor *s, struct err *err)
{
	int pair[2];

	TRY(make_board(s, err));
	TRY(open_relay(s, err));
	TRY(privileges_prepare(s->config, err));
	TRY(listen_open(&s->listeners, s->config, err));
	if (s->listeners.admin_is_ours)
		TRY(privileges_give_socket(s->config, s->config->admin_socket, 0600, err));
	if (s->listeners.metrics_is_ours)
		TRY(privileges_give_socket(s->config, s->config->metrics_socket, 0660, err));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_errno(err, errno, "introduction socket");
	s->children[PROCESS_KEEPER].intro = pair[0];
	s->children[PROCESS_SERVER].intro = pair[1];
	return catch_signals(s, err);
}

static enum result run(struct supervisor *s, struct err *err)
{
	TRY(prepare(s, err));
	if (geteuid() == 0 && !s->config->user)
		log_warning(&s->log, "running as root; set user and keeper_user");
	TRY(secrets_collect(&s->secrets, s->config, &s->log, err));
	TRY(start_child(s, PROCESS_KEEPER, err));
	TRY(start_child(s, PROCESS_SERVER, err));
	listen_log(&s->listeners, s->config, &s->log);
	watch(s);
	if (s->failure != OK)
		return err_set(err, s->failure, "%s", err_text(&s->why));
	log_info(&s->log, "stopped");
	return OK;
}

static void clear(struct supervisor *s)
{
	size_t i;

	close_listeners(s);
	for (i = 0; i < PROCESS_ROLES; i++) {
		close_control(&s->children[i]);
		if (s->children[i].intro >= 0)
			(void)close(s->children[i].intro);
	}
	if (s->signals >= 0)
		(void)close(s->signals);
	if (s->board)
		(void)munmap(s->board, sizeof(*s->board));
	log_sink_clear_taps(s->sink);
	log_relay_close(&s->relay);
	secrets_close(&s->secrets);
	config_unref(s->config);
}

enum result supervise_run(const char *config_path, const struct config *config,
			  struct log_sink *sink, struct err *err)
{
	struct supervisor s = {
		.config_path = config_path,
		.config = config,
		.listeners = LISTEN_SET_NONE,
		.children = { [PROCESS_KEEPER] = { .name = "keeper", .run = process_keeper },
			      [PROCESS_SERVER] = { .name = "server", .run = process_server } },
		.secrets = SECRETS_NONE,
		.signals = -1,
		.relay = LOG_RELAY_NONE,
		.sink = sink,
	};
	enum result r;
	size_t i;

	for (i = 0; i < PROCESS_ROLES; i++)
		s.children[i].control = s.children[i].intro = -1;
	log_init(&s.log, sink);
	log_bind(&s.log, LOG_STR("process", "parent"));
	r = run(&s, err);
	clear(&s);
	return r;
}
