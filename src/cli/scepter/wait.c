/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/wait.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli_output.h"

/* Between attempts, in seconds, where the server does not say how long. */
#define PAUSE_FIRST 2
#define PAUSE_MAX 300

static int64_t now(void)
{
	return clock_mono_us() / 1000000;
}

static bool is_later(enum result r)
{
	return r == ERR_BUSY || r == ERR_TIMEOUT;
}

static void show(const struct device *d, int64_t pause, int64_t left)
{
	cli_output_progress("%s; next attempt in %lld s, giving up in %lld s",
			    device_is_pending(d) ? "waiting for approval" : "the CA is busy",
			    (long long)pause, (long long)left);
}

enum result wait_for_key(struct device *d, const char *path, const char *type, bool *made,
			 struct err *err)
{
	enum result r;

	if (!file_exists(path))
		cli_output_progress("making a key: %s ...", type);
	r = device_open_key(d, path, type, made, err);
	cli_output_progress_end();
	return r;
}

/* How long until the next attempt; 0: patience is at its end. */
static int64_t next_pause(const struct device *d, int64_t usual, int64_t left)
{
	int64_t pause = device_retry_after(d) > 0 ? device_retry_after(d) : usual;

	return pause < left ? pause : left > 0 ? left : 0;
}

enum result wait_for_cert(struct device *d, int64_t patience, bool poll, struct err *err)
{
	int64_t until = now() + patience, usual = PAUSE_FIRST, pause;
	enum result r = poll ? device_poll(d, err) : device_enrol(d, err);

	while (is_later(r) && (pause = next_pause(d, usual, until - now())) > 0) {
		show(d, pause, until - now());
		(void)sleep((unsigned)pause);
		cli_output_progress_end();
		usual = usual * 2 < PAUSE_MAX ? usual * 2 : PAUSE_MAX;
		r = device_enrol(d, err);
	}
	if (is_later(r) || r == ERR_IO)
		return err_prefix(err, r,
				  "no certificate yet, run the same command again later "
				  "(the key is kept, and with it the transaction)");
	return r;
}
