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
	for (i = 0; i < ca->n_generations; i++) {
		out->generations[i].request = BUF_INIT;
		buf_put(&out->generations[i].request, buf_span(&ca->generations[i].request));
	}
	for (i = 0; i < ca->n_certs; i++) {
		out->certs[i].cert = BUF_INIT;
		buf_put(&out->certs[i].cert, buf_span(&ca->certs[i].cert));
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

/* ---- generations ---- */

static void fill_second(struct store_ca *ca, const char *request)
{
	(void)snprintf(ca->name, sizeof(ca->name), "demo");
	ca->n_keys = 1;
	ca->keys[0].role = STORE_KEY_CA;
	ca->keys[0].generation = 2;
	memcpy(ca->keys[0].key_id, "demo-ca-2", sizeof("demo-ca-2"));
	ca->n_generations = 1;
	ca->generations[0].number = 2;
	ca->generations[0].begins = NOW + 100;
	buf_put_str(&ca->generations[0].request, request);
}

static void put_cert(struct store_ca *ca, enum store_ca_cert_kind kind, const char *text)
{
	struct store_ca_cert *cert = &ca->certs[ca->n_certs++];

	cert->kind = kind;
	cert->generation = 2;
	buf_put_str(&cert->cert, text);
}

static void a_generation_more(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW, .kind = "ca.rollover" };
	CLEANUP(store_ca_clear) struct store_ca ca = { 0 };
	CLEANUP(store_ca_clear) struct store_ca got = { 0 };
	const struct store_generation *g;

	fill_second(&ca, "");
	buf_put_str(&ca.keys[0].cert, "the next one's certificate");
	put_cert(&ca, STORE_CERT_OLD_WITH_NEW, "own");
	put_cert(&ca, STORE_CERT_NEW_WITH_OLD, "nwo");
	assert_int_equal(store_add_generation(f->store, &ca, &event, NULL), OK);
	assert_int_equal(store_add_generation(f->store, &ca, &event, NULL), ERR_CONFLICT);
	assert_int_equal(store_complete_generation(f->store, &ca, &event, NULL), ERR_CONFLICT);
	assert_int_equal(store_begin_generation(f->store, "demo", 2, NOW + 101, &event, NULL), OK);
	assert_int_equal(store_begin_generation(f->store, "demo", 2, NOW + 102, &event, NULL),
			 ERR_CONFLICT);
	assert_int_equal(store_begin_generation(f->store, "demo", 3, NOW, &event, NULL),
			 ERR_CONFLICT);
	ca.name[0] = 'x';
	assert_int_equal(store_add_generation(f->store, &ca, &event, NULL), ERR_NOT_FOUND);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(store_each_ca(f->store, copy_ca, &got, NULL), OK);
	assert_int_equal(got.n_keys, 2);
	assert_null(store_ca_generation(&got, 1));
	g = store_ca_generation(&got, 2);
	assert_non_null(g);
	assert_int_equal(g->begins, NOW + 100);
	assert_int_equal(g->began, NOW + 101);
	assert_int_equal(g->request.len, 0);
	assert_int_equal(got.n_certs, 2);
	assert_int_equal(got.certs[0].kind, STORE_CERT_NEW_WITH_OLD);
	assert_int_equal(got.certs[0].generation, 2);
	assert_true(span_eq_str(buf_span(&got.certs[1].cert), "own"));
}

static void a_generation_that_waits(void **state)
{
	struct fixture *f = *state;
	struct store_event event = { .time = NOW, .kind = "ca.requested" };
	CLEANUP(store_ca_clear) struct store_ca ca = { 0 };
	CLEANUP(store_ca_clear) struct store_ca done = { 0 };
	CLEANUP(store_ca_clear) struct store_ca got = { 0 };

	fill_second(&ca, "a request");
	assert_int_equal(store_add_generation(f->store, &ca, &event, NULL), OK);
	assert_int_equal(store_each_ca(f->store, copy_ca, &got, NULL), OK);
	assert_int_equal(got.keys[1].cert.len, 0);
	assert_true(span_eq_str(buf_span(&got.generations[0].request), "a request"));
	fill_second(&done, "");
	buf_put_str(&done.keys[0].cert, "its certificate");
	put_cert(&done, STORE_CERT_CHAIN, "above");
	put_cert(&done, STORE_CERT_CHAIN, "root");
	assert_int_equal(store_complete_generation(f->store, &done, &event, NULL), OK);
	assert_int_equal(store_complete_generation(f->store, &done, &event, NULL), ERR_CONFLICT);
	assert_int_equal(store_each_ca(f->store, copy_ca, &got, NULL), OK);
	assert_true(span_eq_str(buf_span(&got.keys[1].cert), "its certificate"));
	assert_int_equal(got.generations[0].request.len, 0);
	assert_int_equal(got.n_certs, 2);
	assert_true(span_eq_str(buf_span(&got.certs[0].cert), "above"));
	assert_true(span_eq_str(buf_span(&got.certs[1].cert), "root"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(authorities_outlive_the_process),
		FIXTURE_TEST(authorities_refused),
		FIXTURE_TEST(a_generation_more),
		FIXTURE_TEST(a_generation_that_waits),
	};

	return cmocka_run_group_tests_name("store_ca", tests, NULL, NULL);
}
