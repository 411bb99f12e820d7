/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/board.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crew.h"

#define WORD_BITS 64
#define WORDS (BOARD_PLACES / WORD_BITS)
#define CACHE_LINE 64
/* Nobody sleeps longer without looking: the other side may forget to wake. */
#define SLEEP_MS 5000
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Of a place. The server makes ASKED and LEFT, the keeper ANSWERED, and FREE of what was LEFT. */
enum state { FREE, ASKED, ANSWERED, LEFT };

struct place {
	_Alignas(CACHE_LINE) atomic_uint state; /* awaited by the one who asked */
	uint32_t length;
	uint8_t octets[BOARD_OCTETS];
};

/* As it lies in the shared memory. */
struct shared {
	_Alignas(CACHE_LINE)
	    atomic_uint bell; /* a futex for the keeper's threads: requests so far */
	atomic_uint sleepers; /* of them */
	_Alignas(CACHE_LINE) _Atomic uint64_t asked[WORDS];
	struct place places[BOARD_PLACES];
};

struct board {
	struct shared *shared;
	atomic_bool ended;
	_Atomic uint64_t held[WORDS]; /* places of the server's threads, whatever the memory says */
};

/* ---- sleeping and waking, across processes ---- */

static void sleep_on(atomic_uint *word, unsigned seen, unsigned ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000L };

	(void)syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
}

static void wake(atomic_uint *word, int n)
{
	(void)syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
}

/* ---- the memory ---- */

static RESULT map(struct board **out, int fd, struct err *err)
{
	struct board *b = calloc(1, sizeof(*b));
	void *at;

	if (!b)
		return err_nomem(err);
	at = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED) {
		free(b);
		return err_errno(err, errno, "keeper: shared memory");
	}
	b->shared = at;
	*out = b;
	return OK;
}

static RESULT make_memory(int fd, struct err *err)
{
	if (ftruncate(fd, sizeof(struct shared)) || fcntl(fd, F_ADD_SEALS, SEALS))
		return err_errno(err, errno, "keeper: shared memory");
	return OK;
}

enum result board_new(struct board **out, int *fd, struct err *err)
{
	int made = memfd_create("keeper-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	enum result r;

	if (made < 0)
		return err_errno(err, errno, "keeper: shared memory");
	r = make_memory(made, err);
	if (r == OK)
		r = map(out, made, err);
	if (r == OK)
		*fd = made;
	else
		(void)close(made);
	return r;
}

enum result board_open(struct board **out, int fd, struct err *err)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) ||
	    st.st_size != sizeof(struct shared))
		return err_set(err, ERR_SYNTAX,
			       "keeper: what was handed over is no sealed memory of %zu octets",
			       sizeof(struct shared));
	return map(out, fd, err);
}

void board_free(struct board *b)
{
	if (!b)
		return;
	(void)munmap(b->shared, sizeof(*b->shared));
	free(b);
}

/* ---- asking ---- */

static uint64_t bit_of(unsigned place)
{
	return 1ull << place % WORD_BITS;
}

static bool hold(struct board *b, unsigned place)
{
	uint64_t bit = bit_of(place);

	if (atomic_fetch_or(&b->held[place / WORD_BITS], bit) & bit)
		return false;
	if (await_value(&b->shared->places[place].state) == FREE)
		return true;
	(void)atomic_fetch_and(&b->held[place / WORD_BITS], ~bit);
	return false;
}

static void let_go(struct board *b, unsigned place)
{
	(void)atomic_fetch_and(&b->held[place / WORD_BITS], ~bit_of(place));
}

/* The lowest, so that as little memory as possible is ever touched. */
static RESULT take_place(struct board *b, unsigned *place, struct err *err)
{
	unsigned word;

	for (word = 0; word < WORDS; word++) {
		uint64_t free = ~atomic_load_explicit(&b->held[word], memory_order_relaxed);

		for (; free; free &= free - 1) {
			*place = word * WORD_BITS + (unsigned)__builtin_ctzll(free);
			if (hold(b, *place))
				return OK;
		}
	}
	return err_set(err, ERR_BUSY, "keeper: all %d places of the board are taken", BOARD_PLACES);
}

static void put(struct place *p, const struct span *parts, size_t n)
{
	size_t i, length = 0;

	for (i = 0; i < n; i++) {
		if (parts[i].len)
			memcpy(p->octets + length, parts[i].p, parts[i].len);
		length += parts[i].len;
	}
	p->length = (uint32_t)length;
}

static size_t total(const struct span *parts, size_t n)
{
	size_t i, length = 0;

	for (i = 0; i < n; i++)
		length += parts[i].len;
	return length;
}

