/* SPDX-License-Identifier: Apache-2.0 */
/* Generations of a CA, as OpenSSL and GnuTLS see them. */
#include "ca_fixture.h"

#include "ca/responder.h"
#include "ca/rollover.h"
#include "pki/pem.h"

#define AT (NOW + 30 * DAY)

typedef enum result rollover_fn(const struct rollover *r, struct err *err);

static void act(struct ca_fixture *f, rollover_fn *fn, const char *name, int64_t at,
		enum result want)
{
	const struct rollover r = { .store = f->store,
				    .keeper = f->keeper,
				    .c = f->c,
				    .now = clock_now(&f->clock),
				    .ca = authority_find(f->authority, name, clock_now(&f->clock)),
				    .at = at,
				    .actor = "uid 0" };
	struct err err = { 0 };

	assert_non_null(r.ca);
	if (fn(&r, &err) != want)
		fail_msg("%s", err.text);
	ca_fixture_load(f);
}

static void roll(struct ca_fixture *f, const char *name, int64_t at, enum result want)
{
	act(f, rollover_make, name, at, want);
}

static const struct authority_ca *in_charge(struct ca_fixture *f, const char *name, int64_t now)
{
	return authority_find(f->authority, name, now);
}

/* ---- the switch ---- */

static void the_next_takes_over_by_the_clock(void **state)
{
	struct ca_fixture *f = *state;
	const struct authority_ca *first, *second;

	roll(f, "demo", AT, OK);
	first = in_charge(f, "demo", NOW);
	second = in_charge(f, "demo", AT);
	assert_int_equal(first->generation, 1);
	assert_int_equal(second->generation, 2);
	assert_ptr_equal(in_charge(f, "demo", AT - 1), first);
	assert_ptr_equal(first->next, second);
	assert_ptr_equal(second->before, first);
	assert_int_equal(second->ca.cert.not_before, AT);
	assert_int_equal(second->ca.cert.not_after - AT,
			 first->ca.cert.not_after - first->ca.cert.not_before);
	assert_int_equal(second->ra_sign.cert.not_before, AT);
	assert_false(span_eq(second->ra_sign.cert.spki, first->ra_sign.cert.spki));
	assert_string_equal(ca_fixture_events(f, NULL).kind, "ca.rollover");
	/* what was asked of the first is the first's until that ends */
	assert_ptr_equal(authority_ca_issuer(first, AT + DAY), first);
	assert_ptr_equal(authority_ca_issuer(first, first->ca.cert.not_after + 1), second);
	assert_ptr_equal(authority_ca_issuer(second, NOW), second);
	assert_ptr_equal(authority_ca_sibling(first, 2), second);
	assert_ptr_equal(authority_ca_sibling(second, 1), first);
	assert_null(authority_ca_sibling(second, 3));
	assert_int_equal(authority_ca_valid_from(second), AT);
	/* a responder signs nothing before its CA is valid */
	assert_true(responder_is_due(first, NOW));
	assert_false(responder_is_due(second, NOW));
	assert_true(responder_is_due(second, AT));
}

static void one_at_a_time(void **state)
{
	struct ca_fixture *f = *state;
	const struct authority_ca *ca = in_charge(f, "demo", NOW);

	assert_non_null(ca->next); /* of the test before */
	roll(f, "demo", AT + DAY, ERR_CONFLICT);
	clock_fix(&f->clock, AT);
	assert_false(in_charge(f, "demo", AT)->began);
	assert_int_equal(rollover_begin(f->store, in_charge(f, "demo", AT), AT, NULL), OK);
	assert_int_equal(rollover_begin(f->store, in_charge(f, "demo", AT), AT, NULL),
			 ERR_CONFLICT);
	assert_string_equal(ca_fixture_events(f, NULL).kind, "ca.switched");
	roll(f, "demo", AT + 2 * DAY, OK);
	assert_true(in_charge(f, "demo", AT)->began);
	assert_int_equal(in_charge(f, "demo", AT + 2 * DAY)->generation, 3);
	clock_fix(&f->clock, NOW);
}

