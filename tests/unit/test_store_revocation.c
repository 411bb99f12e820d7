/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#include "store/revocation.h"

#define KEY_COMPROMISE 1
#define SUPERSEDED 4

static void issue(struct fixture *f, struct item *item, uint64_t n)
{
	item_init(item, n);
	item->issuance.challenge_hash = NULL;
	assert_int_equal(store_commit_issuance(f->store, &item->issuance, NULL), OK);
}

static enum result revoke_item(struct fixture *f, const struct item *item, unsigned reason,
			       int64_t time, struct err *err)
{
	const struct store_revocation r = {
		.ca = "demo",
		.serial = item->issuance.serial,
		.time = time,
		.reason = reason,
		.invalid_since = reason == KEY_COMPROMISE ? NOW - 5 : 0,
		.event = { .time = time, .kind = "cert.revoked", .actor = "uid 0" },
	};

	return store_revoke(f->store, &r, err);
}

static enum result release_item(struct fixture *f, const struct item *item, struct err *err)
{
	const struct store_event event = { .time = NOW, .kind = "cert.released" };

	return store_release(f->store, "demo", item->issuance.serial, &event, err);
}

static struct store_status status_of(struct fixture *f, const struct item *item)
{
	struct store_status status = { 0 };

	assert_int_equal(store_find_status(f->store, "demo", item->issuance.serial, &status, NULL),
			 OK);
	return status;
}

struct seen {
	unsigned n;
	unsigned reason;
	int64_t changed;
	struct buf serial;
	bool ordered;
};

static enum result see(void *ctx, const struct store_revoked *r, struct err *err)
{
	struct seen *seen = ctx;

	(void)err;
	if (seen->n && (memcmp(seen->serial.data, r->serial.p, 16) >= 0))
		seen->ordered = false;
	seen->n++;
	seen->reason = r->reason;
	seen->changed = r->changed;
	assert_int_equal(r->not_after, NOW + 86400);
	buf_reset(&seen->serial);
	buf_put(&seen->serial, r->serial);
	return OK;
}

static void a_certificate_through_its_life(void **state)
{
	struct fixture *f = *state;
	struct store_status status;
	struct item item;
	struct err err = { 0 };

	item_init(&item, 1);
	assert_int_equal(store_find_status(f->store, "demo", item.issuance.serial, &status, NULL),
			 ERR_NOT_FOUND);
	assert_int_equal(revoke_item(f, &item, SUPERSEDED, NOW, NULL), ERR_NOT_FOUND);
	issue(f, &item, 1);
	status = status_of(f, &item);
	assert_false(status.revoked);
	assert_int_equal(status.not_after, NOW + 86400);
	assert_int_equal(release_item(f, &item, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.text, "good"));
	assert_int_equal(revoke_item(f, &item, STORE_REASON_HOLD, NOW + 1, NULL), OK);
	assert_int_equal(revoke_item(f, &item, STORE_REASON_HOLD, NOW + 2, NULL), ERR_CONFLICT);
	status = status_of(f, &item);
	assert_true(status.revoked);
	assert_int_equal(status.reason, STORE_REASON_HOLD);
	assert_int_equal(release_item(f, &item, NULL), OK);
	assert_false(status_of(f, &item).revoked);
	assert_int_equal(revoke_item(f, &item, STORE_REASON_HOLD, NOW + 3, NULL), OK);
	assert_int_equal(revoke_item(f, &item, KEY_COMPROMISE, NOW + 4, NULL), OK);
	fixture_close(f);
	fixture_open(f);
	status = status_of(f, &item);
	assert_true(status.revoked);
	assert_int_equal(status.reason, KEY_COMPROMISE);
	assert_int_equal(status.time, NOW + 3); /* not good since it was on hold */
	assert_int_equal(status.invalid_since, NOW - 5);
	assert_int_equal(revoke_item(f, &item, SUPERSEDED, NOW + 5, NULL), ERR_CONFLICT);
	assert_int_equal(release_item(f, &item, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.text, "for good"));
	assert_int_equal(revoke_item(f, &item, STORE_REASON_REMOVE, NOW, NULL), ERR_INTERNAL);
}

/* Whoever knows the number from before knows that he has to look again. */
static void changes_are_counted(void **state)
{
	struct fixture *f = *state;
	struct item item;
	uint64_t first = store_revocation_changes(f->store), second, third;

	issue(f, &item, 1);
	assert_int_equal(store_revocation_changes(f->store), first);
	assert_int_equal(revoke_item(f, &item, STORE_REASON_HOLD, NOW, NULL), OK);
	second = store_revocation_changes(f->store);
	assert_true(second > first);
	assert_int_equal(release_item(f, &item, NULL), OK);
	third = store_revocation_changes(f->store);
	assert_true(third > second);
	(void)status_of(f, &item);
	assert_int_equal(store_revocation_changes(f->store), third);
}

/* Refused decisions leave no event, taken ones leave theirs. */
static void each_has_its_event(void **state)
{
	struct fixture *f = *state;
	struct store_event_filter all = { .limit = 1000 };
	struct item item;
	int before = 0, after = 0;

	issue(f, &item, 1);
	assert_int_equal(store_each_event(f->store, &all, item_count_event, &before, NULL), OK);
	assert_int_equal(revoke_item(f, &item, SUPERSEDED, NOW, NULL), OK);
	assert_int_equal(revoke_item(f, &item, SUPERSEDED, NOW, NULL), ERR_CONFLICT);
	assert_int_equal(release_item(f, &item, NULL), ERR_CONFLICT);
	assert_int_equal(store_each_event(f->store, &all, item_count_event, &after, NULL), OK);
	assert_int_equal(after, before + 1);
}

