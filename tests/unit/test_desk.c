/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper's desk: what is put up on a board is answered, whatever it is, and to whom it belongs.
 */
#include "unit.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper/board.h"
#include "keeper/desk.h"
#include "keeper/wire.h"

#define PATIENCE_MS 60000

struct fixture {
	char directory[64];
	struct keyring *ring;
	struct board *board; /* the server's side */
	struct desk *desk;
	struct log log;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct keyring_config config = { 0 };
	int memory = -1;

	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/test-desk-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	config.vault.directory = f->directory;
	assert_int_equal(keyring_open(&f->ring, &config, NULL), OK);
	assert_int_equal(board_new(&f->board, &memory, NULL), OK);
	assert_int_equal(desk_new(&f->desk, memory, f->ring, 2, &f->log, NULL), OK);
	assert_int_equal(close(memory), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	desk_free(f->desk);
	board_free(f->board);
	keyring_free(f->ring);
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

static unsigned ask(const struct fixture *f, const struct keeper_request *req)
{
	uint8_t header[KEEPER_HEADER];
	const struct span parts[] = { SPAN_ARRAY(header), req->id, req->payload };
	unsigned place = 0;

	keeper_wire_put_request(req, header);
	assert_int_equal(board_ask(f->board, parts, ARRAY_LEN(parts), &place, NULL), OK);
	return place;
}

/* What the keeper says of it. */
static enum result answer_of(const struct fixture *f, unsigned place, size_t *len)
{
	struct keeper_reply reply;
	BUF in = BUF_INIT;

	assert_int_equal(board_await(f->board, place, PATIENCE_MS, &in, NULL), OK);
	assert_int_equal(keeper_wire_get_reply(buf_span(&in), &reply, NULL), OK);
	*len = reply.payload.len;
	return reply.result;
}

static const struct keeper_request ping = { .op = KEEPER_PING };
static const struct keeper_request open_unknown = { .op = KEEPER_OPEN, .id = SPAN_LIT("unknown") };

static void *ping_often(void *arg)
{
	const struct fixture *f = arg;
	size_t len = 0;
	int i;

	for (i = 0; i < 300; i++)
		if (answer_of(f, ask(f, &ping), &len) != OK || len)
			return arg;
	return NULL;
}

static void answers_all_at_once(void **state)
{
	pthread_t threads[8];
	void *failed = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ping_often, *state), 0);
	for (i = 0; i < ARRAY_LEN(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
}

static void every_place_has_its_answer(void **state)
{
	const struct fixture *f = *state;
	unsigned places[BOARD_PLACES], more = 0;
	const struct span any = SPAN_LIT("any");
	size_t i, len = 0;

	/* answered or not: a place is free when its reply has been taken */
	for (i = 0; i < BOARD_PLACES; i++)
		places[i] = ask(f, i % 2 ? &ping : &open_unknown);
	assert_int_equal(board_ask(f->board, &any, 1, &more, NULL), ERR_BUSY);
	for (i = 0; i < BOARD_PLACES; i++) {
		assert_int_equal(answer_of(f, places[i], &len), i % 2 ? OK : ERR_NOT_FOUND);
		assert_int_equal(len != 0, i % 2 == 0);
	}
	assert_int_equal(answer_of(f, ask(f, &ping), &len), OK);
}

static void what_has_no_room_is_not_put_up(void **state)
{
	const struct fixture *f = *state;
	static const uint8_t octets[BOARD_OCTETS + 1];
	struct span part = span_of(octets, sizeof(octets));
	unsigned place = 0;
	size_t len = 0;

	assert_int_equal(board_ask(f->board, &part, 1, &place, NULL), ERR_LIMIT);
	part.len--;
	assert_int_equal(board_ask(f->board, &part, 1, &place, NULL), OK);
	assert_int_not_equal(answer_of(f, place, &len), OK);
}

static void a_slow_request_is_an_errand(void **state)
{
	static const struct keeper_request rows[] = {
		{ .op = KEEPER_GENERATE,
		  .id = SPAN_LIT("k"),
		  .spec = { KEY_RSA, 4096 },
		  .payload = SPAN_LIT("\n") },
		{ .op = KEEPER_SUCCEED,
		  .id = SPAN_LIT("k"),
		  .spec = { KEY_RSA, 4096 },
		  .payload = SPAN_LIT("ca") },
		{ .op = KEEPER_SIGN, .id = SPAN_LIT("k"), .payload = SPAN_LIT("m"), .more = 1 },
	};
	size_t i, len = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(answer_of(*state, ask(*state, &rows[i]), &len), ERR_SYNTAX);
}

/* Whoever gives up leaves a reply that nobody takes: it is nobody else's either. */
static void a_lost_reply_is_not_anothers(void **state)
{
	const struct fixture *f = *state;
	size_t len = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		board_leave(f->board, ask(f, &open_unknown));
		assert_int_equal(answer_of(f, ask(f, &ping), &len), OK);
		assert_int_equal(len, 0);
	}
}

static void rubbish_is_refused(void **state)
{
	static const struct span rows[] = {
		SPAN_LIT(""),
		SPAN_LIT("\xff\xff\xff\xff"),
		SPAN_LIT("\xff\xff\xff\xff\1\0\0\0\0\0\0\0"),
		SPAN_LIT("\0\0\0\5\1\0\0\0\0\0\0\0"),
		SPAN_LIT("\0\0\0\0\1\x63\0\0\0\0\0\0"),
	};
	const struct fixture *f = *state;
	unsigned place = 0;
	size_t i, len = 0;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(board_ask(f->board, &rows[i], 1, &place, NULL), OK);
		assert_int_not_equal(answer_of(f, place, &len), OK);
		assert_int_not_equal(len, 0);
	}
	assert_int_equal(answer_of(f, ask(f, &ping), &len), OK);
}