static void when_it_is_due(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("due");
	const struct authority_ca *ca;
	int64_t end;

	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	ca = in_charge(f, "due", NOW);
	end = ca->ca.cert.not_after;
	assert_false(rollover_is_due(ca, 0, end));
	assert_false(rollover_is_due(ca, 30 * DAY, NOW));
	assert_false(rollover_is_due(ca, 30 * DAY, end - 30 * DAY - 1));
	assert_true(rollover_is_due(ca, 30 * DAY, end - 30 * DAY));
	assert_false(rollover_is_due(ca, 30 * DAY, end + 1));
	roll(f, "due", 0, OK);
	ca = in_charge(f, "due", NOW);
	assert_false(rollover_is_due(ca, 30 * DAY, end - 30 * DAY));
	assert_int_equal(ca->next->begins, end);
}

static void refused_times_and_keys(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("lone");
	const struct rollover base = {
		.store = f->store, .keeper = f->keeper, .c = f->c, .now = NOW, .actor = "uid 0"
	};
	struct rollover r = base;
	struct err err = { 0 };

	init.has_ra = false;
	init.ca_key = (struct key_spec){ KEY_RSA, 2048 };
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	r.ca = in_charge(f, "lone", NOW);
	r.at = NOW - 1;
	assert_int_equal(rollover_make(&r, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "now or later"));
	r.at = r.ca->ca.cert.not_after + 1;
	assert_int_equal(rollover_make(&r, &err), ERR_USAGE);
	r.at = AT;
	r.key = (struct key_spec){ KEY_EC_P256, 256 };
	assert_int_equal(rollover_make(&r, &err), ERR_USAGE);
	r.key = (struct key_spec){ KEY_RSA, 3072 };
	if (rollover_make(&r, &err) != OK)
		fail_msg("%s", err.text);
	ca_fixture_load(f);
	assert_int_equal(in_charge(f, "lone", AT)->ca.key->bits, 3072);
}

/* ---- cross certificates ---- */

static void write_pem(const struct ca_fixture *f, const char *name, struct span der)
{
	char path[128];
	BUF pem = BUF_INIT;

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	pem_put(&pem, "CERTIFICATE", der);
	assert_int_equal(file_write_atomic(path, 0600, buf_span(&pem), NULL), OK);
}

struct crossing {
	struct ca_fixture *f;
	const char *name;
};

static enum result write_cross(void *ctx, const struct store_ca *ca, struct err *err UNUSED)
{
	static const char *const names[] = { "chain", "own.pem", "nwo.pem" };
	struct crossing *k = ctx;
	size_t i;

	if (strcmp(ca->name, k->name) != 0)
		return OK;
	assert_int_equal(ca->n_certs, 2);
	for (i = 0; i < ca->n_certs; i++)
		write_pem(k->f, names[ca->certs[i].kind], buf_span(&ca->certs[i].cert));
	return OK;
}

static int shell(const struct ca_fixture *f, const char *command)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "cd '%s' && { %s; } >out.txt 2>&1", f->dir, command);
	if (system(line) == 0)
		return 0;
	(void)snprintf(line, sizeof(line), "cat %s/out.txt", f->dir);
	return system(line) == 0 ? 1 : 2;
}

