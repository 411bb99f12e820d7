/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in the place of challenges: whose, when, for which names and keys. */
#include "ca_fixture.h"

#include "base/hex.h"
#include "ca/enrol.h"
#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/san.h"
#include "store/revocation.h"

#define VALIDITY (90 * DAY)
#define UNTIL (NOW - 600 + VALIDITY)

static struct {
	struct ca_fixture *f;
	struct key *a;
	struct key *b;
	struct buf name;
	struct buf exts; /* with the DNS name */
	struct profile_attr attr;
	struct profile profile;
	struct enrol_policy policy;
	struct enrol_trace trace;
	struct buf der; /* what is renewed: of key a, for name and exts */
	struct cert current;
} t;

struct ask {
	const char *transaction;
	struct key *key;            /* NULL: a */
	const struct cert *current; /* NULL: t.current */
	const struct buf *name;     /* NULL: t.name */
	const struct buf *exts;     /* NULL: t.exts */
	bool first;                 /* a first enrolment: nothing current */
	bool pkcs_req;              /* what does not renew may still be a first enrolment */
};

static enum result enrol(const struct ask *ask, struct enrol_outcome *out, struct err *err)
{
	struct enrol_context ctx = { t.f->store, &t.f->clock };
	struct enrol_request req = { .policy = &t.policy,
				     .ca = t.f->demo,
				     .transaction_id = span_str(ask->transaction),
				     .subject = buf_span(ask->name ? ask->name : &t.name),
				     .spki = key_spki(ask->key ? ask->key : t.a),
				     .exts = buf_span(ask->exts ? ask->exts : &t.exts),
				     .current = ask->current ? ask->current : &t.current,
				     .renewal_only = !ask->pkcs_req,
				     .peer = "192.0.2.9",
				     .trace = &t.trace };

	if (ask->first)
		req.current = NULL;
	t.trace = (struct enrol_trace){ 0 };
	return ca_enrol(&ctx, t.f->c, &req, out, err);
}

#define OUTCOME CLEANUP(enrol_outcome_clear) struct enrol_outcome

static struct enrol_outcome must_issue(const struct ask *ask)
{
	struct enrol_outcome out = { 0 };
	struct err err = { 0 };

	if (enrol(ask, &out, &err) != OK || out.status != ENROL_ISSUED)
		fail_msg("%s: %s %s", ask->transaction, err.text, out.reason);
	return out;
}

static void must_reject(const struct ask *ask, enum result why, const char *says)
{
	unsigned before = ca_fixture_events(t.f, NULL).n;
	OUTCOME out = { 0 };
	struct err err = { 0 };
	struct ca_fixture_events seen;

	if (enrol(ask, &out, &err) != OK || out.status != ENROL_REJECTED || out.why != why ||
	    !strstr(out.reason, says))
		fail_msg("%s: %s; %s %s", ask->transaction, err.text, err_name(out.why),
			 out.reason);
	seen = ca_fixture_events(t.f, ask->transaction);
	assert_string_equal(seen.kind, "enrol.rejected");
	assert_string_equal(seen.reason, out.reason);
	assert_int_equal(ca_fixture_events(t.f, NULL).n, before + 1);
}

static void put_san(struct buf *exts, const char *san)
{
	BUF names = BUF_INIT;

	assert_int_equal(san_parse_text(san, &names, NULL), OK);
	ext_put_san(exts, buf_span(&names), false);
}

static int set_up(void **state)
{
	struct key_spec p256 = { KEY_EC_P256, 256 };
	struct ask first = { "tx-first", .first = true };

	assert_int_equal(ca_fixture_set_up(state), 0);
	t.f = *state;
	assert_int_equal(key_evp_generate(&t.a, t.f->c, p256, NULL), OK);
	assert_int_equal(key_evp_generate(&t.b, t.f->c, p256, NULL), OK);
	assert_int_equal(name_parse_text("CN=router7", &t.name, NULL), OK);
	put_san(&t.exts, "DNS:router7.example");
	buf_put(&t.attr.type, OID_CN);
	t.profile = ca_fixture_profile(&t.attr);
	t.profile.validity = VALIDITY;
	t.profile.other_sans = PROFILE_OPTIONAL;
	t.policy = (struct enrol_policy){
		.endpoint = "demo", .ca = "demo", .profile = &t.profile, .accept_anyone = true
	};
	{
		OUTCOME out = must_issue(&first);

		t.der = buf_take(&out.cert);
	}
	assert_int_equal(cert_parse(buf_span(&t.der), &t.current, NULL), OK);
	return 0;
}

