/* SPDX-License-Identifier: Apache-2.0 */
/* SCEP's two sides against each other: requests that wait, and certificates that are renewed. */
#include "scep_fixture.h"

/* ---- polls ---- */

static struct scep_enrolment_reply poll(struct scep_enrolment *e)
{
	BUF request = BUF_INIT;

	assert_int_equal(scep_enrolment_poll(e, &t.ca, t.f->c, &request, NULL), OK);
	{
		REPLY reply = post(buf_span(&request));

		return read_reply(e, &reply);
	}
}

static void pending_is_polled(void **state)
{
	struct key_spec spec = { KEY_RSA, 2048 };
	CLEANUP(key_freep) struct key *key = NULL;
	struct enrol_policy *policy = &t.endpoint.policy;

	(void)state;
	assert_int_equal(key_evp_generate(&key, t.f->c, spec, NULL), OK);
	policy->manual = true;
	policy->approvers = 1;
	policy->pending_lifetime = DAY;
	{
		ENROLMENT e = device(key, NULL, MODERN);
		ANSWER none = poll(&e);
		ANSWER first = enrol(&e);
		ANSWER second = poll(&e);

		assert_int_equal(none.status, SCEP_FAILURE);
		assert_int_equal(none.fail_info, 4);
		assert_int_equal(first.status, SCEP_PENDING);
		assert_int_equal(second.status, SCEP_PENDING);
		clock_fix(&t.f->clock, NOW + DAY);
		{
			ANSWER late = poll(&e);

			assert_int_equal(late.status, SCEP_FAILURE);
			assert_int_equal(late.fail_info, 2);
			assert_non_null(strstr(late.text, "expired"));
		}
		clock_fix(&t.f->clock, NOW);
	}
	policy->manual = false;
}

/* By RenewalReq where GetCACaps offers it, else by PKCSReq; with RSA and with EC. */
static void renews_by_what_is_offered(void **state)
{
	static const struct {
		bool ec;
		uint32_t caps;
		int type;
	} row[] = {
		{ false, MODERN | SCEP_CAP_RENEWAL, SCEP_RENEWAL_REQ },
		{ false, MODERN, SCEP_PKCS_REQ },
		{ true, MODERN | SCEP_CAP_RENEWAL, SCEP_RENEWAL_REQ },
	};
	size_t i;

	(void)state;
	t.endpoint.policy.renewal = true;
	t.profile.renewal = (struct profile_renewal){ true, PROFILE_ANY_TIME, 0, true, 0 };
	for (i = 0; i < ARRAY_LEN(row); i++) {
		struct key *old = row[i].ec ? t.ec : t.rsa, *new = row[i].ec ? t.rsa : t.ec;
		ENROLMENT e = device(old, CHALLENGE, MODERN);
		ANSWER first = enrol(&e);
		struct scep_enrolment_config config = { .key = new,
							.subject = buf_span(&t.name),
							.current_key = old,
							.current_cert = buf_span(&first.cert),
							.caps = row[i].caps,
							.now = NOW };
		ENROLMENT next = { 0 };
		struct cert cert;

		assert_int_equal(scep_enrolment_init(&next, &config, t.f->c, NULL), OK);
		assert_int_equal(next.request_type, row[i].type);
		t.endpoint.policy.accept_anyone = false;
		{
			ANSWER second = enrol(&next);

			if (second.status != SCEP_SUCCESS)
				fail_msg("row %zu: %s", i, second.text);
			assert_int_equal(cert_parse(buf_span(&second.cert), &cert, NULL), OK);
			assert_true(span_eq(cert.spki, key_spki(new)));
		}
		t.endpoint.policy.accept_anyone = true;
		assert_string_equal(ca_fixture_events(t.f, next.transaction_id).kind,
				    "enrol.renewed");
	}
	t.endpoint.policy.renewal = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pending_is_polled),
		cmocka_unit_test(renews_by_what_is_offered),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
