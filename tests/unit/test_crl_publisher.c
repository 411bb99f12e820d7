/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation, and the lists that follow, over a real store and keeper. */
#include "ca_fixture.h"

#include <sys/stat.h>

#include "ca/crl_publisher.h"
#include "ca/revoke.h"

#define LISTS_MAX 8
#define STEP_US 5000
#define PATIENCE_STEPS 12000 /* a minute */

struct lists {
	struct ca_fixture *f;
	struct revoke_context revoke;
	struct log log;
	char dir[96];
	struct crl_plan plan;
	struct crl_file *set[LISTS_MAX];
};

static int set_up(void **state)
{
	struct lists *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	assert_int_equal(ca_fixture_set_up((void **)&l->f), 0);
	l->revoke = (struct revoke_context){ l->f->store, &l->f->clock, &l->log };
	(void)snprintf(l->dir, sizeof(l->dir), "%s/crl", l->f->dir);
	assert_int_equal(mkdir(l->dir, 0755), 0);
	l->plan = (struct crl_plan){ .ca = "demo",
				     .directory = l->dir,
				     .url = "http://crl.example/demo",
				     .validity = 7 * DAY,
				     .interval = DAY };
	*state = l;
	return 0;
}

static void drop_set(struct lists *l)
{
	size_t i;

	for (i = 0; i < LISTS_MAX; i++) {
		crl_file_unref(l->set[i]);
		l->set[i] = NULL;
	}
}

static int tear_down(void **state)
{
	struct lists *l = *state;

	drop_set(l);
	assert_int_equal(ca_fixture_tear_down((void **)&l->f), 0);
	free(l);
	return 0;
}

/* A certificate numbered n; what is in it does not matter here. */
static void issue(struct lists *l, uint8_t n, int64_t not_after)
{
	const uint8_t serial[] = { 0x40, n };
	struct store_issuance i = { .transaction = { "demo", SPAN_ARRAY(serial), { n } },
				    .ca = "demo",
				    .generation = 1,
				    .profile = "device",
				    .serial = SPAN_ARRAY(serial),
				    .cert = SPAN_LIT("certificate"),
				    .key = (const uint8_t[STORE_HASH]){ n },
				    .subject_text = SPAN_LIT("CN=d"),
				    .not_before = NOW - DAY,
				    .not_after = not_after,
				    .now = NOW,
				    .event = { .time = NOW, .kind = "enrol.issued" } };

	assert_int_equal(store_commit_issuance(l->f->store, &i, NULL), OK);
}

static enum result take_back(struct lists *l, uint8_t n, enum crl_reason reason, struct err *err)
{
	const uint8_t serial[] = { 0x40, n };
	const struct revoke_request req = {
		.ca = "demo", .serial = SPAN_ARRAY(serial), .reason = reason, .actor = "uid 0"
	};

	return revoke_cert(&l->revoke, &req, err);
}

static void make(struct lists *l,
		 enum result (*fn)(const struct crl_maker *, struct crl_file **, struct err *))
{
	const struct crl_maker m = { .store = l->f->store,
				     .clock = &l->f->clock,
				     .log = &l->log,
				     .c = l->f->c,
				     .ca = l->f->demo,
				     .plan = &l->plan };
	struct err err = { 0 };

	if (fn(&m, l->set, &err) != OK)
		fail_msg("%s", err.text);
}

static struct crl parse(struct lists *l, const struct crl_file *file)
{
	struct crl crl = { 0 };

	assert_non_null(file);
	assert_int_equal(crl_parse(file->der, &crl, NULL), OK);
	assert_int_equal(crl_verify_signature(&crl, l->f->c, l->f->demo->ca.cert.spki, NULL), OK);
	return crl;
}

/* Numbers of the certificates on a list, in its order: "1 2 5r"; r: removeFromCRL, h: on hold. */
static void expect(struct lists *l, size_t list, const char *want)
{
	struct crl crl = parse(l, l->set[list]);
	struct der_reader entries;
	struct crl_entry e;
	BUF got = BUF_INIT;
	bool more = true;

	der_reader_init(&entries, crl.entries);
	for (;;) {
		assert_int_equal(crl_next(&entries, &e, &more, NULL), OK);
		if (!more)
			break;
		buf_printf(&got, "%s%u%s", got.len ? " " : "", e.serial.p[1],
			   e.reason == CRL_REMOVE_FROM_CRL    ? "r"
			   : e.reason == CRL_CERTIFICATE_HOLD ? "h"
							      : "");
	}
	assert_string_equal(buf_cstr(&got), want);
}

