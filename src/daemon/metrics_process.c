/* SPDX-License-Identifier: Apache-2.0 */
/* The process as the client libraries of Prometheus tell it, read from /proc (proc(5)). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "daemon/metrics_page.h"

#define STAT_MAX 4096

/* Fields of /proc/self/stat behind the program's name, which may hold anything but a last ')'. */
enum {
	FIELD_UTIME = 11,
	FIELD_STIME,
	FIELD_THREADS = 17,
	FIELD_START = 19,
	FIELD_VSIZE,
	FIELD_RSS
};
#define FIELDS (FIELD_RSS + 1)

static bool read_stat(unsigned long long fields[FIELDS])
{
	BUF text = BUF_INIT;
	const char *at;
	char *end;
	size_t i;

	if (file_read("/proc/self/stat", STAT_MAX, &text, NULL) != OK)
		return false;
	at = buf_cstr(&text) ? strrchr(buf_cstr(&text), ')') : NULL;
	if (!at || at[1] != ' ')
		return false;
	at += 3; /* the state is a letter */
	for (i = 1; i < FIELDS; i++) {
		fields[i] = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

/* Seconds since 1970 UTC; 0: unknown. */
static double boot_time(void)
{
	static const char name[] = "\nbtime ";
	BUF text = BUF_INIT;
	const char *at;

	if (file_read("/proc/stat", 1 << 20, &text, NULL) != OK)
		return 0;
	at = buf_cstr(&text) ? strstr(buf_cstr(&text), name) : NULL;
	return at ? (double)strtoull(at + sizeof(name) - 1, NULL, 10) : 0;
}

static unsigned count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned n = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	(void)closedir(dir);
	return n ? n - 1 : 0; /* not the one that reads */
}

static void put_files(struct buf *out)
{
	struct rlimit limit;

	metrics_put_one("process_open_fds", EXPOSITION_GAUGE, "Open file descriptors.", count_fds(),
			out);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_put_one("process_max_fds", EXPOSITION_GAUGE,
				"Most file descriptors that may be open.", (double)limit.rlim_cur,
				out);
}

void metrics_put_process(struct buf *out)
{
	unsigned long long f[FIELDS] = { 0 };
	double ticks = (double)sysconf(_SC_CLK_TCK), page = (double)sysconf(_SC_PAGESIZE);
	double boot = boot_time();

	put_files(out);
	if (!read_stat(f))
		return;
	metrics_put_one("process_cpu_seconds_total", EXPOSITION_COUNTER,
			"User and system CPU time.",
			(double)(f[FIELD_UTIME] + f[FIELD_STIME]) / ticks, out);
	metrics_put_one("process_threads", EXPOSITION_GAUGE, "Threads.", (double)f[FIELD_THREADS],
			out);
	metrics_put_one("process_virtual_memory_bytes", EXPOSITION_GAUGE, "Virtual memory.",
			(double)f[FIELD_VSIZE], out);
	metrics_put_one("process_resident_memory_bytes", EXPOSITION_GAUGE, "Resident memory.",
			(double)f[FIELD_RSS] * page, out);
	if (boot > 0)
		metrics_put_one("process_start_time_seconds", EXPOSITION_GAUGE,
				"When the process began, since 1970 UTC.",
				boot + (double)f[FIELD_START] / ticks, out);
}