/* Whoever trusts one generation only gets to the certificates of the other. */
static void cross_certificates_lead_both_ways(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("cross");
	struct crossing k = { f, "cross" };
	const struct authority_ca *old, *new;
	char line[256];

	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	roll(f, "cross", AT, OK);
	old = in_charge(f, "cross", NOW);
	new = old->next;
	write_pem(f, "old.pem", buf_span(&old->ca.der));
	write_pem(f, "new.pem", buf_span(&new->ca.der));
	write_pem(f, "old-ra.pem", buf_span(&old->ra_sign.der));
	write_pem(f, "new-ra.pem", buf_span(&new->ra_sign.der));
	assert_int_equal(store_each_ca(f->store, write_cross, &k, NULL), OK);
	(void)snprintf(line, sizeof(line), "%s -attime %lld", "openssl verify -x509_strict",
		       (long long)AT + 3600);
	(void)setenv("V", line, 1);
	assert_int_equal(shell(f, "$V -CAfile old.pem old-ra.pem"), 0);
	assert_int_equal(shell(f, "$V -CAfile new.pem new-ra.pem"), 0);
	assert_int_not_equal(shell(f, "$V -CAfile old.pem new-ra.pem"), 0);
	assert_int_not_equal(shell(f, "$V -CAfile new.pem old-ra.pem"), 0);
	assert_int_equal(shell(f, "$V -CAfile old.pem -untrusted nwo.pem new-ra.pem"), 0);
	assert_int_equal(shell(f, "$V -CAfile new.pem -untrusted own.pem old-ra.pem"), 0);
	assert_int_equal(shell(f, ""
				  "certtool --certificate-info --infile nwo.pem | "
				  "grep -q 'Certificate Authority (CA): TRUE'"),
			 0);
	/* the one signed by the old key is worth something before the switch, too */
	(void)snprintf(line, sizeof(line), "%s -attime %lld", "openssl verify -x509_strict",
		       (long long)NOW + 3600);
	(void)setenv("V", line, 1);
	assert_int_equal(shell(f, "$V -CAfile old.pem nwo.pem"), 0);
	assert_int_not_equal(shell(f, "$V -CAfile new.pem new-ra.pem"), 0);
}

/* ---- keys that are gone ---- */

static void a_missing_key_costs_its_ca_alone(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("gone");
	char command[200];
	size_t i;
	bool told = false;

	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	(void)snprintf(command, sizeof(command), "rm '%s/%s.key'", f->dir,
		       in_charge(f, "gone", NOW)->ca.key_id);
	assert_int_equal(system(command), 0);
	keeper_client_free(f->keeper); /* the keeper reads its folder when it starts */
	f->keeper = NULL;
	authority_unref(f->authority);
	f->authority = NULL;
	(void)close(f->stop[0]);
	assert_int_equal(waitpid(f->keeper_pid, NULL, 0), f->keeper_pid);
	(void)close(f->intro[0]);
	(void)close(f->intro[1]);
	ca_fixture_fork_keeper(f);
	assert_int_equal(keeper_client_new(&f->keeper, f->intro[0], KEEPER_PATIENCE_MS, NULL), OK);
	ca_fixture_load(f);
	assert_non_null(f->demo);
	assert_null(in_charge(f, "gone", NOW));
	assert_null(authority_oldest(f->authority, "gone"));
	assert_true(authority_knows(f->authority, "gone", 1)); /* which may have its key again */
	assert_false(authority_knows(f->authority, "gone", 2));
	assert_true(authority_knows(f->authority, "gone", 0));
	assert_false(authority_knows(f->authority, "never made", 0));
	for (i = 0; i < authority_count(f->authority); i++)
		if (strcmp(authority_name(f->authority, i), "gone") == 0)
			told = strstr(authority_fault(f->authority, i), "no key \"gone-ca-1-");
	assert_true(told);
	assert_non_null(strstr(authority_why_none(f->authority, "gone"), "generation 1"));
	assert_non_null(strstr(authority_why_none(f->authority, "never"), "ca init"));
}

/* ---- moved and cancelled ---- */

static void a_plan_can_be_moved(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("moved");
	const struct authority_ca *next;
	BUF before = BUF_INIT;

	clock_fix(&f->clock, NOW);
	init.ra_split = true;
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	act(f, rollover_move, "moved", AT, ERR_CONFLICT); /* there is none */
	roll(f, "moved", AT, OK);
	next = in_charge(f, "moved", NOW)->next;
	buf_put(&before, buf_span(&next->ca.der));
	act(f, rollover_move, "moved", NOW - 1, ERR_USAGE);
	act(f, rollover_move, "moved", in_charge(f, "moved", NOW)->ca.cert.not_after + 1,
	    ERR_USAGE);
	act(f, rollover_move, "moved", AT + DAY, OK);
	next = in_charge(f, "moved", NOW)->next;
	assert_int_equal(next->begins, AT + DAY);
	assert_true(span_eq(buf_span(&next->ca.der), buf_span(&before)));
	assert_ptr_equal(in_charge(f, "moved", AT + DAY - 1), next->before);
	assert_string_equal(ca_fixture_events(f, NULL).kind, "ca.rollover_moved");
	/* earlier than its certificate: the same keys with new ones, all of them */
	act(f, rollover_move, "moved", NOW + DAY, OK);
	next = in_charge(f, "moved", NOW)->next;
	assert_int_equal(next->begins, NOW + DAY);
	assert_int_equal(next->ca.cert.not_before, NOW + DAY);
	assert_int_equal(next->ra_sign.cert.not_before, NOW + DAY);
	assert_int_equal(next->ra_encrypt.cert.not_before, NOW + DAY);
	assert_false(span_eq(buf_span(&next->ca.der), buf_span(&before)));
	assert_int_equal(
	    cert_verify_signature(&next->ra_encrypt.cert, f->c, next->ca.cert.spki, NULL), OK);
	assert_non_null(strstr(ca_fixture_events(f, NULL).reason, "new certificate, SHA-256"));
	/* it has taken over */
	clock_fix(&f->clock, NOW + DAY);
	act(f, rollover_move, "moved", AT, ERR_CONFLICT);
	act(f, rollover_cancel, "moved", 0, ERR_CONFLICT);
	clock_fix(&f->clock, NOW);
}

