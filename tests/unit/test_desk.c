/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's desk: channels do not wait for each other, and one that breaks the rules ends. */
#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "keeper/channel.h"
#include "keeper/desk.h"

struct fixture {
	char directory[64];
	struct keyring *ring;
	struct desk *desk;
	struct log log;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct keyring_config config = { 0 };

	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-desk-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	config.vault.directory = f->directory;
	assert_int_equal(keyring_open(&f->ring, &config, NULL), OK);
	assert_int_equal(desk_new(&f->desk, f->ring, 2, &f->log, NULL), OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	desk_free(f->desk);
	keyring_free(f->ring);
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

/* The client's end. */
static int channel(struct fixture *f)
{
	const struct timeval patience = { .tv_sec = 3 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			 0);
	assert_int_equal(desk_add(f->desk, pair[1], NULL), OK);
	return pair[0];
}

static void send_head(int fd, const struct keeper_request *req, size_t len)
{
	uint8_t header[KEEPER_HEADER];
	const struct span part = span_of(header, len);

	keeper_wire_put_request(req, header);
	assert_int_equal(channel_send(fd, &part, 1, NULL), OK);
}

static enum result ping(int fd)
{
	static const struct keeper_request req = { .op = KEEPER_PING };
	BUF in = BUF_INIT;

	send_head(fd, &req, KEEPER_HEADER);
	return channel_recv(fd, keeper_wire_reply_length, &in, NULL);
}

static void *ping_often(void *arg)
{
	int fd = *(int *)arg, i;

	for (i = 0; i < 300; i++)
		if (ping(fd) != OK)
			return arg;
	return NULL;
}

static void answers_all_at_once(void **state)
{
	pthread_t threads[8];
	int fds[ARRAY_LEN(threads)];
	void *failed = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LEN(threads); i++) {
		fds[i] = channel(*state);
		assert_int_equal(pthread_create(&threads[i], NULL, ping_often, &fds[i]), 0);
	}
	for (i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
		assert_int_equal(close(fds[i]), 0);
	}
}

static void half_a_request_holds_up_nobody_else(void **state)
{
	static const struct keeper_request req = { .op = KEEPER_PING };
	int slow = channel(*state), other = channel(*state);

	send_head(slow, &req, KEEPER_HEADER / 2);
	assert_int_equal(ping(other), OK);
	assert_int_equal(close(slow), 0);
	assert_int_equal(ping(other), OK);
	assert_int_equal(close(other), 0);
}

static void a_slow_request_is_for_another_channel(void **state)
{
	static const struct keeper_request rows[] = {
		{ .op = KEEPER_GENERATE, .id = SPAN_LIT("k"), .spec = { KEY_RSA, 4096 } },
		{ .op = KEEPER_SUCCEED, .id = SPAN_LIT("k"), .spec = { KEY_RSA, 4096 } },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = channel(*state);
		BUF in = BUF_INIT;

		send_head(fd, &rows[i], KEEPER_HEADER);
		assert_int_equal(channel_send(fd, &rows[i].id, 1, NULL), OK);
		assert_int_equal(channel_recv(fd, keeper_wire_reply_length, &in, NULL), ERR_IO);
		assert_int_equal(close(fd), 0);
	}
}

/* A server that is killed leaves replies that nobody takes: they are nobody else's either. */
static void a_lost_reply_is_not_sent_to_another(void **state)
{
	static const struct keeper_request open = { .op = KEEPER_OPEN, .id = SPAN_LIT("unknown") };
	static const struct keeper_request ping = { .op = KEEPER_PING };
	struct keeper_reply reply;
	int i;

	for (i = 0; i < 16; i++) { /* each thread has its turn */
		int dead = channel(*state), living = channel(*state);
		BUF in = BUF_INIT;

		assert_int_equal(shutdown(dead, SHUT_RD), 0);
		send_head(dead, &open, KEEPER_HEADER);
		assert_int_equal(channel_send(dead, &open.id, 1, NULL), OK);
		send_head(living, &ping, KEEPER_HEADER);
		assert_int_equal(channel_recv(living, keeper_wire_reply_length, &in, NULL), OK);
		assert_int_equal(keeper_wire_get_reply(buf_span(&in), &reply, NULL), OK);
		assert_int_equal(reply.payload.len, 0);
		assert_int_equal(close(dead), 0);
		assert_int_equal(close(living), 0);
	}
}

static void rubbish_ends_a_channel_and_no_other(void **state)
{
	static const uint8_t rubbish[KEEPER_HEADER] = { 0xff, 0xff, 0xff, 0xff };
	const struct span part = SPAN_ARRAY(rubbish);
	int bad = channel(*state), good = channel(*state);
	BUF in = BUF_INIT;

	assert_int_equal(channel_send(bad, &part, 1, NULL), OK);
	assert_int_equal(channel_recv(bad, keeper_wire_reply_length, &in, NULL), ERR_IO);
	assert_int_equal(ping(good), OK);
	assert_int_equal(close(bad), 0);
	assert_int_equal(close(good), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_request_holds_up_nobody_else, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_slow_request_is_for_another_channel, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lost_reply_is_not_sent_to_another, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rubbish_ends_a_channel_and_no_other, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
