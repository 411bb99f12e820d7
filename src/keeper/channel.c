/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for any request or reply of every day, so that one recv(2) takes it. */
#define FIRST_READ 8192
#define PIECE (64u << 10)

static enum result io_error(int errnum, const char *what, struct err *err)
{
	if (errnum == EAGAIN || errnum == EWOULDBLOCK)
		return err_set(err, ERR_TIMEOUT, "keeper channel: %s took too long", what);
	return err_errno(err, errnum, "keeper channel: %s", what);
}

/* Drops the n bytes that were sent from the front of the vector. */
static void advance(struct msghdr *msg, size_t n)
{
	while (msg->msg_iovlen > 0 && n >= msg->msg_iov->iov_len) {
		n -= msg->msg_iov->iov_len;
		msg->msg_iov++;
		msg->msg_iovlen--;
	}
	if (msg->msg_iovlen > 0) {
		msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + n;
		msg->msg_iov->iov_len -= n;
	}
}

enum result channel_send(int fd, const struct span *parts, size_t n, struct err *err)
{
	struct iovec iov[CHANNEL_PARTS_MAX];
	struct msghdr msg = { .msg_iov = iov };
	size_t i;

	for (i = 0; i < n && i < CHANNEL_PARTS_MAX; i++)
		if (parts[i].len)
			iov[msg.msg_iovlen++] = (struct iovec){
				/* sendmsg(2) only reads */
				.iov_base = (void *)(uintptr_t)parts[i].p,
				.iov_len = parts[i].len,
			};
	while (msg.msg_iovlen > 0) {
		ssize_t sent = sendmsg(fd, &msg, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return io_error(errno, "send", err);
		advance(&msg, (size_t)sent);
	}
	return OK;
}

/* One recv(2) into the room behind in->len. */
static enum result read_some(int fd, struct buf *in, size_t max, struct err *err)
{
	ssize_t n;

	do
		n = recv(fd, in->data + in->len, max, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return io_error(errno, "receive", err);
	if (n == 0)
		return err_set(err, ERR_IO, "keeper channel: closed by the other side");
	in->len += (size_t)n;
	return OK;
}

enum result channel_recv(int fd, keeper_wire_length_fn *length, struct buf *in, struct err *err)
{
	size_t total = KEEPER_HEADER, body = 0, more = 0;

	buf_reset(in);
	if (in->cap < FIRST_READ)
		buf_reserve(in, FIRST_READ);
	TRY(buf_check(in, err));
	while (in->len < total) {
		TRY(read_some(fd, in, more ? total - in->len : in->cap - in->len, err));
		if (in->len < KEEPER_HEADER || total > KEEPER_HEADER)
			continue;
		TRY(length(in->data, &body, &more, err));
		total += body;
		if (total > in->cap) {
			buf_reserve(in, total - in->len);
			TRY(buf_check(in, err));
		}
	}
	if (in->len > total)
		return err_set(err, ERR_SYNTAX, "keeper channel: %zu bytes behind the message",
			       in->len - total);
	return OK;
}

enum result channel_recv_more(int fd, size_t max, struct buf *in, struct err *err)
{
	buf_reset(in);
	buf_reserve(in, PIECE);
	TRY(buf_check(in, err));
	return read_some(fd, in, max < PIECE ? max : PIECE, err);
}

/* ---- introductions ---- */

static const size_t descriptors[CHANNEL_KINDS_] = { [CHANNEL_ERRAND] = 1, [CHANNEL_BOARD] = 2 };

/* A message of one octet, the kind, and descriptors. */
struct introduction {
	union {
		char bytes[CMSG_SPACE(CHANNEL_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	uint8_t kind;
	struct iovec iov;
	struct msghdr msg;
};

static void prepare(struct introduction *i, size_t control)
{
	memset(&i->control, 0, sizeof(i->control));
	i->iov = (struct iovec){ &i->kind, 1 };
	i->msg = (struct msghdr){ .msg_iov = &i->iov,
				  .msg_iovlen = 1,
				  .msg_control = i->control.bytes,
				  .msg_controllen = control };
}

enum result channel_introduce(int intro_fd, enum channel_kind kind, const int *fds, size_t n,
			      struct err *err)
{
	struct introduction i = { .kind = (uint8_t)kind };
	struct cmsghdr *cmsg;

	prepare(&i, CMSG_SPACE(n * sizeof(int)));
	cmsg = CMSG_FIRSTHDR(&i.msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
	if (sendmsg(intro_fd, &i.msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		return OK;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return err_set(err, ERR_BUSY, "keeper: too many channels wait for it");
	return err_errno(err, errno, "keeper: introduction");
}

/* How many came; they are in fds. */
static size_t received(struct msghdr *msg, int fds[CHANNEL_FDS_MAX])
{
	const struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	size_t n;

	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len < CMSG_LEN(0))
		return 0;
	n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n > CHANNEL_FDS_MAX)
		n = CHANNEL_FDS_MAX; /* the kernel has closed what had no room */
	memcpy(fds, CMSG_DATA(cmsg), n * sizeof(int));
	return n;
}

enum result channel_accept(int intro_fd, enum channel_kind *kind, int fds[CHANNEL_FDS_MAX],
			   struct err *err)
{
	struct introduction i;
	ssize_t got;
	size_t n;

	prepare(&i, sizeof(i.control.bytes));
	do
		got = recvmsg(intro_fd, &i.msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return err_errno(err, got < 0 ? errno : EPIPE, "keeper: introduction");
	n = received(&i.msg, fds);
	if (i.kind < CHANNEL_KINDS_ && n == descriptors[i.kind]) {
		*kind = (enum channel_kind)i.kind;
		return OK;
	}
	while (n)
		(void)close(fds[--n]);
	return err_set(err, ERR_SYNTAX, "keeper: introduction without what belongs to it");
}
