/* SPDX-License-Identifier: Apache-2.0 */
/* Challenges that are looked for: in memory as they were made, in the file as they are. */
#include "store_fixture.h"

static void expect_challenge(struct store *s, const struct store_challenge *c)
{
	CLEANUP(store_challenge_clear) struct store_challenge got = { 0 };

	assert_int_equal(store_find_challenge(s, c->hash, &got, NULL), OK);
	assert_string_equal(got.id, c->id);
	assert_memory_equal(got.hash, c->hash, STORE_HASH);
	assert_string_equal(got.endpoint, c->endpoint);
	assert_string_equal(got.created_by, c->created_by);
	assert_string_equal(got.source, c->source);
	assert_int_equal(got.created, c->created);
	assert_int_equal(got.expires, c->expires);
	assert_true(span_eq(buf_span(&got.subject), buf_span(&c->subject)));
	assert_true(span_eq(buf_span(&got.san), buf_span(&c->san)));
	assert_int_equal(got.reusable, c->reusable);
	assert_int_equal(got.revoked, c->revoked);
	assert_false(got.bound || got.used);
}

static void challenge_comes_back_whole(void **state)
{
	struct fixture *f = *state;
	CLEANUP(store_challenge_clear) struct store_challenge got = { 0 };
	struct item item;
	struct store_challenge *c = &item.challenge;

	item_init(&item, 1);
	(void)snprintf(c->endpoint, sizeof(c->endpoint), "scep");
	(void)snprintf(c->created_by, sizeof(c->created_by), "root");
	buf_put_str(&c->subject, "subject");
	assert_int_equal(item_add_challenge(f->store, &item, NULL), OK);
	expect_challenge(f->store, c); /* as it was made */
	expect_challenge(f->store, c); /* and as it stands in the file */
	assert_int_equal(item_add_challenge(f->store, &item, NULL), ERR_CONFLICT);
	c->hash[0] ^= 1;
	assert_int_equal(store_find_challenge(f->store, c->hash, &got, NULL), ERR_NOT_FOUND);
	assert_int_equal(item_add_challenge(f->store, &item, NULL), ERR_CONFLICT); /* its handle */
	buf_clear(&c->subject);
}

/* Among them many that want the same place in memory. */
static void many_challenges_come_back(void **state)
{
	struct fixture *f = *state;
	static struct item items[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(items); i++) {
		item_init(&items[i], i);
		items[i].challenge.hash[0] = items[i].challenge.hash[1] = (uint8_t)(i % 8);
		items[i].challenge.reusable = i % 5 == 0;
		assert_int_equal(item_add_challenge(f->store, &items[i], NULL), OK);
	}
	for (i = 0; i < 2 * ARRAY_LEN(items); i++)
		expect_challenge(f->store, &items[i % ARRAY_LEN(items)].challenge);
}

/* What has become of a challenge since it was made is seen, whether or not it was shown before. */
static void challenge_is_found_as_it_is_now(void **state)
{
	struct store_event event = { .time = NOW, .kind = "challenge.revoked" };
	struct fixture *f = *state;
	CLEANUP(store_challenge_clear) struct store_challenge got = { 0 };
	struct item shown, unseen, used;

	item_init(&shown, 1);
	item_init(&unseen, 2);
	item_init(&used, 3);
	assert_int_equal(item_add_challenge(f->store, &shown, NULL), OK);
	assert_int_equal(item_add_challenge(f->store, &unseen, NULL), OK);
	assert_int_equal(item_add_challenge(f->store, &used, NULL), OK);
	expect_challenge(f->store, &shown.challenge);
	expect_challenge(f->store, &used.challenge);
	assert_int_equal(store_commit_issuance(f->store, &used.issuance, NULL), OK);
	assert_int_equal(store_revoke_challenge(f->store, shown.challenge.id, &event, NULL), OK);
	assert_int_equal(store_revoke_challenge(f->store, unseen.challenge.id, &event, NULL), OK);
	shown.challenge.revoked = unseen.challenge.revoked = true;
	expect_challenge(f->store, &shown.challenge);
	expect_challenge(f->store, &unseen.challenge);
	assert_int_equal(store_find_challenge(f->store, used.challenge.hash, &got, NULL), OK);
	assert_true(got.bound && got.used == NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(challenge_comes_back_whole),
		FIXTURE_TEST(many_challenges_come_back),
		FIXTURE_TEST(challenge_is_found_as_it_is_now),
	};

	return cmocka_run_group_tests_name("store_fresh", tests, NULL, NULL);
}
