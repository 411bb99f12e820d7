/* SPDX-License-Identifier: Apache-2.0 */
#include "ca_fixture.h"

#include <jansson.h>

#include "admin/api.h"
#include "ca/enrol.h"
#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"

static struct {
	struct ca_fixture *f;
	struct admin_api api;
	unsigned changes;
} t;

static enum result changed(void *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	t.changes++;
	return OK;
}

static void each_endpoint(void *ctx, admin_endpoint_fn *fn, void *arg)
{
	static const struct admin_endpoint endpoints[] = {
		{ "demo", "scep", "/scep/demo", "demo" },
		{ "later", "scep", "/scep/later", "not-yet" },
	};

	(void)ctx;
	fn(arg, &endpoints[0]);
	fn(arg, &endpoints[1]);
}

static int set_up(void **state)
{
	assert_int_equal(ca_fixture_set_up(state), 0);
	t.f = *state;
	t.api = (struct admin_api){ .store = t.f->store,
				    .keeper = t.f->keeper,
				    .clock = &t.f->clock,
				    .own_uid = 1000,
				    .started = NOW - 60,
				    .changed = changed,
				    .each_endpoint = each_endpoint };
	return 0;
}

/* ---- asking ---- */

struct ask {
	enum http_method method;
	const char *path;
	const char *query;
	const char *body;
};

/* The reply's JSON, for the caller to release; its status must be `want`. */
static json_t *call_as(uint32_t uid, const struct ask *ask, int want)
{
	struct http_request req = { .method = ask->method,
				    .path = span_str(ask->path),
				    .query = span_str(ask->query),
				    .body = span_str(ask->body),
				    .peer = "unix",
				    .peer_uid = uid };
	struct http_reply reply = { 0 };
	json_t *value;

	admin_api_handle(&t.api, t.f->c, NULL, &req, &reply);
	if (reply.status != want)
		fail_msg("%s %s: %d, not %d: %.*s", ask->path, ask->query ? ask->query : "",
			 reply.status, want, (int)reply.body.len, (char *)reply.body.data);
	assert_string_equal(reply.content_type, "application/json");
	value = json_loadb((char *)reply.body.data, reply.body.len, 0, NULL);
	assert_non_null(value);
	http_reply_clear(&reply);
	return value;
}

static json_t *call(enum http_method method, const char *path, const char *query, const char *body,
		    int want)
{
	return call_as(0, &(struct ask){ method, path, query, body }, want);
}

static const char *text(const json_t *o, const char *field)
{
	const char *s = json_string_value(json_object_get(o, field));

	return s ? s : "";
}

/* ---- tests ---- */

static void only_root_and_the_daemon(void **state)
{
	static const struct ask status = { HTTP_GET, "/v1/status", NULL, NULL };
	static const struct {
		uint32_t uid;
		int want;
	} rows[] = { { 0, 200 }, { 1000, 200 }, { 1001, 403 }, { UINT32_MAX, 403 } };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		json_decref(call_as(rows[i].uid, &status, rows[i].want));
	t.api.own_uid = UINT32_MAX;
	json_decref(call_as(UINT32_MAX, &status, 403));
	t.api.own_uid = 1000;
}

