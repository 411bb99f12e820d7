/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/scepter/wait.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

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
	if (isatty(STDERR_FILENO))
		(void)fprintf(stderr, "\r\033[K%s; next attempt in %lld s, giving up in %lld s",
			      device_is_pending(d) ? "waiting for approval" : "the CA is busy",
			      (long long)pause, (long long)left);
}

static void hide(void)
{
	if (isatty(STDERR_FILENO))
		(void)fputs("\r\033[K", stderr);
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
		hide();
		usual = usual * 2 < PAUSE_MAX ? usual * 2 : PAUSE_MAX;
		r = device_enrol(d, err);
	}
	if (is_later(r) || r == ERR_IO)
		return err_prefix(err, r,
				  "no certificate yet, run the same command again later "
				  "(the key is kept, and with it the transaction)");
	return r;
}