static int tear_down(void **state)
{
	key_free(t.a);
	key_free(t.b);
	buf_clear(&t.name);
	buf_clear(&t.exts);
	buf_clear(&t.attr.type);
	buf_clear(&t.der);
	return ca_fixture_tear_down(state);
}

/* Before each test: all that the last one may have changed. */
static int usual(void **state)
{
	(void)state;
	t.policy.accept_anyone = false;
	t.policy.renewal = true;
	t.profile.name = (char *)(uintptr_t) "device";
	t.profile.renewal =
	    (struct profile_renewal){ .allowed = true, .window = 30 * DAY, .same_names = true };
	clock_fix(&t.f->clock, UNTIL - DAY);
	return 0;
}

/* ---- what is renewed ---- */

static void renews_without_a_challenge(void **state)
{
	OUTCOME out = must_issue(&(struct ask){ "tx-renew", t.b });
	struct ca_fixture_events seen = ca_fixture_events(t.f, "tx-renew");
	struct cert cert;
	BUF serial = BUF_INIT;

	(void)state;
	assert_int_equal(cert_parse(buf_span(&out.cert), &cert, NULL), OK);
	assert_span_equal(cert.spki, key_spki(t.b));
	assert_span_equal(cert.subject, t.current.subject);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.kind, "enrol.renewed");
	hex_put(&serial, t.current.serial);
	assert_non_null(strstr(seen.reason, ", renews "));
	assert_non_null(strstr(seen.reason, buf_cstr(&serial)));
	buf_reset(&serial);
	hex_put(&serial, cert.serial);
	assert_non_null(strstr(seen.reason, buf_cstr(&serial)));
}

/* As many devices do: the transactionID is the key's hash, and both stay from one to the next. */
static void key_and_transaction_may_stay(void **state)
{
	struct ask ask = { "tx-first" };
	OUTCOME one = must_issue(&ask);
	OUTCOME again = must_issue(&ask);
	OUTCOME two = { 0 };
	struct cert renewed;

	(void)state;
	assert_false(span_eq(buf_span(&one.cert), buf_span(&t.der)));
	assert_span_equal(buf_span(&one.cert), buf_span(&again.cert));
	assert_true(again.repeated);
	assert_int_equal(cert_parse(buf_span(&one.cert), &renewed, NULL), OK);
	clock_fix(&t.f->clock, renewed.not_after - DAY);
	ask.current = &renewed;
	two = must_issue(&ask);
	assert_false(span_eq(buf_span(&one.cert), buf_span(&two.cert)));
	/* the answer of then for the request of then, however late */
	ask.current = NULL;
	{
		OUTCOME late = must_issue(&ask);

		assert_span_equal(buf_span(&one.cert), buf_span(&late.cert));
	}
}

/* ---- when ---- */

static void only_within_the_window(void **state)
{
	static const struct {
		int64_t at, window, grace;
		const char *says; /* NULL: granted */
	} rows[] = {
		{ NOW, 30 * DAY, 0,
		  "valid until 2027-02-19T20:34:00Z and is renewed from "
		  "2027-01-20T20:34:00Z on" },
		{ UNTIL - 30 * DAY - 1, 30 * DAY, 0, "is renewed from" },
		{ UNTIL - 30 * DAY, 30 * DAY, 0, NULL },
		{ NOW, PROFILE_ANY_TIME, 0, NULL },
		{ NOW - 601, PROFILE_ANY_TIME, 0, "is renewed from" },
		{ UNTIL, 30 * DAY, 0, NULL },
		{ UNTIL + 1, 30 * DAY, 0, "expired at 2027-02-19T20:34:00Z, more than the 0" },
		{ UNTIL + 1, PROFILE_ANY_TIME, 0, "expired at" },
		{ UNTIL + DAY, 30 * DAY, DAY, NULL },
		{ UNTIL + DAY + 1, 30 * DAY, DAY, "more than the 86400 seconds ago" },
	};
	char name[32];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct ask ask = { name };

		(void)snprintf(name, sizeof(name), "tx-when-%zu", i);
		clock_fix(&t.f->clock, rows[i].at);
		t.profile.renewal.window = rows[i].window;
		t.profile.renewal.grace = rows[i].grace;
		if (rows[i].says) {
			must_reject(&ask, ERR_DENIED, rows[i].says);
		} else {
			OUTCOME out = must_issue(&ask);

			assert_int_equal(out.status, ENROL_ISSUED);
		}
	}
}

