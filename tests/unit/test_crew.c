/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that share a thread, and what they wait for. */
#include "unit.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/aside.h"
#include "base/clock.h"
#include "base/crew.h"

#define PATIENCE_MS 20000
#define SHORT_MS 20
#define STACK (64u << 10)
#define MEMBERS 3

/* What happened, a letter each; and what tasks wait for. */
struct scene {
	struct crew *crew;
	char story[64];
	size_t n;
	atomic_uint words[MEMBERS];
};

struct part {
	char letter;
	bool shares;
	unsigned word;
	unsigned ms;
	bool told;
};

static void tell_story(struct scene *s, char c)
{
	assert_in_range(s->n, 0, sizeof(s->story) - 2);
	s->story[s->n++] = c;
}

/* "a" when it begins, "A" when it has waited. */
static void play(void *ctx, void *task)
{
	struct scene *s = ctx;
	struct part *p = task;

	tell_story(s, p->letter);
	if (p->shares)
		crew_share();
	p->told = crew_await(&s->words[p->word], 0, p->ms ? p->ms : PATIENCE_MS);
	tell_story(s, (char)(p->letter - 'a' + 'A'));
}

static void open_scene(struct scene *s)
{
	const struct crew_kind kind = { .members = MEMBERS, .stack = STACK, .run = play, .ctx = s };

	*s = (struct scene){ 0 };
	assert_true(await_any_works());
	assert_int_equal(crew_new(&s->crew, &kind, NULL), OK);
}

static void close_scene(struct scene *s)
{
	assert_true(crew_is_idle(s->crew));
	crew_free(s->crew);
}

static void one_waits_another_goes_on(void **state)
{
	struct part a = { 'a', true, 0, 0, false }, b = { 'b', true, 1, 0, false };
	struct scene s;

	(void)state;
	open_scene(&s);
	crew_begin(s.crew, &a);
	crew_begin(s.crew, &b);
	crew_go_on(s.crew);
	assert_string_equal(s.story, "ab");
	assert_true(await_tell(&s.words[1], 0, 1));
	crew_go_on(s.crew);
	assert_string_equal(s.story, "abB");
	assert_false(crew_is_idle(s.crew));
	assert_true(await_tell(&s.words[0], 0, 1));
	crew_go_on(s.crew);
	assert_string_equal(s.story, "abBA");
	assert_true(a.told && b.told);
	close_scene(&s);
}

static void what_has_changed_is_not_waited_for(void **state)
{
	struct part a = { 'a', true, 0, 0, false };
	struct scene s;

	(void)state;
	open_scene(&s);
	assert_true(await_tell(&s.words[0], 0, 7));
	crew_begin(s.crew, &a);
	assert_string_equal(s.story, "aA");
	assert_true(a.told);
	close_scene(&s);
}

static void room_is_as_much_as_said(void **state)
{
	struct part parts[MEMBERS + 1];
	struct scene s;
	unsigned i;

	(void)state;
	open_scene(&s);
	for (i = 0; i <= MEMBERS; i++)
		parts[i] = (struct part){ (char)('a' + i), true, i % MEMBERS, 0, false };
	for (i = 0; i < MEMBERS; i++) {
		assert_true(crew_has_room(s.crew));
		crew_begin(s.crew, &parts[i]);
	}
	assert_false(crew_has_room(s.crew));
	for (i = 0; i < MEMBERS; i++)
		assert_true(await_tell(&s.words[i], 0, 1));
	crew_go_on(s.crew);
	assert_string_equal(s.story, "abcABC");
	crew_begin(s.crew, &parts[MEMBERS]);
	assert_string_equal(s.story, "abcABCdD");
	close_scene(&s);
}

static void time_comes_to_an_end(void **state)
{
	struct part a = { 'a', true, 0, SHORT_MS, false }, b = { 'b', false, 0, SHORT_MS, false };
	const int64_t begun = clock_mono_us();
	atomic_uint nobody = 0;
	struct scene s;

	(void)state;
	open_scene(&s);
	crew_begin(s.crew, &a);
	while (!crew_is_idle(s.crew)) {
		crew_sleep(s.crew, &(struct await){ &nobody, 0, INT64_MAX });
		crew_go_on(s.crew);
	}
	assert_true(clock_mono_us() - begun >= SHORT_MS * 1000);
	crew_begin(s.crew, &b);
	assert_true(clock_mono_us() - begun >= 2 * SHORT_MS * 1000);
	assert_string_equal(s.story, "aAbB");
	assert_false(a.told || b.told);
	close_scene(&s);
}

/* ---- with another thread ---- */

struct teller {
	atomic_uint *word;
	pthread_t thread;
};

static void *tell_late(void *arg)
{
	const struct teller *t = arg;

	(void)usleep(SHORT_MS * 1000);
	return await_tell(t->word, 0, 1) ? arg : NULL;
}

static void start_teller(struct teller *t, atomic_uint *word)
{
	t->word = word;
	assert_int_equal(pthread_create(&t->thread, NULL, tell_late, t), 0);
}

static void join_teller(struct teller *t)
{
	void *told = NULL;

	assert_int_equal(pthread_join(t->thread, &told), 0);
	assert_non_null(told);
}

