/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log_relay.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"

#define LINE_MAX_OCTETS 65536

enum result log_relay_open(struct log_relay *out, struct err *err)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return err_errno(err, errno, "log relay");
	*out = (struct log_relay){ pair[0], pair[1] };
	return OK;
}

void log_relay_close(struct log_relay *r)
{
	if (r->in >= 0)
		(void)close(r->in);
	if (r->out >= 0)
		(void)close(r->out);
	*r = LOG_RELAY_NONE;
}

void log_relay_send(void *ctx, struct span line)
{
	const struct log_relay *r = ctx;

	if (send(r->in, line.p, line.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return; /* full: it is on standard error */
}

/* ---- the server's end ---- */

struct log_relay_reader {
	int fd;
	int stop; /* eventfd */
	struct log_output *const *outputs;
	size_t n_outputs;
	pthread_t thread;
	uint8_t line[LINE_MAX_OCTETS];
};

static void take_all(struct log_relay_reader *r)
{
	ssize_t n;
	size_t i;

	while ((n = recv(r->fd, r->line, sizeof(r->line), MSG_DONTWAIT)) > 0)
		for (i = 0; i < r->n_outputs; i++)
			log_output_take(r->outputs[i], span_of(r->line, (size_t)n));
}

static void *run(void *arg)
{
	struct log_relay_reader *r = arg;
	struct pollfd fds[] = { { .fd = r->fd, .events = POLLIN },
				{ .fd = r->stop, .events = POLLIN } };

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return NULL;
		take_all(r);
		/* the other end is gone with the parent, and so is all else soon */
		if (fds[1].revents || (fds[0].revents & (POLLHUP | POLLERR)))
			return NULL;
	}
}

enum result log_relay_start(struct log_relay_reader **out, int fd,
			    struct log_output *const *outputs, size_t n_outputs, struct err *err)
{
	static const struct thread_kind kind = { .name = "log-relay" };
	struct log_relay_reader *r = calloc(1, sizeof(*r));
	enum result result;

	if (!r)
		return err_nomem(err);
	r->fd = fd;
	r->outputs = outputs;
	r->n_outputs = n_outputs;
	r->stop = eventfd(0, EFD_CLOEXEC);
	result = r->stop < 0 ? err_errno(err, errno, "log relay")
			     : thread_start(&r->thread, &kind, 0, run, r, err);
	if (result == OK) {
		*out = r;
		return OK;
	}
	if (r->stop >= 0)
		(void)close(r->stop);
	free(r);
	return result;
}

void log_relay_stop(struct log_relay_reader *r)
{
	const uint64_t one = 1;

	if (!r)
		return;
	if (write(r->stop, &one, sizeof(one)) != sizeof(one))
		return; /* cannot be: the counter is 0 */
	(void)pthread_join(r->thread, NULL);
	(void)close(r->stop);
	free(r);
}