static void grace_is_on_record(void **state)
{
	(void)state;
	t.profile.renewal.grace = DAY;
	clock_fix(&t.f->clock, UNTIL + 60);
	{
		OUTCOME out = must_issue(&(struct ask){ "tx-grace" });

		assert_int_equal(out.status, ENROL_ISSUED);
	}
	assert_non_null(strstr(ca_fixture_events(t.f, "tx-grace").detail,
			       "expired at 2027-02-19T20:34:00Z, within the grace period"));
}

/* ---- whose ---- */

static void only_what_this_ca_issued(void **state)
{
	struct authority_init init = ca_fixture_init("other");
	struct cert_template lie = { .serial = t.current.serial,
				     .sig_alg = sig_alg_for(KEY_EC_P256),
				     .issuer = t.current.issuer,
				     .not_before = t.current.not_before,
				     .not_after = t.current.not_after,
				     .subject = t.current.subject,
				     .spki = key_spki(t.b) };
	const struct authority_ca *demo = t.f->demo;
	BUF forged = BUF_INIT;
	struct cert cert;

	(void)state;
	assert_int_equal(cert_issue(&lie, t.b, t.f->c, &forged, NULL), OK);
	assert_int_equal(cert_parse(buf_span(&forged), &cert, NULL), OK);
	must_reject(&(struct ask){ "tx-forged", t.b, .current = &cert }, ERR_BAD_CERT_ID,
		    "but is another");
	must_reject(&(struct ask){ "tx-ra", .current = &demo->ra_sign.cert }, ERR_BAD_CERT_ID,
		    "which CA \"demo\" has not issued");
	must_reject(&(struct ask){ "tx-ca", .current = &demo->ca.cert }, ERR_BAD_CERT_ID,
		    "has not issued");
	/* another CA of the same name, in the same store */
	ca_fixture_create(t.f, &init);
	ca_fixture_load(t.f);
	t.f->demo = authority_find(t.f->authority, "other", NOW);
	must_reject(&(struct ask){ "tx-other" }, ERR_BAD_CERT_ID,
		    "of \"CN=Demo CA,O=Example\", which CA \"other\" has not issued");
	t.f->demo = authority_find(t.f->authority, "demo", NOW);
}

static void only_where_it_is_allowed(void **state)
{
	(void)state;
	t.policy.renewal = false;
	must_reject(&(struct ask){ "tx-endpoint" }, ERR_DENIED, "endpoint \"demo\" does not renew");
	t.policy.renewal = true;
	t.profile.renewal.allowed = false;
	must_reject(&(struct ask){ "tx-profile" }, ERR_DENIED,
		    "certificates of profile \"device\" are not renewed");
	t.profile.renewal.allowed = true;
	t.profile.name = (char *)(uintptr_t) "vpn";
	must_reject(&(struct ask){ "tx-elsewhere" }, ERR_DENIED,
		    "is of profile \"device\"; endpoint \"demo\" renews those of \"vpn\"");
}

static void only_what_is_not_revoked(void **state)
{
	struct store_revocation r = { .ca = "demo",
				      .serial = t.current.serial,
				      .time = UNTIL - 2 * DAY,
				      .reason = STORE_REASON_HOLD,
				      .event = { .time = NOW, .kind = "cert.held" } };
	struct store_event released = { .time = NOW, .kind = "cert.released" };

	(void)state;
	assert_int_equal(store_revoke(t.f->store, &r, NULL), OK);
	must_reject(&(struct ask){ "tx-held" }, ERR_DENIED,
		    "is revoked since 2027-02-17T20:34:00Z (certificateHold)");
	assert_int_equal(store_release(t.f->store, "demo", r.serial, &released, NULL), OK);
	{
		OUTCOME out = must_issue(&(struct ask){ "tx-released" });

		assert_int_equal(out.status, ENROL_ISSUED);
	}
	r.reason = 1;
	assert_int_equal(store_revoke(t.f->store, &r, NULL), OK);
	must_reject(&(struct ask){ "tx-revoked" }, ERR_DENIED, "(keyCompromise)");
}

