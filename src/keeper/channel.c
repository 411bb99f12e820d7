/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/channel.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for any request or reply of every day, so that one recv(2) takes it. */
#define FIRST_READ 8192
#define PIECE (64u << 10)
/* The octet that an introduced channel comes with. */
#define HELLO 'c'
#define HELLO_SLOW 's'

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

enum result channel_introduce(int intro_fd, int channel, bool slow, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { { 0 } };
	char hello = slow ? HELLO_SLOW : HELLO;
	struct iovec iov = { &hello, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &channel, sizeof(int));
	if (sendmsg(intro_fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == 1)
		return OK;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return err_set(err, ERR_BUSY, "keeper: too many channels wait for it");
	return err_errno(err, errno, "keeper: introduction");
}

enum result channel_accept(int intro_fd, int *channel, bool *slow, struct err *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char hello = HELLO;
	struct iovec iov = { &hello, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *cmsg;
	ssize_t n;

	do
		n = recvmsg(intro_fd, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return err_errno(err, n < 0 ? errno : EPIPE, "keeper: introduction");
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
		return err_set(err, ERR_SYNTAX, "keeper: introduction without a descriptor");
	memcpy(channel, CMSG_DATA(cmsg), sizeof(int));
	*slow = hello == HELLO_SLOW;
	return OK;
}