static int memory_of(size_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static size_t board_size(void)
{
	CLEANUP(board_freep) struct board *b = NULL;
	struct stat st;
	int memory = -1;

	assert_int_equal(board_new(&b, &memory, NULL), OK);
	assert_int_equal(fstat(memory, &st), 0);
	assert_int_equal(close(memory), 0);
	return (size_t)st.st_size;
}

/* What could shrink under its reader would be a means to kill it. */
static void only_sealed_memory_is_a_board(void **state)
{
	const size_t page = 4096, right = board_size();
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	const struct {
		size_t size;
		int seals;
		enum result want;
	} rows[] = {
		{ right, seals, OK },
		{ right, F_SEAL_GROW, ERR_SYNTAX },
		{ right, 0, ERR_SYNTAX },
		{ right - page, seals, ERR_SYNTAX },
		{ right + page, seals, ERR_SYNTAX },
		{ 0, seals, ERR_SYNTAX },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(board_freep) struct board *b = NULL;
		int fd = memory_of(rows[i].size, rows[i].seals);

		assert_int_equal(board_open(&b, fd, NULL), rows[i].want);
		assert_int_equal(close(fd), 0);
	}
}

/* Whoever shares the memory may write anything there, behind board_ask() too. */
static void a_length_that_lies_is_refused(void **state)
{
	static const struct span mark = SPAN_LIT("a request that is found again");
	const uint32_t lies[] = { BOARD_OCTETS + 1, 1u << 20, UINT32_MAX };
	CLEANUP(board_freep) struct board *b = NULL;
	size_t size = board_size(), i;
	BUF in = BUF_INIT;
	unsigned place = 0;
	uint8_t *memory, *at;
	int fd = -1;

	(void)state;
	assert_int_equal(board_new(&b, &fd, NULL), OK);
	assert_int_equal(board_ask(b, &mark, 1, &place, NULL), OK);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	at = memmem(memory, size, mark.p, mark.len);
	assert_non_null(at);
	for (i = 0; i < ARRAY_LEN(lies); i++) {
		memcpy(at - sizeof(lies[i]), &lies[i], sizeof(lies[i]));
		assert_int_equal(board_read(b, place, &in, NULL), ERR_SYNTAX);
	}
	board_leave(b, place);
	assert_int_equal(munmap(memory, size), 0);
	assert_int_equal(close(fd), 0);
}

/* Nor does the keeper stop when all of it is rubbish. */
static void scribbled_memory_stops_no_desk(void **state)
{
	static const uint32_t fills[] = { UINT32_MAX, 1, 0 };
	const struct fixture *f = *state;
	CLEANUP(desk_freep) struct desk *desk = NULL;
	CLEANUP(board_freep) struct board *b = NULL;
	size_t size = board_size(), i, j;
	uint32_t *memory;
	int fd = -1;

	assert_int_equal(board_new(&b, &fd, NULL), OK);
	assert_int_equal(desk_new(&desk, fd, f->ring, 2, &f->log, NULL), OK);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	for (i = 0; i < ARRAY_LEN(fills); i++) {
		for (j = 0; j < size / sizeof(*memory); j++)
			memory[j] = fills[i];
		/* the bell is the first word */
		(void)syscall(SYS_futex, memory, FUTEX_WAKE, BOARD_PLACES, NULL, NULL, 0);
		(void)usleep(20000);
	}
	desk_free(take(desk)); /* comes back */
	assert_int_equal(munmap(memory, size), 0);
	assert_int_equal(close(fd), 0);
}

static void a_keeper_that_sleeps_is_waited_for_so_long(void **state)
{
	CLEANUP(board_freep) struct board *alone = NULL;
	const struct span any = SPAN_LIT("any");
	BUF in = BUF_INIT;
	unsigned place = 0, second = 0;
	int memory = -1;

	(void)state;
	assert_int_equal(board_new(&alone, &memory, NULL), OK);
	assert_int_equal(board_ask(alone, &any, 1, &place, NULL), OK);
	assert_int_equal(board_await(alone, place, 20, &in, NULL), ERR_TIMEOUT);
	board_leave(alone, place);
	/* until the keeper has come to it, it is not given to another */
	assert_int_equal(board_ask(alone, &any, 1, &second, NULL), OK);
	assert_int_not_equal(second, place);
	assert_int_equal(close(memory), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(every_place_has_its_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_has_no_room_is_not_put_up, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_request_is_an_errand, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_reply_is_not_anothers, setup, teardown),
		cmocka_unit_test_setup_teardown(rubbish_is_refused, setup, teardown),
		cmocka_unit_test(only_sealed_memory_is_a_board),
		cmocka_unit_test(a_length_that_lies_is_refused),
		cmocka_unit_test_setup_teardown(scribbled_memory_stops_no_desk, setup, teardown),
		cmocka_unit_test(a_keeper_that_sleeps_is_waited_for_so_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