/* ---- names and keys ---- */

static void names_stay(void **state)
{
	BUF name = BUF_INIT;
	BUF spelling = BUF_INIT;
	BUF san = BUF_INIT;
	BUF none = BUF_INIT;

	(void)state;
	put_san(&san, "DNS:router8.example");
	assert_int_equal(name_parse_text("CN=router8", &name, NULL), OK);
	assert_int_equal(name_parse_text("CN=ROUTER7", &spelling, NULL), OK);
	must_reject(&(struct ask){ "tx-name", .name = &name }, ERR_BAD_TEMPLATE,
		    "is for \"CN=router7\", its renewal would be for \"CN=router8\"");
	must_reject(&(struct ask){ "tx-san", .exts = &san }, ERR_BAD_TEMPLATE,
		    "other subjectAltNames");
	must_reject(&(struct ask){ "tx-no-san", .exts = &none }, ERR_BAD_TEMPLATE,
		    "other subjectAltNames");
	{
		OUTCOME out = must_issue(&(struct ask){ "tx-spelling", .name = &spelling });

		assert_int_equal(out.status, ENROL_ISSUED);
	}
	t.profile.renewal.same_names = false;
	{
		OUTCOME out = must_issue(&(struct ask){ "tx-new", .name = &name, .exts = &san });

		assert_int_equal(out.status, ENROL_ISSUED);
	}
}

static void keys_by_rule(void **state)
{
	(void)state;
	t.profile.renewal.new_key = PROFILE_KEY_REQUIRED;
	must_reject(&(struct ask){ "tx-old-key" }, ERR_BAD_TEMPLATE, "wants a new key");
	{
		OUTCOME out = must_issue(&(struct ask){ "tx-new-key", t.b });

		assert_int_equal(out.status, ENROL_ISSUED);
	}
	t.profile.renewal.new_key = PROFILE_KEY_FORBIDDEN;
	must_reject(&(struct ask){ "tx-b", t.b }, ERR_BAD_TEMPLATE, "the request has another");
	{
		OUTCOME out = must_issue(&(struct ask){ "tx-a" });

		assert_int_equal(out.status, ENROL_ISSUED);
	}
}

/* ---- either way ---- */

static void pkcs_req_may_enrol_anew(void **state)
{
	struct ask ask = { "tx-either", .pkcs_req = true };

	(void)state;
	clock_fix(&t.f->clock, UNTIL + 1);
	must_reject(&ask, ERR_DENIED, "expired at");
	assert_non_null(strstr(ca_fixture_events(t.f, "tx-either").detail,
			       "\"step\":\"challenge\",\"ok\":false"));
	t.policy.accept_anyone = true;
	{
		OUTCOME out = must_issue(&ask);

		assert_int_equal(out.status, ENROL_ISSUED);
	}
	assert_string_equal(ca_fixture_events(t.f, "tx-either").kind, "enrol.issued");
	must_reject(&(struct ask){ "tx-renewal-only" }, ERR_DENIED, "expired at");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(renews_without_a_challenge, usual),
		cmocka_unit_test_setup(key_and_transaction_may_stay, usual),
		cmocka_unit_test_setup(only_within_the_window, usual),
		cmocka_unit_test_setup(grace_is_on_record, usual),
		cmocka_unit_test_setup(only_what_this_ca_issued, usual),
		cmocka_unit_test_setup(only_where_it_is_allowed, usual),
		cmocka_unit_test_setup(names_stay, usual),
		cmocka_unit_test_setup(keys_by_rule, usual),
		cmocka_unit_test_setup(pkcs_req_may_enrol_anew, usual),
		cmocka_unit_test_setup(only_what_is_not_revoked, usual), /* the last: for good */
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
