/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/errand.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "keeper/channel.h"

/* An RSA-4096 key can take its time on a small machine. */
#define PATIENCE_SECONDS 120

struct errand {
	int fd;
};

static RESULT set_patience(int fd, struct err *err)
{
	const struct timeval tv = { .tv_sec = PATIENCE_SECONDS };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		return err_errno(err, errno, "keeper: channel timeout");
	return OK;
}

/* The request as far as it is held. */
static RESULT send_head(const struct errand *e, const struct keeper_request *req, struct err *err)
{
	uint8_t header[KEEPER_HEADER];
	const struct span parts[] = { SPAN_ARRAY(header), req->id, req->payload };

	keeper_wire_put_request(req, header);
	return channel_send(e->fd, parts, ARRAY_LEN(parts), err);
}

enum result errand_new(struct errand **out, int intro_fd, const struct keeper_request *req,
		       struct err *err)
{
	CLEANUP(errand_freep) struct errand *e = calloc(1, sizeof(*e));
	int pair[2];
	enum result r;

	if (!e)
		return err_nomem(err);
	e->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_errno(err, errno, "keeper: socketpair");
	e->fd = pair[0];
	r = channel_introduce(intro_fd, CHANNEL_ERRAND, &pair[1], 1, err);
	(void)close(pair[1]);
	TRY(r);
	TRY(set_patience(e->fd, err));
	TRY(send_head(e, req, err));
	*out = take(e);
	return OK;
}

enum result errand_send(const struct errand *e, struct span piece, struct err *err)
{
	return channel_send(e->fd, &piece, 1, err);
}

enum result errand_end(const struct errand *e, struct buf *in, struct keeper_reply *reply,
		       struct err *err)
{
	TRY(channel_recv(e->fd, keeper_wire_reply_length, in, err));
	return keeper_wire_get_reply(buf_span(in), reply, err);
}

void errand_free(struct errand *e)
{
	if (!e)
		return;
	if (e->fd >= 0)
		(void)close(e->fd);
	free(e);
}