static void in_both_orders(void **state)
{
	struct fixture *f = *state;
	struct store_revoked_filter filter = { .ca = "demo", .limit = 7 };
	struct seen seen = { .ordered = true };
	struct item items[40];
	int64_t last = 0;
	unsigned i, n;

	for (i = 0; i < ARRAY_LEN(items); i++) {
		issue(f, &items[i], i);
		assert_int_equal(revoke_item(f, &items[i], SUPERSEDED, NOW, NULL), OK);
	}
	do {
		n = seen.n;
		filter.after_serial = buf_span(&seen.serial);
		assert_int_equal(store_each_revoked(f->store, &filter, see, &seen, NULL), OK);
	} while (seen.n > n);
	assert_int_equal(seen.n, ARRAY_LEN(items));
	assert_true(seen.ordered);
	filter = (struct store_revoked_filter){ .ca = "demo", .by_change = true };
	assert_int_equal(store_last_change(f->store, "demo", &last, NULL), OK);
	filter.after_change = last;
	seen.n = 0;
	assert_int_equal(store_each_revoked(f->store, &filter, see, &seen, NULL), OK);
	assert_int_equal(seen.n, 0);
	filter.after_change = last - 5; /* an issuance between each */
	assert_int_equal(store_each_revoked(f->store, &filter, see, &seen, NULL), OK);
	assert_int_equal(seen.n, 3);
	assert_int_equal(seen.changed, last);
	buf_clear(&seen.serial);
	assert_int_equal(store_last_change(f->store, "other", &last, NULL), OK);
	assert_int_equal(last, 0);
}

static struct store_crl list(uint64_t number, const char *scope, bool is_delta)
{
	struct store_crl crl = { .ca = "demo",
				 .is_delta = is_delta,
				 .base = is_delta ? 1 : 0,
				 .generation = 1,
				 .number = number,
				 .this_update = NOW,
				 .next_update = NOW + 60,
				 .change = 4,
				 .entries = 5,
				 .size = 6 };

	(void)snprintf(crl.scope, sizeof(crl.scope), "%s", scope);
	return crl;
}

static enum result count_list(void *ctx, const struct store_crl *crl, struct err *err)
{
	(void)err;
	assert_string_equal(crl->ca, "demo");
	*(uint64_t *)ctx += crl->number;
	return OK;
}

static enum result find(const struct fixture *f, unsigned generation, const char *scope,
			bool is_delta, struct store_crl *out)
{
	const struct store_crl_kind kind = { "demo", generation, scope, is_delta };

	return store_find_crl(f->store, &kind, out, NULL);
}

static void lists_and_their_numbers(void **state)
{
	struct fixture *f = *state;
	const struct store_event event = { .time = NOW, .kind = "crl.published" };
	const struct store_crl rows[] = { list(1, "", false), list(2, "3/8", false),
					  list(3, "", false), list(3, "", true) };
	const struct store_crl old = list(3, "", false);
	struct store_crl second = list(2, "", false);
	struct store_crl got;
	uint64_t number = 0, sum = 0;
	size_t i;

	assert_int_equal(store_next_crl_number(f->store, "nobody", &number, NULL), ERR_NOT_FOUND);
	for (i = 1; i < 4; i++) {
		assert_int_equal(store_next_crl_number(f->store, "demo", &number, NULL), OK);
		assert_int_equal(number, i);
		fixture_close(f);
		fixture_open(f);
	}
	assert_int_equal(find(f, 1, "", false, &got), ERR_NOT_FOUND);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(store_add_crl(f->store, &rows[i], &event, NULL), OK);
	assert_int_equal(store_add_crl(f->store, &old, &event, NULL), ERR_CONFLICT);
	assert_int_equal(find(f, 1, "", false, &got), OK);
	assert_int_equal(got.number, 3);
	assert_false(got.is_delta);
	assert_int_equal(find(f, 1, "", true, &got), OK);
	assert_true(got.is_delta);
	assert_int_equal(got.base, 1);
	assert_int_equal(got.change, 4);
	assert_int_equal(got.entries, 5);
	assert_int_equal(find(f, 1, "3/8", false, &got), OK);
	assert_string_equal(got.scope, "3/8");
	/* another generation's list has another key's signature: it is another list */
	assert_int_equal(find(f, 2, "", false, &got), ERR_NOT_FOUND);
	second.generation = 2;
	assert_int_equal(store_add_crl(f->store, &second, &event, NULL), OK);
	assert_int_equal(find(f, 2, "", false, &got), OK);
	assert_int_equal(got.number, 2);
	assert_int_equal(got.generation, 2);
	assert_int_equal(store_each_crl(f->store, NULL, count_list, &sum, NULL), OK);
	assert_int_equal(sum, 3 + 3 + 2 + 2);
	assert_int_equal(store_each_crl(f->store, "other", count_list, &sum, NULL), OK);
	assert_int_equal(sum, 3 + 3 + 2 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_certificate_through_its_life),
		FIXTURE_TEST(changes_are_counted),
		FIXTURE_TEST(each_has_its_event),
		FIXTURE_TEST(in_both_orders),
		FIXTURE_TEST(lists_and_their_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