static void each_decision_is_an_event(void **state)
{
	struct lists *l = *state;
	const uint8_t serial[] = { 0x40, 1 };
	struct revoke_request req = { .ca = "demo",
				      .serial = SPAN_ARRAY(serial),
				      .reason = CRL_KEY_COMPROMISE,
				      .invalid_since = NOW + 1 };
	struct ca_fixture_events events;
	struct err err = { 0 };

	issue(l, 1, NOW + DAY);
	assert_int_equal(take_back(l, 1, CRL_REMOVE_FROM_CRL, &err), ERR_BAD_REQUEST);
	assert_non_null(strstr(err.text, "release"));
	assert_int_equal(take_back(l, 1, CRL_CA_COMPROMISE, NULL), ERR_BAD_REQUEST);
	assert_int_equal(take_back(l, 1, (enum crl_reason)7, NULL), ERR_BAD_REQUEST);
	assert_int_equal(take_back(l, 2, CRL_SUPERSEDED, NULL), ERR_NOT_FOUND);
	assert_int_equal(revoke_cert(&l->revoke, &req, &err), ERR_BAD_REQUEST);
	assert_non_null(strstr(err.text, "5.3.2"));
	assert_int_equal(take_back(l, 1, CRL_CERTIFICATE_HOLD, NULL), OK);
	assert_string_equal(ca_fixture_events(l->f, NULL).kind, "cert.held");
	assert_int_equal(revoke_release(&l->revoke, "demo", SPAN_ARRAY(serial), "uid 0", NULL), OK);
	assert_string_equal(ca_fixture_events(l->f, NULL).kind, "cert.released");
	req.invalid_since = NOW - DAY;
	assert_int_equal(revoke_cert(&l->revoke, &req, NULL), OK);
	events = ca_fixture_events(l->f, NULL);
	assert_string_equal(events.kind, "cert.revoked");
	assert_string_equal(events.reason, "keyCompromise, invalid since 2026-11-20T20:44:00Z");
	assert_int_equal(revoke_release(&l->revoke, "demo", SPAN_ARRAY(serial), "uid 0", NULL),
			 ERR_CONFLICT);
}

static void complete_and_delta(void **state)
{
	struct lists *l = *state;
	const uint8_t third[] = { 0x40, 3 };
	struct crl_scope scope = { 0 };
	uint8_t n;

	l->plan.delta_interval = 3600;
	for (n = 1; n <= 5; n++)
		issue(l, n, NOW + 100 * DAY);
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "");
	expect(l, CRL_DELTA, "");
	assert_int_equal(take_back(l, 4, CRL_SUPERSEDED, NULL), OK);
	assert_int_equal(take_back(l, 3, CRL_CERTIFICATE_HOLD, NULL), OK);
	make(l, crl_make_delta);
	expect(l, CRL_COMPLETE, "");
	expect(l, CRL_DELTA, "4 3h");
	assert_int_equal(
	    crl_read_scope(&(struct crl){ .exts = parse(l, l->set[CRL_DELTA]).exts }, &scope, NULL),
	    OK);
	assert_true(scope.is_delta);
	assert_int_equal(scope.base, l->set[CRL_COMPLETE]->record.number);
	assert_true(scope.number > scope.base);
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "3h 4");
	expect(l, CRL_DELTA, "4 3h"); /* what is new since the complete list before */
	assert_int_equal(l->set[CRL_DELTA]->record.number, l->set[CRL_COMPLETE]->record.number);
	assert_int_equal(revoke_release(&l->revoke, "demo", SPAN_ARRAY(third), "uid 0", NULL), OK);
	make(l, crl_make_delta);
	expect(l, CRL_DELTA, "4 3r"); /* since the same one, until the next that is scheduled */
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "4");
	expect(l, CRL_DELTA, "3r");
}

/* A complete list in between does not take the ground from under the delta list. */
static void both_with_each_change(void **state)
{
	struct lists *l = *state;
	uint64_t base;
	uint8_t n;

	l->plan.delta_interval = 3600;
	for (n = 1; n <= 5; n++)
		issue(l, n, NOW + 100 * DAY);
	make(l, crl_make_all);
	base = l->set[CRL_COMPLETE]->record.number;
	for (n = 1; n <= 3; n++) {
		assert_int_equal(take_back(l, n, CRL_SUPERSEDED, NULL), OK);
		make(l, crl_make_changed);
		assert_int_equal(l->set[CRL_DELTA]->record.base, base);
		assert_int_equal(l->set[CRL_DELTA]->record.number,
				 l->set[CRL_COMPLETE]->record.number);
	}
	expect(l, CRL_COMPLETE, "1 2 3");
	expect(l, CRL_DELTA, "1 2 3");
	make(l, crl_make_all);
	assert_true(l->set[CRL_DELTA]->record.base > base);
	expect(l, CRL_DELTA, "");
}