static void hostile_requests(void **state)
{
	static const struct {
		struct ask ask;
		int want;
		const char *says;
	} rows[] = {
		{ { HTTP_GET, "/", NULL, NULL }, 404, "nothing at /" },
		{ { HTTP_GET, "/v1/cas/", NULL, NULL }, 404, "nothing at" },
		{ { HTTP_GET, "/v1/cas/a/b", NULL, NULL }, 404, "nothing at" },
		{ { HTTP_GET, "/v1/cas/none", NULL, NULL }, 404, "scepterctl ca init none" },
		{ { HTTP_GET, "/v1/cas/%00", NULL, NULL }, 400, "NUL" },
		{ { HTTP_GET, "/v1/cas/%4", NULL, NULL }, 400, "two digits" },
		{ { HTTP_GET, "/v1/cas/\xff", NULL, NULL }, 404, "" },
		{ { HTTP_DELETE, "/v1/cas", NULL, NULL }, 405, "method" },
		{ { HTTP_POST, "/v1/cas", NULL, "" }, 400, "not JSON" },
		{ { HTTP_POST, "/v1/cas", NULL, "[]" }, 400, "not a JSON object" },
		{ { HTTP_POST, "/v1/cas", NULL, "{\"name\":\"a\",\"name\":\"b\"}" }, 400, "JSON" },
		{ { HTTP_POST, "/v1/cas", NULL, "{}" }, 400, "\"name\" is missing" },
		{ { HTTP_POST, "/v1/cas", NULL, "{\"name\":7}" }, 400, "must be text" },
		{ { HTTP_POST, "/v1/cas", NULL, "{\"nane\":\"a\"}" },
		  400,
		  "\"nane\" is not known" },
		{ { HTTP_POST, "/v1/cas", NULL,
		    "{\"name\":\"a\",\"subject\":\"CN=a\",\"ra\":\"two\"}" },
		  400,
		  "none, one or split" },
		{ { HTTP_POST, "/v1/cas", NULL,
		    "{\"name\":\"a\",\"subject\":\"CN=a\",\"ra\":\"none\"}" },
		  400,
		  "RSA key" },
		{ { HTTP_POST, "/v1/cas", NULL,
		    "{\"name\":\"a\",\"subject\":\"CN=a\",\"validity\":\"long\"}" },
		  400,
		  "not a duration" },
		{ { HTTP_POST, "/v1/cas", NULL, "{\"name\":\"demo\",\"subject\":\"CN=a\"}" },
		  409,
		  "exists already" },
		{ { HTTP_POST, "/v1/challenges", NULL, "{\"endpoint\":\"demi\"}" },
		  404,
		  "no endpoint \"demi\"" },
		{ { HTTP_POST, "/v1/challenges", NULL, "{\"san\":\"DNS:a\"}" }, 400, "list" },
		{ { HTTP_POST, "/v1/challenges", NULL, "{\"san\":[7]}" }, 400, "hold text" },
		{ { HTTP_POST, "/v1/challenges", NULL, "{\"lifetime\":\"0s\"}" }, 400, "positive" },
		{ { HTTP_DELETE, "/v1/challenges/none", NULL, NULL }, 404, "" },
		{ { HTTP_GET, "/v1/certs", "limit=x", NULL }, 400, "not a number" },
		{ { HTTP_GET, "/v1/certs", "limit=0", NULL }, 400, "not within 1 to 1000" },
		{ { HTTP_GET, "/v1/certs", "limit=1001", NULL }, 400, "not within 1 to 1000" },
		{ { HTTP_GET, "/v1/certs", "cursor=7", NULL }, 400, "cursor" },
		{ { HTTP_GET, "/v1/certs", "cursor=", NULL }, 400, "cursor" },
		/* requests:5 */
		{ { HTTP_GET, "/v1/certs", "cursor=72657175657374733a35", NULL }, 400, "cursor" },
		/* certs:5x */
		{ { HTTP_GET, "/v1/certs", "cursor=63657274733a3578", NULL }, 400, "changed" },
		{ { HTTP_GET, "/v1/certs", "serial=xyz", NULL }, 400, "" },
		{ { HTTP_GET, "/v1/certs/ab", NULL, NULL }, 404, "serial number ab" },
		{ { HTTP_GET, "/v1/certs/%20", NULL, NULL }, 400, "no digits" },
		{ { HTTP_GET, "/v1/transactions/none", NULL, NULL }, 404, "no transaction" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *o = call_as(0, &rows[i].ask, rows[i].want);

		if (!strstr(text(o, "message"), rows[i].says))
			fail_msg("row %zu: %s", i, text(o, "message"));
		assert_string_not_equal(text(o, "error"), "");
		json_decref(o);
	}
	assert_int_equal(t.changes, 0);
}

static void status_tells_what_is_ready(void **state)
{
	json_t *o = call(HTTP_GET, "/v1/status", NULL, NULL, 200);
	const json_t *endpoints = json_object_get(o, "endpoints");

	(void)state;
	assert_true(json_is_true(json_object_get(o, "keeper")));
	assert_int_equal(json_integer_value(json_object_get(o, "uptime")), 60);
	assert_true(json_is_true(json_object_get(json_array_get(endpoints, 0), "ready")));
	assert_true(json_is_false(json_object_get(json_array_get(endpoints, 1), "ready")));
	json_decref(o);
}

static void a_ca_is_made_and_shown(void **state)
{
	json_t *o = call(HTTP_POST, "/v1/cas", NULL,
			 "{\"name\":\"second\",\"subject\":\"CN=Second\",\"key\":\"p384\"}", 201);
	const json_t *certs = json_object_get(o, "certificates");

	(void)state;
	assert_int_equal(t.changes, 1);
	assert_int_equal(json_array_size(certs), 2);
	assert_string_equal(text(json_array_get(certs, 0), "key"), "P-384");
	assert_string_equal(text(json_array_get(certs, 0), "subject"), "CN=Second");
	assert_string_equal(text(json_array_get(certs, 1), "role"), "ra");
	assert_string_equal(text(json_array_get(certs, 1), "key"), "RSA 2048");
	assert_int_equal(strlen(text(json_array_get(certs, 0), "sha256")), 64);
	assert_non_null(strstr(text(json_array_get(certs, 0), "certificate"), "-----BEGIN"));
	json_decref(o);
	o = call(HTTP_GET, "/v1/cas", NULL, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(o, "cas")), 2);
	json_decref(o);
	json_decref(call(HTTP_GET, "/v1/cas/second", NULL, NULL, 200));
}

