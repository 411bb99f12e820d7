/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#endif

#ifdef MACHINE

#define X32_BIT 0x40000000 /* the same machine's other numbering of the calls */
#define PROGRAM_MAX 128

/* Programs, other processes, the kernel itself. */
static const int forbidden[] = {
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_userfaultfd,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_open_by_handle_at,
	SYS_personality,
	SYS_io_uring_setup,
};

/* The keeper lives on what it was given, and on the channels that come over it. */
static const int forbidden_to_keeper[] = {
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
};
static const int forbidden_without_tokens[] = {
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
};

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short len;
};

static void put(struct program *p, struct sock_filter instruction)
{
	if (p->len < PROGRAM_MAX)
		p->code[p->len++] = instruction;
}

static void load(struct program *p, size_t offset)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

static void answer(struct program *p, unsigned action)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Answers with action where the call's number, which is loaded, is nr. */
static void answer_call(struct program *p, int nr, unsigned action)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1));
	answer(p, action);
}

static void forbid(struct program *p, const int *calls, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		answer_call(p, calls[i], SECCOMP_RET_ERRNO | EPERM);
}

static void check_machine(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0));
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	answer(p, SECCOMP_RET_KILL_PROCESS);
#endif
}

/* Threads, but no processes. clone3 has its flags in memory, where a filter cannot look: the C
 * library takes clone where it does not exist. */
static void threads_only(struct program *p)
{
	answer_call(p, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS);
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3));
	load(p, offsetof(struct seccomp_data, args[0]));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
	answer(p, SECCOMP_RET_ERRNO | EPERM);
}

enum result sandbox_enter(enum sandbox_role role, struct err *err)
{
	struct program p = { .len = 0 };
	struct sock_fprog filter = { .filter = p.code };

	check_machine(&p);
	forbid(&p, forbidden, ARRAY_LEN(forbidden));
	if (role != SANDBOX_SERVER)
		forbid(&p, forbidden_to_keeper, ARRAY_LEN(forbidden_to_keeper));
	if (role == SANDBOX_KEEPER)
		forbid(&p, forbidden_without_tokens, ARRAY_LEN(forbidden_without_tokens));
	threads_only(&p);
	answer(&p, SECCOMP_RET_ALLOW);
	filter.len = p.len;
	if (p.len == PROGRAM_MAX)
		return err_set(err, ERR_INTERNAL, "sandbox: the filter is too long");
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0)
		return OK;
	if (errno == EINVAL)
		return err_set(err, ERR_BAD_REQUEST, "this kernel filters no system calls");
	return err_errno(err, errno, "sandbox");
}

#else

enum result sandbox_enter(enum sandbox_role role, struct err *err)
{
	(void)role;
	return err_set(err, ERR_BAD_REQUEST, "no filter of system calls for this machine");
}

#endif