/* RFC 5280 3.3 */
static void expired_ones_stay_for_one_more_list(void **state)
{
	struct lists *l = *state;

	issue(l, 1, NOW + DAY);
	issue(l, 2, NOW + 9 * DAY);
	issue(l, 3, NOW + DAY);
	assert_int_equal(take_back(l, 1, CRL_SUPERSEDED, NULL), OK);
	assert_int_equal(take_back(l, 2, CRL_SUPERSEDED, NULL), OK);
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "1 2");
	clock_fix(&l->f->clock, NOW + 2 * DAY);
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "1 2");
	/* revoked after its end: it must be seen once, too */
	assert_int_equal(take_back(l, 3, CRL_KEY_COMPROMISE, NULL), OK);
	clock_fix(&l->f->clock, NOW + 3 * DAY);
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "2 3");
	clock_fix(&l->f->clock, NOW + 4 * DAY);
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "2");
}

static void parts(void **state)
{
	struct lists *l = *state;
	struct crl_scope scope = { 0 };
	struct crl crl;
	uint8_t n;

	l->plan.parts = 3;
	for (n = 1; n <= 7; n++) {
		issue(l, n, NOW + 100 * DAY);
		assert_int_equal(take_back(l, n, CRL_SUPERSEDED, NULL), OK);
	}
	make(l, crl_make_all);
	expect(l, CRL_COMPLETE, "1 2 3 4 5 6 7");
	/* 0x4001 is 16385, which is 2 modulo 3 */
	expect(l, CRL_FIRST_PART + 0, "2 5");
	expect(l, CRL_FIRST_PART + 1, "3 6");
	expect(l, CRL_FIRST_PART + 2, "1 4 7");
	crl = parse(l, l->set[CRL_FIRST_PART + 2]);
	assert_int_equal(crl_read_scope(&crl, &scope, NULL), OK);
	assert_span_equal(scope.point, SPAN_LIT("http://crl.example/demo/2.crl"));
	assert_string_equal(l->set[CRL_FIRST_PART + 2]->record.scope, "2/3");
	assert_int_equal(crl_plan_find(&l->plan, SPAN_LIT("2.crl")), CRL_FIRST_PART + 2);
	assert_int_equal(crl_plan_find(&l->plan, SPAN_LIT("3.crl")), SIZE_MAX);
	assert_int_equal(crl_plan_find(&l->plan, SPAN_LIT("../2.crl")), SIZE_MAX);
}

/* ---- the thread ---- */

static struct authority *authority(void *ctx)
{
	return authority_ref(((struct lists *)ctx)->f->authority);
}

static struct crl_publisher *start(struct lists *l)
{
	const struct crl_publisher_config config = { .store = l->f->store,
						     .clock = &l->f->clock,
						     .look_ms = 5,
						     .debounce_ms = 20,
						     .authority = authority,
						     .ctx = l };
	struct crl_publisher *p = NULL;

	assert_int_equal(crl_publisher_new(&p, &config, NULL), OK);
	assert_int_equal(crl_publisher_set(p, &l->plan, 1, NULL), OK);
	return p;
}

/* Waits for a complete list with a number of at least `number`; returns its number. */
static uint64_t await(struct lists *l, struct crl_publisher *p, uint64_t number)
{
	unsigned i;

	for (i = 0; i < PATIENCE_STEPS; i++) {
		crl_file_unref(l->set[CRL_COMPLETE]);
		l->set[CRL_COMPLETE] = crl_publisher_get(p, "demo", 1, SPAN_LIT("full.crl"));
		if (l->set[CRL_COMPLETE] && l->set[CRL_COMPLETE]->record.number >= number)
			return l->set[CRL_COMPLETE]->record.number;
		(void)usleep(STEP_US);
	}
	fail_msg("no list %llu", (unsigned long long)number);
	return 0;
}