static void challenges_come_and_go(void **state)
{
	json_t *o = call(HTTP_POST, "/v1/challenges", NULL,
			 "{\"endpoint\":\"demo\",\"lifetime\":\"2h\",\"subject\":\"CN=r7\","
			 "\"san\":[\"DNS:r7.example\"]}",
			 201);
	char path[128];
	json_t *list;
	const json_t *first;

	(void)state;
	assert_int_equal(strlen(text(o, "challenge")), CHALLENGE_LETTERS);
	assert_string_equal(text(o, "expires"), "2026-11-21T22:44:00Z");
	list = call(HTTP_GET, "/v1/challenges", NULL, NULL, 200);
	first = json_array_get(json_object_get(list, "challenges"), 0);
	assert_string_equal(text(first, "id"), text(o, "id"));
	assert_string_equal(text(first, "state"), "usable");
	assert_string_equal(text(first, "subject"), "CN=r7");
	assert_string_equal(json_string_value(json_array_get(json_object_get(first, "san"), 0)),
			    "DNS:r7.example");
	json_decref(list);
	(void)snprintf(path, sizeof(path), "/v1/challenges/%s", text(o, "id"));
	json_decref(o);
	json_decref(call(HTTP_DELETE, path, NULL, NULL, 200));
	list = call(HTTP_GET, "/v1/challenges", NULL, NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "challenges")), 0);
	json_decref(list);
	list = call(HTTP_GET, "/v1/challenges", "all=1&limit=1", NULL, 200);
	first = json_array_get(json_object_get(list, "challenges"), 0);
	assert_string_equal(text(first, "state"), "revoked");
	assert_true(json_is_null(json_object_get(list, "next")));
	json_decref(list);
}

/* One request under the transactionID that is refused, then one that is granted. */
static void enrol_twice(struct span transaction)
{
	struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct profile profile = { .name = (char *)(uintptr_t) "device",
				   .validity = DAY,
				   .other_attrs = PROFILE_OPTIONAL,
				   .keys = { { KEY_EC_P256, 0, 0 } },
				   .n_keys = 1 };
	struct enrol_policy policy = { .endpoint = "demo", .ca = "demo", .profile = &profile };
	struct enrol_trace trace = { 0 };
	CLEANUP(key_freep) struct key *key = NULL;
	BUF name = BUF_INIT;
	struct enrol_request req = { .policy = &policy,
				     .ca = t.f->demo,
				     .transaction_id = transaction,
				     .peer = "192.0.2.9",
				     .trace = &trace };
	struct enrol_outcome out = { 0 };

	assert_int_equal(
	    key_evp_generate(&key, t.f->c, (struct key_spec){ KEY_EC_P256, 256 }, NULL), OK);
	assert_int_equal(name_parse_text("CN=R\xc3\xb6uter \"7\"", &name, NULL), OK);
	req.subject = buf_span(&name);
	req.spki = key_spki(key);
	assert_int_equal(ca_enrol(&ctx, t.f->c, &req, &out, NULL), OK);
	assert_int_equal(out.status, ENROL_REJECTED);
	enrol_outcome_clear(&out);
	trace.n = 0;
	policy.accept_anyone = true;
	assert_int_equal(ca_enrol(&ctx, t.f->c, &req, &out, NULL), OK);
	assert_int_equal(out.status, ENROL_ISSUED);
	enrol_outcome_clear(&out);
}