/* The bell first, then the look for sleepers: who goes to sleep does it the other way round. */
static void ring(struct shared *s, unsigned place)
{
	(void)atomic_fetch_or(&s->asked[place / WORD_BITS], bit_of(place));
	(void)atomic_fetch_add(&s->bell, 1);
	if (atomic_load(&s->sleepers))
		wake(&s->bell, 1);
}

enum result board_ask(struct board *b, const struct span *parts, size_t n, unsigned *place,
		      struct err *err)
{
	struct place *p;

	if (total(parts, n) > BOARD_OCTETS)
		return err_set(err, ERR_LIMIT, "keeper: %zu octets, a place has %u",
			       total(parts, n), BOARD_OCTETS);
	TRY(take_place(b, place, err));
	p = &b->shared->places[*place];
	put(p, parts, n);
	atomic_store(&p->state, ASKED);
	ring(b->shared, *place);
	return OK;
}

/* The length is the other side's word. */
static RESULT copy(const struct place *p, struct buf *in, struct err *err)
{
	uint32_t length = *(const volatile uint32_t *)&p->length;

	buf_reset(in);
	if (length > BOARD_OCTETS)
		return err_set(err, ERR_SYNTAX, "keeper: %u octets in a place of %u", length,
			       BOARD_OCTETS);
	buf_put(in, span_of(p->octets, length));
	return buf_check(in, err);
}

/* What a reply held may be a secret. */
static void clear(struct board *b, unsigned place)
{
	struct place *p = &b->shared->places[place];
	uint32_t length = *(const volatile uint32_t *)&p->length;

	explicit_bzero(p->octets, length < BOARD_OCTETS ? length : BOARD_OCTETS);
	atomic_store(&p->state, FREE);
	let_go(b, place);
}

enum result board_await(struct board *b, unsigned place, unsigned ms, struct buf *in,
			struct err *err)
{
	struct place *p = &b->shared->places[place];
	enum result r;

	if (!crew_await(&p->state, ASKED, ms))
		return err_set(err, ERR_TIMEOUT, "keeper: the answer took too long");
	r = copy(p, in, err);
	clear(b, place);
	return r;
}

void board_leave(struct board *b, unsigned place)
{
	if (await_tell(&b->shared->places[place].state, ASKED, LEFT))
		let_go(b, place);
	else
		clear(b, place);
}

/* ---- answering ---- */

/* Takes a request of that word: the next one in turn from bit `from` on. */
static bool take_asked(struct board *b, unsigned word, unsigned from, unsigned *place)
{
	_Atomic uint64_t *asked = &b->shared->asked[word];
	uint64_t w = atomic_load(asked);

	while (w) {
		uint64_t later = w & (~0ull << from);
		unsigned i = (unsigned)__builtin_ctzll(later ? later : w);

		if (atomic_fetch_and(asked, ~(1ull << i)) & (1ull << i)) {
			*place = word * WORD_BITS + i;
			return true;
		}
		w = atomic_load(asked);
	}
	return false;
}

static bool look(struct board *b, unsigned *place)
{
	unsigned next = (*place + 1) % BOARD_PLACES, i;

	for (i = 0; i < WORDS; i++) {
		unsigned word = (next / WORD_BITS + i) % WORDS;

		if (take_asked(b, word, i ? 0 : next % WORD_BITS, place))
			return true;
	}
	return false;
}

/* One that was given up meanwhile is free without an answer. */
static bool is_wanted(struct board *b, unsigned place)
{
	atomic_uint *state = &b->shared->places[place].state;

	(void)await_tell(state, LEFT, FREE);
	return await_value(state) == ASKED;
}

bool board_next(struct board *b, unsigned *place)
{
	struct shared *s = b->shared;

	for (;;) {
		unsigned seen = atomic_load(&s->bell);

		if (atomic_load(&b->ended))
			return false;
		if (look(b, place)) {
			if (is_wanted(b, *place))
				return true;
			continue;
		}
		(void)atomic_fetch_add(&s->sleepers, 1);
		sleep_on(&s->bell, seen, SLEEP_MS);
		(void)atomic_fetch_sub(&s->sleepers, 1);
	}
}

enum result board_read(const struct board *b, unsigned place, struct buf *in, struct err *err)
{
	return copy(&b->shared->places[place], in, err);
}

void board_reply(struct board *b, unsigned place, const struct span *parts, size_t n)
{
	struct place *p = &b->shared->places[place];

	if (await_value(&p->state) == ASKED && total(parts, n) <= BOARD_OCTETS)
		put(p, parts, n);
	if (await_tell(&p->state, ASKED, ANSWERED))
		return;
	explicit_bzero(p->octets, BOARD_OCTETS); /* nobody waits: what was put there is nobody's */
	atomic_store(&p->state, FREE);
}

void board_end(struct board *b)
{
	atomic_store(&b->ended, true);
	(void)atomic_fetch_add(&b->shared->bell, 1);
	wake(&b->shared->bell, BOARD_PLACES);
}
