/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* Open files that are no connections: the store's, channels, listeners, event loops. */
#define FILES_BESIDE 1024

/* One call a user and process: no threads yet, so getpwnam(3) will do. */
static enum result find_user(const char *setting, const char *name, const struct passwd **out,
			     struct err *err)
{
	errno = 0;
	*out = getpwnam(name);
	if (!*out)
		return err_set(err, ERR_CONFIG,
			       "%s: there is no user \"%s\"; make one, as by adduser --system %s",
			       setting, name, name);
	return OK;
}

/* The mode first: once it is another's, so may be what the name leads to by then. */
static enum result own(const char *path, uid_t uid, gid_t gid, mode_t mode, struct err *err)
{
	if (chmod(path, mode) || lchown(path, uid, gid))
		return err_errno(err, errno, "%s: owner and mode", path);
	return OK;
}

static enum result keys_path(const struct config *config, char out[PATH_MAX], struct err *err)
{
	if (snprintf(out, PATH_MAX, "%s/keys", config->data) >= PATH_MAX)
		return err_set(err, ERR_CONFIG, "data: path too long");
	return OK;
}

enum result privileges_prepare(const struct config *config, struct err *err)
{
	const struct passwd *user;
	char keys[PATH_MAX];
	uid_t server_uid;
	gid_t server_gid;

	TRY(keys_path(config, keys, err));
	TRY(file_mkdir(config->data, 0700, err));
	TRY(file_mkdir(keys, 0700, err));
	if (geteuid() != 0 || !config->user)
		return OK;
	TRY(find_user("user", config->user, &user, err));
	server_uid = user->pw_uid;
	server_gid = user->pw_gid;
	TRY(own(config->data, 0, server_gid, 01771, err));
	TRY(find_user("keeper_user", config->keeper_user, &user, err));
	if (user->pw_uid == server_uid || user->pw_uid == 0)
		return err_set(err, ERR_CONFIG,
			       "keeper_user: \"%s\" is root or the same user as \"%s\"; the keeper "
			       "needs one of its own",
			       config->keeper_user, config->user);
	return own(keys, user->pw_uid, user->pw_gid, 0700, err);
}

enum result privileges_give(const char *name, const char *path, mode_t mode, struct err *err)
{
	const struct passwd *user;

	if (geteuid() != 0 || !name)
		return OK;
	TRY(find_user("user", name, &user, err));
	return own(path, user->pw_uid, user->pw_gid, mode, err);
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

/* By what is opened, whatever the name leads to by then. */
static enum result give_found(const char *path, const struct passwd *user, struct err *err)
{
	CLEANUP(close_fd) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return err_errno(err, errno, "%s", path);
	if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || st.st_nlink > 1))
		return OK;
	if (fchownat(fd, "", user->pw_uid, user->pw_gid, AT_EMPTY_PATH))
		return err_errno(err, errno, "%s: owner", path);
	return OK;
}

static void close_walk(FTS **walk)
{
	if (*walk)
		(void)fts_close(*walk);
}

enum result privileges_give_all(const char *name, const char *directory, struct err *err)
{
	char *const paths[] = { (char *)(uintptr_t)directory, NULL };
	CLEANUP(close_walk) FTS *walk = NULL;
	const struct passwd *user;
	const FTSENT *found;

	if (geteuid() != 0 || !name || access(directory, F_OK))
		return OK;
	TRY(find_user("user", name, &user, err));
	walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return err_errno(err, errno, "%s", directory);
	while ((found = fts_read(walk)))
		if (found->fts_info == FTS_F || found->fts_info == FTS_D)
			TRY(give_found(found->fts_path, user, err));
	return OK;
}

enum result privileges_give_socket(const struct config *config, const char *path, mode_t mode,
				   struct err *err)
{
	return privileges_give(config->user, path, mode, err);
}

bool privileges_raise_files(unsigned connections)
{
	const rlim_t want = (rlim_t)connections + FILES_BESIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return false;
	if (limit.rlim_cur >= want)
		return true;
	limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
	/* root may have more than it was given */
	if (geteuid() == 0 && limit.rlim_max < want)
		limit.rlim_cur = limit.rlim_max = want;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= want;
}

enum result privileges_become(const char *name, struct err *err)
{
	const struct passwd *user;

	if (!name || geteuid() != 0)
		return OK;
	TRY(find_user("user", name, &user, err));
	if (setgroups(1, &user->pw_gid) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return err_errno(err, errno, "become user %s", name);
	if (user->pw_uid != 0 && setuid(0) == 0)
		return err_set(err, ERR_INTERNAL, "user %s can become root again", name);
	return OK;
}

static enum result enter_sandbox(enum sandbox_role role, const struct log *log, struct err *err)
{
	struct err why = { 0 };
	enum result r = sandbox_enter(role, &why);

	if (r == ERR_BAD_REQUEST) {
		log_warning(log, "no sandbox", LOG_ERR(&why));
		return OK;
	}
	return r == OK ? OK : err_set(err, r, "%s", err_text(&why));
}

enum result privileges_drop(const struct privileges *p, const struct log *log, struct err *err)
{
	const struct rlimit none = { 0, 0 };

	TRY(privileges_become(p->user, err));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    setrlimit(RLIMIT_CORE, &none))
		return err_errno(err, errno, "give up privileges");
	/* behind the change of user, which would clear it; the parent may be gone by now */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return err_errno(err, errno, "die with the parent");
	if (getppid() != p->parent)
		return err_set(err, ERR_BUSY, "the parent has gone");
	return enter_sandbox(p->role, log, err);
}
