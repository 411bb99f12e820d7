/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

/* ---- authorities ---- */

static enum result copy_ca(void *ctx, const struct store_ca *ca, struct err *err)
{
	struct store_ca *out = ctx;
	size_t i;

	store_ca_clear(out);
	*out = *ca;
	for (i = 0; i < ca->n_keys; i++) {
		out->keys[i].cert = BUF_INIT;
		buf_put(&out->keys[i].cert, buf_span(&ca->keys[i].cert));
		TRY(buf_check(&out->keys[i].cert, err));
	}
	return OK;
}

static void fill_ca(struct store_ca *ca, const char *name, size_t n_keys)
{
	static const enum store_key_role roles[] = { STORE_KEY_CA, STORE_KEY_RA_ENCRYPT,
						     STORE_KEY_RA_SIGN, STORE_KEY_RA };

	(void)snprintf(ca->name, sizeof(ca->name), "%s", name);
	ca->created = NOW + 1;
	for (; ca->n_keys < n_keys; ca->n_keys++) {
		struct store_ca_key *key = &ca->keys[ca->n_keys];

		key->role = roles[ca->n_keys % 3];
		key->generation = 1 + (unsigned)ca->n_keys / 3;
		(void)snprintf(key->key_id, sizeof(key->key_id), "%s-%zu", name, ca->n_keys);
		buf_put_str(&key->cert, key->key_id);
	}
}

static void authorities_outlive_the_process(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW, .kind = "ca.created" };
	CLEANUP(store_ca_clear) struct store_ca ca = { 0 };
	CLEANUP(store_ca_clear) struct store_ca got = { 0 };
	size_t i;

	fill_ca(&ca, "second", STORE_CA_KEYS_MAX - 1);
	assert_int_equal(store_add_ca(f->store, &ca, &event, NULL), OK);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_each_ca(f->store, copy_ca, &got, NULL), OK);
	assert_string_equal(got.name, "second"); /* the last */
	assert_int_equal(got.created, NOW + 1);
	assert_int_equal(got.n_keys, ca.n_keys);
	for (i = 0; i < ca.n_keys; i++) {
		assert_int_equal(got.keys[i].role, ca.keys[i].role);
		assert_int_equal(got.keys[i].generation, ca.keys[i].generation);
		assert_string_equal(got.keys[i].key_id, ca.keys[i].key_id);
		assert_true(span_eq(buf_span(&got.keys[i].cert), buf_span(&ca.keys[i].cert)));
	}
}

static enum result stop(void *ctx, const struct store_ca *ca UNUSED, struct err *err)
{
	++*(int *)ctx;
	return err_set(err, ERR_DENIED, "stopped");
}

static void authorities_refused(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW, .kind = "ca.created" };
	CLEANUP(store_ca_clear) struct store_ca ca = { 0 };
	struct err err;
	int n = 0;

	fill_ca(&ca, "demo", 1);
	assert_int_equal(store_add_ca(f->store, &ca, &event, &err), ERR_CONFLICT);
	assert_non_null(strstr(err.text, "\"demo\""));
	memset(ca.name, 'x', sizeof(ca.name));
	ca.name[sizeof(ca.name) - 1] = '\0';
	assert_int_equal(store_add_ca(f->store, &ca, &event, NULL), OK);
	ca.name[0] = '\0';
	assert_int_equal(store_add_ca(f->store, &ca, &event, NULL), ERR_LIMIT);
	/* One of two keys of one role and generation: nothing of the CA is kept. */
	store_ca_clear(&ca);
	fill_ca(&ca, "half", 2);
	ca.keys[1].role = ca.keys[0].role;
	assert_int_equal(store_add_ca(f->store, &ca, &event, NULL), ERR_CONFLICT);
	assert_int_equal(store_each_ca(f->store, stop, &n, &err), ERR_DENIED);
	assert_int_equal(n, 1);
	ca.keys[1].role = STORE_KEY_RA;
	assert_int_equal(store_add_ca(f->store, &ca, &event, NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(authorities_outlive_the_process),
		FIXTURE_TEST(authorities_refused),
	};

	return cmocka_run_group_tests_name("store_ca", tests, NULL, NULL);
}