static void who_does_not_share_keeps_the_thread(void **state)
{
	struct part a = { 'a', true, 0, 0, false }, b = { 'b', false, 1, 0, false };
	struct teller teller;
	struct scene s;

	(void)state;
	open_scene(&s);
	crew_begin(s.crew, &a);
	assert_true(await_tell(&s.words[0], 0, 1)); /* a might go on, were it not for b */
	start_teller(&teller, &s.words[1]);
	crew_begin(s.crew, &b);
	assert_string_equal(s.story, "abB");
	join_teller(&teller);
	crew_go_on(s.crew);
	assert_string_equal(s.story, "abBA");
	close_scene(&s);
}

/* Whatever it is: the word of the one that waits, or another. */
static void a_sleeping_crew_is_woken(void **state)
{
	struct part a = { 'a', true, 0, 0, false };
	atomic_uint bell = 0;
	struct teller teller;
	struct scene s;

	(void)state;
	open_scene(&s);
	crew_begin(s.crew, &a);
	start_teller(&teller, &bell);
	while (await_value(&bell) == 0)
		crew_sleep(s.crew, &(struct await){ &bell, 0, INT64_MAX });
	join_teller(&teller);
	assert_string_equal(s.story, "a");
	atomic_store(&bell, 0);
	start_teller(&teller, &s.words[0]);
	while (!crew_is_idle(s.crew)) {
		crew_sleep(s.crew, &(struct await){ &bell, 0, INT64_MAX });
		crew_go_on(s.crew);
	}
	join_teller(&teller);
	assert_string_equal(s.story, "aA");
	close_scene(&s);
}

static void words_of_two_processes(void **state)
{
	atomic_uint *word =
	    mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct part a = { 'a', true, 0, 0, false };
	int status = -1;
	struct scene s;
	pid_t child;

	(void)state;
	assert_ptr_not_equal(word, MAP_FAILED);
	open_scene(&s);
	crew_begin(s.crew, &a);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)usleep(SHORT_MS * 1000);
		_exit(await_tell(word, 0, 5) ? 0 : 1);
	}
	while (await_value(word) == 0)
		crew_sleep(s.crew, &(struct await){ word, 0, INT64_MAX });
	assert_int_equal(await_value(word), 5);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_false(await_tell(word, 0, 1));
	assert_int_equal(await_value(word), 5);
	assert_true(await_tell(&s.words[0], 0, 1));
	crew_go_on(s.crew);
	close_scene(&s);
	(void)munmap(word, sizeof(*word));
}

/* ---- long work, aside ---- */

struct long_work {
	struct scene *s;
	bool shares;
	pthread_t thread; /* that did it */
	atomic_uint begun;
	atomic_uint may_end;
	enum result result;
	struct err err;
};

static enum result work_long(void *arg, struct err *err)
{
	struct long_work *w = arg;

	w->thread = pthread_self();
	(void)await_tell(&w->begun, 0, 1);
	await_one(&(struct await){ &w->may_end, 0, clock_mono_us() + PATIENCE_MS * 1000ll });
	return err_set(err, ERR_DENIED, "done");
}

static void have_it_done(void *ctx, void *task)
{
	struct long_work *w = task;

	if (w->shares)
		crew_share();
	w->result = aside_run(work_long, w, &w->err);
	tell_story(ctx, 'L');
}

static void open_long(struct scene *s)
{
	const struct crew_kind kind = {
		.members = MEMBERS, .stack = STACK, .run = have_it_done, .ctx = s
	};

	*s = (struct scene){ 0 };
	assert_int_equal(crew_new(&s->crew, &kind, NULL), OK);
}

static void long_work_keeps_nobody(void **state)
{
	struct long_work a = { .shares = true }, b = { .shares = true };
	atomic_uint nobody = 0;
	struct scene s;

	(void)state;
	open_long(&s);
	crew_begin(s.crew, &a);
	crew_begin(s.crew, &b); /* both are under way at once */
	await_one(&(struct await){ &a.begun, 0, INT64_MAX });
	await_one(&(struct await){ &b.begun, 0, INT64_MAX });
	assert_string_equal(s.story, "");
	assert_true(await_tell(&a.may_end, 0, 1));
	assert_true(await_tell(&b.may_end, 0, 1));
	while (!crew_is_idle(s.crew)) {
		crew_sleep(s.crew, &(struct await){ &nobody, 0, INT64_MAX });
		crew_go_on(s.crew);
	}
	assert_string_equal(s.story, "LL");
	assert_int_equal(a.result, ERR_DENIED);
	assert_string_equal(err_text(&b.err), "done");
	assert_false(pthread_equal(a.thread, pthread_self()));
	assert_false(pthread_equal(a.thread, b.thread));
	close_scene(&s);
}

/* It may hold a lock that the work wants, and there is nobody to be kept. */
static void who_does_not_share_works_himself(void **state)
{
	struct long_work a = { .may_end = 1 };
	struct scene s;

	(void)state;
	open_long(&s);
	crew_begin(s.crew, &a);
	assert_string_equal(s.story, "L");
	assert_int_equal(a.result, ERR_DENIED);
	assert_true(pthread_equal(a.thread, pthread_self()));
	close_scene(&s);
	assert_int_equal(aside_run(work_long, &a, NULL), ERR_DENIED);
}