static void certificates_are_found(void **state)
{
	char path[128], serial[64];
	json_t *list, *one;
	const json_t *first;

	(void)state;
	enrol_twice(SPAN_LIT("tx-1"));
	list = call(HTTP_GET, "/v1/certs", "subject=r%C3%B6uter&ca=demo&limit=1", NULL, 200);
	first = json_array_get(json_object_get(list, "certs"), 0);
	assert_string_equal(text(first, "subject"), "CN=R\xc3\xb6uter \\\"7\\\"");
	assert_string_equal(text(first, "transaction"), "tx-1");
	assert_string_equal(text(first, "certificate"), "");
	assert_true(json_is_null(json_object_get(list, "next")));
	(void)snprintf(serial, sizeof(serial), "%s", text(first, "serial"));
	json_decref(list);
	(void)snprintf(path, sizeof(path), "/v1/certs/%s", serial);
	one = call(HTTP_GET, path, NULL, NULL, 200);
	assert_non_null(strstr(text(one, "certificate"), "-----BEGIN CERTIFICATE-----"));
	json_decref(one);
	json_decref(call(HTTP_GET, path, "ca=second", NULL, 404));
	list = call(HTTP_GET, "/v1/certs", "subject=nobody", NULL, 200);
	assert_int_equal(json_array_size(json_object_get(list, "certs")), 0);
	json_decref(list);
}

static void a_transaction_is_explained(void **state)
{
	json_t *o;
	const json_t *events, *steps;

	(void)state;
	enrol_twice(SPAN_LIT("A1B2"));
	o = call(HTTP_GET, "/v1/transactions/A1B2", NULL, NULL, 200);
	events = json_object_get(o, "events");
	assert_string_equal(text(o, "transaction"), "A1B2");
	assert_string_equal(text(o, "outcome"), "issued");
	assert_true(json_is_null(json_object_get(o, "advice")));
	assert_int_equal(json_array_size(events), 2);
	assert_string_equal(text(json_array_get(events, 0), "kind"), "enrol.rejected");
	steps = json_object_get(json_array_get(events, 0), "steps");
	assert_string_equal(text(json_array_get(steps, 0), "step"), "challenge");
	assert_true(json_is_false(json_object_get(json_array_get(steps, 0), "ok")));
	assert_int_equal(json_array_size(json_object_get(o, "certs")), 1);
	json_decref(o);
}

static void an_untypable_transaction_by_its_hex(void **state)
{
	struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct enrol_policy policy = { .endpoint = "demo", .ca = "demo" };
	struct enrol_trace trace = { 0 };
	struct enrol_request req = { .policy = &policy,
				     .transaction_id = SPAN_LIT("\xff\xfe/"),
				     .trace = &trace };
	json_t *o;

	(void)state;
	enrol_trace_add(&trace, "signature", false, "broken");
	assert_int_equal(ca_enrol_refused(&ctx, &req, ERR_BAD_CHECK, "broken", NULL), OK);
	o = call(HTTP_GET, "/v1/transactions/fffe2f", NULL, NULL, 200);
	assert_string_equal(text(o, "hex"), "fffe2f");
	assert_string_equal(text(o, "outcome"), "rejected");
	assert_non_null(strstr(text(o, "advice"), "changed on its way"));
	json_decref(o);
	json_decref(call(HTTP_GET, "/v1/transactions/%ff%fe%2f", NULL, NULL, 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_root_and_the_daemon),
		cmocka_unit_test(hostile_requests),
		cmocka_unit_test(status_tells_what_is_ready),
		cmocka_unit_test(a_ca_is_made_and_shown),
		cmocka_unit_test(challenges_come_and_go),
		cmocka_unit_test(certificates_are_found),
		cmocka_unit_test(a_transaction_is_explained),
		cmocka_unit_test(an_untypable_transaction_by_its_hex),
	};

	return cmocka_run_group_tests(tests, set_up, ca_fixture_tear_down);
}