static void follows_revocations_and_the_clock(void **state)
{
	struct lists *l = *state;
	struct crl_publisher *p = start(l);
	uint64_t number = await(l, p, 1);
	uint8_t n;

	assert_null(crl_publisher_get(p, "demo", 1, SPAN_LIT("delta.crl")));
	assert_null(crl_publisher_get(p, "other", 1, SPAN_LIT("full.crl")));
	for (n = 1; n <= 20; n++) {
		issue(l, n, NOW + 100 * DAY);
		assert_int_equal(take_back(l, n, CRL_SUPERSEDED, NULL), OK);
	}
	while (parse(l, l->set[CRL_COMPLETE]).entries.len == 0)
		number = await(l, p, number + 1);
	assert_true(number < 15); /* not one a revocation */
	assert_int_equal(crl_publisher_rebuild(p, "demo", l->f->c, NULL), OK);
	number = await(l, p, number + 1);
	assert_int_equal(crl_publisher_rebuild(p, "other", l->f->c, NULL), ERR_NOT_FOUND);
	clock_fix(&l->f->clock, NOW + DAY);
	while (l->set[CRL_COMPLETE]->record.this_update < NOW + DAY)
		number = await(l, p, number + 1);
	crl_publisher_free(p);
}

static bool full_has(struct lists *l, struct crl_publisher *p)
{
	crl_file_unref(l->set[CRL_COMPLETE]);
	l->set[CRL_COMPLETE] = crl_publisher_get(p, "demo", 1, SPAN_LIT("full.crl"));
	return l->set[CRL_COMPLETE] && l->set[CRL_COMPLETE]->record.entries > 0;
}

static void await_delta(struct lists *l, struct crl_publisher *p)
{
	unsigned i;

	for (i = 0; i < PATIENCE_STEPS; i++) {
		crl_file_unref(l->set[CRL_DELTA]);
		l->set[CRL_DELTA] = crl_publisher_get(p, "demo", 1, SPAN_LIT("delta.crl"));
		if (l->set[CRL_DELTA] && l->set[CRL_DELTA]->record.entries > 0)
			return;
		(void)usleep(STEP_US);
	}
	fail_msg("no delta list");
}

/* full_after: at once by default, and so long after the delta list where it is set. */
static void the_complete_list_follows(void **state)
{
	struct lists *l = *state;
	struct crl_publisher *p;
	int i;

	l->plan.delta_interval = 3600;
	l->plan.full_after = 3600;
	issue(l, 1, NOW + 100 * DAY);
	p = start(l);
	(void)await(l, p, 1);
	assert_int_equal(take_back(l, 1, CRL_SUPERSEDED, NULL), OK);
	await_delta(l, p);
	assert_false(full_has(l, p));
	crl_publisher_free(p);
	l->plan.full_after = 1;
	p = start(l);
	for (i = 0; i < PATIENCE_STEPS && !full_has(l, p); i++)
		(void)usleep(STEP_US);
	assert_true(full_has(l, p));
	crl_publisher_free(p);
}

static void both_at_once_by_default(void **state)
{
	struct lists *l = *state;
	struct crl_publisher *p;

	l->plan.delta_interval = 3600;
	issue(l, 1, NOW + 100 * DAY);
	p = start(l);
	(void)await(l, p, 1);
	assert_int_equal(take_back(l, 1, CRL_SUPERSEDED, NULL), OK);
	await_delta(l, p);
	assert_true(full_has(l, p));
	assert_int_equal(l->set[CRL_DELTA]->record.number, l->set[CRL_COMPLETE]->record.number);
	crl_publisher_free(p);
}

/* A list that lies there is served again, unless it was changed. */
static void outlives_the_process(void **state)
{
	struct lists *l = *state;
	struct crl_publisher *p = start(l);
	uint64_t number = await(l, p, 1);
	char path[128];
	FILE *file;

	crl_publisher_free(p);
	p = start(l);
	assert_int_equal(await(l, p, 1), number);
	crl_publisher_free(p);
	(void)snprintf(path, sizeof(path), "%s/full.crl", l->dir);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fputc('x', file), 'x');
	assert_int_equal(fclose(file), 0);
	p = start(l);
	assert_int_equal(await(l, p, 1), number + 1);
	crl_publisher_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_decision_is_an_event, set_up, tear_down),
		cmocka_unit_test_setup_teardown(complete_and_delta, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_with_each_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(expired_ones_stay_for_one_more_list, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(follows_revocations_and_the_clock, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_complete_list_follows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(both_at_once_by_default, set_up, tear_down),
		cmocka_unit_test_setup_teardown(outlives_the_process, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
