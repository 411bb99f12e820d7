/* SPDX-License-Identifier: Apache-2.0 */
/* Each row runs in a process of its own, which the sandbox then holds. */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/sandbox.h"

/* Exit codes of the child: what became of the call. */
enum { DONE = 10, REFUSED, OTHER, NO_SANDBOX };

static int told(int result)
{
	if (result >= 0)
		return DONE;
	return errno == EPERM ? REFUSED : OTHER;
}

static int start_program(void)
{
	char name[] = "true";
	char *const args[] = { name, NULL };

	return told(execv("/bin/true", args));
}

static int start_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return told(pid);
}

static int look_into_the_parent(void)
{
	return told(ptrace(PTRACE_SEIZE, getppid(), 0, 0) ? -1 : 0);
}

static int open_socket(void)
{
	return told(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_pair(void)
{
	int pair[2];

	return told(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static void *nothing(void *arg)
{
	return arg;
}

static int start_thread(void)
{
	pthread_t thread;
	int failed = pthread_create(&thread, NULL, nothing, NULL);

	if (failed == 0)
		(void)pthread_join(thread, NULL);
	errno = failed;
	return told(failed ? -1 : 0);
}

static int in_sandbox(enum sandbox_role role, int (*act)(void))
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		enum result r;

		(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		r = sandbox_enter(role, NULL);
		_exit(r == OK ? act() : NO_SANDBOX);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void holds_both(void **state)
{
	static const struct {
		const char *what;
		int (*act)(void);
		int server;
		int keeper;
	} rows[] = {
		{ "program", start_program, REFUSED, REFUSED },
		{ "process", start_process, REFUSED, REFUSED },
		{ "ptrace", look_into_the_parent, REFUSED, REFUSED },
		{ "thread", start_thread, DONE, DONE },
		{ "socket", open_socket, DONE, REFUSED },
		{ "socketpair", open_pair, DONE, REFUSED },
	};
	size_t i;

	(void)state;
	if (in_sandbox(SANDBOX_SERVER, start_thread) == NO_SANDBOX)
		skip();
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (in_sandbox(SANDBOX_SERVER, rows[i].act) != rows[i].server)
			fail_msg("%s in the server", rows[i].what);
		if (in_sandbox(SANDBOX_KEEPER, rows[i].act) != rows[i].keeper)
			fail_msg("%s in the keeper", rows[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(holds_both) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