/* ---- many of everything ---- */

#define CREWS 3
#define ROUNDS 1000
#define BUSY 7

/* The word is 1 while the task waits for its answer, and 0 again when it has it. */
struct ask {
	atomic_uint word;
	uint8_t mark;
	bool busy;
};

struct desk {
	struct ask asks[CREWS][BUSY];
	atomic_uint answered;
	atomic_bool closed;
};

struct asker {
	struct desk *desk;
	unsigned crew;
	unsigned left;
	pthread_t thread;
};

static struct ask *find_free(struct asker *a)
{
	struct ask *ask = a->desk->asks[a->crew];

	while (ask->busy)
		ask++;
	return ask;
}

static void ask_once(void *ctx, void *task)
{
	struct asker *a = ctx;
	struct ask *ask = task;
	uint8_t own[512];

	ask->busy = true;
	memset(own, ask->mark, sizeof(own));
	crew_share();
	atomic_store(&ask->word, 1);
	if (crew_await(&ask->word, 1, PATIENCE_MS) && own[0] == ask->mark &&
	    own[sizeof(own) - 1] == ask->mark)
		atomic_fetch_add(&a->desk->answered, 1);
	ask->busy = false;
}

static void *run_asker(void *arg)
{
	struct asker *a = arg;
	const struct crew_kind kind = {
		.members = BUSY, .stack = STACK, .run = ask_once, .ctx = a
	};
	atomic_uint nobody = 0;
	struct crew *c = NULL;

	if (crew_new(&c, &kind, NULL) != OK)
		return NULL;
	do {
		for (; a->left && crew_has_room(c); a->left--)
			crew_begin(c, find_free(a));
		if (!crew_is_idle(c)) /* all may have had their answers at once */
			crew_sleep(c, &(struct await){ &nobody, 0, INT64_MAX });
		crew_go_on(c);
	} while (a->left || !crew_is_idle(c));
	crew_free(c);
	return arg;
}

static void *run_desk(void *arg)
{
	struct desk *d = arg;
	size_t i, j;

	while (!atomic_load(&d->closed))
		for (i = 0; i < CREWS; i++)
			for (j = 0; j < BUSY; j++)
				(void)await_tell(&d->asks[i][j].word, 1, 0);
	return NULL;
}

static void nobody_is_forgotten(void **state)
{
	struct asker askers[CREWS];
	struct desk desk = { 0 };
	pthread_t answering;
	void *done = NULL;
	unsigned i;

	(void)state;
	for (i = 0; i < CREWS * BUSY; i++)
		desk.asks[i / BUSY][i % BUSY].mark = (uint8_t)(i + 1);
	assert_int_equal(pthread_create(&answering, NULL, run_desk, &desk), 0);
	for (i = 0; i < CREWS; i++) {
		askers[i] = (struct asker){ .desk = &desk, .crew = i, .left = ROUNDS };
		assert_int_equal(pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]), 0);
	}
	for (i = 0; i < CREWS; i++) {
		assert_int_equal(pthread_join(askers[i].thread, &done), 0);
		assert_ptr_equal(done, &askers[i]);
	}
	atomic_store(&desk.closed, true);
	(void)pthread_join(answering, NULL);
	assert_int_equal(atomic_load(&desk.answered), CREWS * ROUNDS);
}

/* ---- its end ---- */

static unsigned dig(unsigned depth)
{
	volatile uint8_t pit[1024];

	pit[depth % sizeof(pit)] = (uint8_t)depth;
	return depth ? dig(depth - 1) + pit[depth % sizeof(pit)] : 0;
}

static void dig_too_deep(void *ctx, void *task)
{
	(void)task;
	*(unsigned *)ctx = dig(4 * STACK / 1024);
}

/* What is below a stack is nobody's. */
static void a_stack_has_an_end(void **state)
{
	unsigned depth = 0;
	const struct crew_kind kind = {
		.members = 2, .stack = STACK, .run = dig_too_deep, .ctx = &depth
	};
	struct crew *c = NULL;
	int status = 0;
	pid_t child;

	(void)state;
	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(STDERR_FILENO); /* of a sanitizer's report */
		if (crew_new(&c, &kind, NULL) == OK) {
			crew_begin(c, NULL);
			crew_begin(c, NULL);
		}
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_not_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_waits_another_goes_on),
		cmocka_unit_test(what_has_changed_is_not_waited_for),
		cmocka_unit_test(room_is_as_much_as_said),
		cmocka_unit_test(time_comes_to_an_end),
		cmocka_unit_test(who_does_not_share_keeps_the_thread),
		cmocka_unit_test(a_sleeping_crew_is_woken),
		cmocka_unit_test(words_of_two_processes),
		cmocka_unit_test(long_work_keeps_nobody),
		cmocka_unit_test(who_does_not_share_works_himself),
		cmocka_unit_test(nobody_is_forgotten),
		cmocka_unit_test(a_stack_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
