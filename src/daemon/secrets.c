/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/secrets.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/protect.h"

static const struct passphrase_source *source_of(const struct config *config,
						 enum secrets_name name)
{
	return name == SECRETS_PIN ? &config->keys.pin : &config->keys.passphrase;
}

static RESULT read_one(const struct config *config, enum secrets_name name, int fd, struct err *err)
{
	static const char *const settings[] = { "keys.passphrase", "keys.pkcs11.pin" };
	static const char *const what[] = { "passphrase of the keys", "PIN of the token" };
	SECRET secret = SECRET_INIT;
	char directory[PATH_MAX];
	bool is_new = false;
	struct span bytes;
	enum result r;

	(void)snprintf(directory, sizeof(directory), "%s/keys", config->data);
	/* of keys that are there a wrong one is found out by itself */
	if (name == SECRETS_PASSPHRASE)
		is_new = !protect_has_sealed(directory);
	r = passphrase_read(source_of(config, name), what[name], is_new, &secret, err);
	if (r != OK)
		return err_prefix(err, r, "%s", settings[name]);
	bytes = secret_span(&secret);
	if (write(fd, bytes.p, bytes.len) != (ssize_t)bytes.len)
		return err_errno(err, errno, "%s", settings[name]);
	return OK;
}

/* In the reading process. Does not return. */
static void read_all(const struct secrets *s, const struct config *config, const struct log *log)
{
	struct err err = { 0 };
	enum result r = OK;
	sigset_t empty;
	size_t i;

	(void)sigemptyset(&empty);
	(void)sigprocmask(SIG_SETMASK, &empty, NULL);
	for (i = 0; i < SECRETS_COUNT && r == OK; i++)
		if (s->fds[i] >= 0)
			r = read_one(config, (enum secrets_name)i, s->fds[i], &err);
	if (r != OK)
		log_error(log, "no passphrase", LOG_ERR(&err));
	_exit(r == OK ? 0 : 1);
}

/* The parent's signals are blocked: what would end it is to end the reading. */
static RESULT wait_for(pid_t pid, struct err *err)
{
	int status = 0, signal;
	sigset_t set;
	pid_t ended;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0)
		if (sigwait(&set, &signal) == 0 && signal != SIGCHLD)
			(void)kill(pid, SIGTERM);
	if (ended < 0)
		return err_errno(err, errno, "wait for the passphrase");
	if (status != 0)
		return err_set(err, ERR_CONFIG, "without its passphrase the keeper cannot start");
	return OK;
}

enum result secrets_collect(struct secrets *s, const struct config *config, const struct log *log,
			    struct err *err)
{
	bool any = false;
	enum result r;
	pid_t pid;
	size_t i;

	for (i = 0; i < SECRETS_COUNT; i++) {
		if (source_of(config, (enum secrets_name)i)->kind == PASSPHRASE_NONE)
			continue;
		any = true;
		s->fds[i] = memfd_create("scepter", MFD_CLOEXEC);
		if (s->fds[i] < 0)
			return err_errno(err, errno, "memory for a passphrase");
	}
	if (!any)
		return OK;
	/* else whoever is the same user could open what we hold open */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return err_errno(err, errno, "no core dumps");
	pid = fork();
	if (pid < 0)
		return err_errno(err, errno, "fork");
	if (pid == 0)
		read_all(s, config, log);
	r = wait_for(pid, err);
	for (i = 0; i < SECRETS_COUNT; i++)
		if (source_of(config, (enum secrets_name)i)->kind == PASSPHRASE_FD)
			(void)close(source_of(config, (enum secrets_name)i)->fd);
	return r;
}

enum result secrets_get(const struct secrets *s, enum secrets_name name, struct secret *out,
			struct err *err)
{
	char bytes[PASSPHRASE_MAX];
	enum result r;
	ssize_t n;

	if (s->fds[name] < 0)
		return OK;
	n = pread(s->fds[name], bytes, sizeof(bytes), 0);
	r = n < 0 ? err_errno(err, errno, "passphrase")
		  : secret_set(out, span_of(bytes, (size_t)n), err);
	explicit_bzero(bytes, sizeof(bytes));
	return r;
}

void secrets_close(struct secrets *s)
{
	size_t i;

	for (i = 0; i < SECRETS_COUNT; i++) {
		if (s->fds[i] >= 0)
			(void)close(s->fds[i]);
		s->fds[i] = -1;
	}
}