static void a_plan_can_be_cancelled(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("off");
	const struct store_issuance ahead = { .transaction = { .endpoint = "demo",
							       .id = SPAN_LIT("ahead") },
					      .ca = "off",
					      .generation = 3,
					      .profile = "device",
					      .serial = SPAN_LIT("\x01\x77"),
					      .cert = SPAN_LIT("ahead"),
					      .key = (const uint8_t[STORE_HASH]){ 1 },
					      .now = NOW,
					      .ahead = true,
					      .event = { .time = NOW, .kind = "enrol.issued" } };
	struct store_issuance late = ahead;
	const struct authority_ca *ca;

	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	act(f, rollover_cancel, "off", 0, ERR_CONFLICT);
	roll(f, "off", AT, OK);
	act(f, rollover_cancel, "off", 0, OK);
	ca = in_charge(f, "off", AT + DAY);
	assert_int_equal(ca->generation, 1);
	assert_null(ca->next);
	assert_int_equal(ca->planned, 0);
	assert_string_equal(ca_fixture_events(f, NULL).kind, "ca.rollover_cancelled");
	/* what was on its way is not issued by what is gone */
	late.generation = 2;
	assert_int_equal(store_commit_issuance(f->store, &late, NULL), ERR_BUSY);
	/* the next is another number; who has a certificate of it keeps it */
	roll(f, "off", AT, OK);
	assert_int_equal(in_charge(f, "off", NOW)->planned, 3);
	assert_int_equal(store_commit_issuance(f->store, &ahead, NULL), OK);
	act(f, rollover_cancel, "off", 0, ERR_CONFLICT);
	act(f, rollover_move, "off", AT + DAY, OK);
	assert_int_equal(in_charge(f, "off", AT + DAY)->generation, 3);
}

static void a_ca_has_so_many_generations(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("many");
	int64_t now = NOW;
	int i;

	init.has_ra = false;
	init.ca_key = (struct key_spec){ KEY_RSA, 2048 };
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	for (i = 1; i < STORE_CA_GENERATIONS_MAX; i++) {
		clock_fix(&f->clock, now);
		roll(f, "many", now, OK);
		assert_int_equal(rollover_begin(f->store, in_charge(f, "many", now), now, NULL),
				 OK);
		now += 10;
	}
	clock_fix(&f->clock, now);
	roll(f, "many", now, ERR_LIMIT);
	assert_int_equal(in_charge(f, "many", now)->generation, STORE_CA_GENERATIONS_MAX);
	clock_fix(&f->clock, NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_takes_over_by_the_clock),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(when_it_is_due),
		cmocka_unit_test(refused_times_and_keys),
		cmocka_unit_test(cross_certificates_lead_both_ways),
		cmocka_unit_test(a_missing_key_costs_its_ca_alone),
		cmocka_unit_test(a_plan_can_be_moved),
		cmocka_unit_test(a_plan_can_be_cancelled),
		cmocka_unit_test(a_ca_has_so_many_generations),
	};

	return cmocka_run_group_tests(tests, ca_fixture_set_up, ca_fixture_tear_down);
}
