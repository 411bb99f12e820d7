/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates counted in the commit that makes them. */
#include "store_fixture.h"

#include "store/quota.h"

static enum result issue(struct fixture *f, size_t n, const struct store_quota *quotas,
			 size_t n_quotas, int64_t at, struct err *err)
{
	struct item item;

	item_init(&item, n);
	item.issuance.quotas = quotas;
	item.issuance.n_quotas = n_quotas;
	item.issuance.now = at;
	item.issuance.challenge_hash = NULL;
	return store_commit_issuance(f->store, &item.issuance, err);
}

static void as_many_as_it_may_have(void **state)
{
	struct store_quota quotas[] = {
		{ .key = { 1 }, .most = 2, .since = NOW - 100, .whose = "subject \"CN=a\"" },
		{ .key = { 2 }, .most = 5, .since = NOW - 100, .whose = "this challenge" },
	};
	struct store_quota other = { .key = { 3 }, .most = 2, .since = NOW - 100 };
	struct store_quota counted = { .key = { 1 } };
	struct fixture *f = *state;
	struct err err = { 0 };

	assert_int_equal(issue(f, 0, quotas, 2, NOW, NULL), OK);
	assert_int_equal(issue(f, 0, quotas, 2, NOW, NULL), ERR_CONFLICT); /* the same again */
	assert_int_equal(issue(f, 1, quotas, 2, NOW + 1, NULL), OK);
	assert_int_equal(issue(f, 2, quotas, 2, NOW + 1, &err), ERR_TOO_MANY);
	assert_string_equal(err_text(&err), "quota: subject \"CN=a\" has 2 certificates already, "
					    "which is all it may have within that time");
	assert_int_equal(issue(f, 2, &other, 1, NOW + 1, NULL), OK);
	/* time goes by: the first of them counts no more */
	quotas[0].since = NOW;
	assert_int_equal(issue(f, 3, quotas, 2, NOW + 100, NULL), OK);
	assert_int_equal(issue(f, 4, quotas, 2, NOW + 100, NULL), ERR_TOO_MANY);
	/* what is approved by a person passes, and counts */
	assert_int_equal(issue(f, 4, &counted, 1, NOW + 100, NULL), OK);
	quotas[0].most = 3;
	assert_int_equal(issue(f, 5, quotas, 2, NOW + 100, NULL), ERR_TOO_MANY);
	quotas[0].most = 4;
	assert_int_equal(issue(f, 5, quotas, 2, NOW + 100, NULL), OK);
}

/* A refused one leaves nothing: neither in its own count nor in the other's. */
static void refused_ones_do_not_count(void **state)
{
	const struct store_quota full = { .key = { 1 }, .most = 1, .since = 0 };
	const struct store_quota both[] = { { .key = { 2 }, .most = 1, .since = 0 },
					    { .key = { 1 }, .most = 1, .since = 0 } };
	struct fixture *f = *state;
	size_t i;

	assert_int_equal(issue(f, 0, &full, 1, NOW, NULL), OK);
	for (i = 1; i < 5; i++)
		assert_int_equal(issue(f, i, both, 2, NOW, NULL), ERR_TOO_MANY);
	assert_int_equal(issue(f, 5, both, 1, NOW, NULL), OK);
}

static void old_ones_are_deleted(void **state)
{
	const struct store_quota q = { .key = { 1 }, .most = 100, .since = 0 };
	const struct store_quota tight = { .key = { 1 }, .most = 2, .since = 0 };
	struct fixture *f = *state;
	uint64_t n = 9;
	size_t i;

	for (i = 0; i < 5; i++)
		assert_int_equal(issue(f, i, &q, 1, NOW + (int64_t)i, NULL), OK);
	assert_int_equal(store_purge_quotas(f->store, NOW, 3, &n, NULL), OK);
	assert_int_equal(n, 0);
	assert_int_equal(store_purge_quotas(f->store, NOW + 4, 3, &n, NULL), OK);
	assert_int_equal(n, 3);
	assert_int_equal(store_purge_quotas(f->store, NOW + 4, 3, &n, NULL), OK);
	assert_int_equal(n, 1);
	assert_int_equal(issue(f, 6, &tight, 1, NOW + 9, NULL), OK);
	assert_int_equal(issue(f, 7, &tight, 1, NOW + 9, NULL), ERR_TOO_MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(as_many_as_it_may_have),
		FIXTURE_TEST(refused_ones_do_not_count),
		FIXTURE_TEST(old_ones_are_deleted),
	};

	return cmocka_run_group_tests_name("store_quota", tests, NULL, NULL);
}
