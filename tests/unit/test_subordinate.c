/* SPDX-License-Identifier: Apache-2.0 */
/* A CA below another, which OpenSSL plays. */
#include "ca_fixture.h"

#include "ca/rollover.h"
#include "ca/subordinate.h"
#include "pki/pem.h"

static int shell(const struct ca_fixture *f, const char *command)
{
	char line[2048];

	(void)snprintf(line, sizeof(line), "cd '%s' && { %s; } >out.txt 2>&1", f->dir, command);
	if (system(line) == 0)
		return 0;
	(void)snprintf(line, sizeof(line), "cat %s/out.txt", f->dir);
	return system(line) == 0 ? 1 : 2;
}

static void sh(const struct ca_fixture *f, const char *command)
{
	if (shell(f, command) != 0)
		fail_msg("%s", command);
}

/* A root and an intermediate of OpenSSL's, in force around NOW. */
static void make_above(const struct ca_fixture *f)
{
	sh(f, "openssl ecparam -name prime256v1 -genkey -noout -out root.key && "
	      "openssl ecparam -name prime256v1 -genkey -noout -out mid.key && "
	      "printf '[e]\\nbasicConstraints=critical,CA:TRUE\\n"
	      "keyUsage=critical,keyCertSign,cRLSign\\nsubjectKeyIdentifier=hash\\n"
	      "authorityKeyIdentifier=keyid\\n' >ca.cnf && "
	      "printf '[e]\\nbasicConstraints=critical,CA:FALSE\\n' >leaf.cnf && "
	      "printf '[e]\\nbasicConstraints=critical,CA:TRUE\\n"
	      "keyUsage=critical,digitalSignature\\n' >usage.cnf && "
	      "printf '[e]\\nbasicConstraints=critical,CA:TRUE,pathlen:0\\n"
	      "keyUsage=critical,keyCertSign,cRLSign\\n' >len0.cnf");
	sh(f, "openssl req -new -key root.key -subj '/O=Above/CN=Root' -out root.csr && "
	      "openssl x509 -req -in root.csr -signkey root.key -days 9000 -extfile ca.cnf "
	      "-extensions e -out root.pem && "
	      "openssl req -new -key mid.key -subj '/O=Above/CN=Mid' -out mid.csr && "
	      "openssl x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial "
	      "-days 8000 -extfile ca.cnf -extensions e -out mid.pem && "
	      "openssl x509 -req -in mid.csr -CA root.pem -CAkey root.key -CAcreateserial "
	      "-days 8000 -extfile len0.cnf -extensions e -out mid0.pem && "
	      "openssl ecparam -name prime256v1 -genkey -noout -out fake.key && "
	      "openssl req -new -x509 -key fake.key -subj '/O=Above/CN=Mid' -days 8000 "
	      "-out other-mid.pem");
}

struct asked {
	const struct ca_fixture *f;
	const char *name;
	unsigned n;
};

static enum result write_request(void *ctx, const struct store_ca *ca, struct err *err UNUSED)
{
	struct asked *a = ctx;
	char path[128];
	BUF pem = BUF_INIT;
	size_t i;

	for (i = 0; strcmp(ca->name, a->name) == 0 && i < ca->n_generations; i++) {
		if (!ca->generations[i].request.len)
			continue;
		pem_put(&pem, "CERTIFICATE REQUEST", buf_span(&ca->generations[i].request));
		(void)snprintf(path, sizeof(path), "%s/%s.csr", a->f->dir, a->name);
		assert_int_equal(file_write_atomic(path, 0600, buf_span(&pem), NULL), OK);
		a->n++;
	}
	return OK;
}

static unsigned requests(const struct ca_fixture *f, const char *name)
{
	struct asked a = { f, name, 0 };

	assert_int_equal(store_each_ca(f->store, write_request, &a, NULL), OK);
	return a.n;
}

static enum result import(struct ca_fixture *f, const char *name, const char *files,
			  struct err *err)
{
	struct subordinate s = { .store = f->store,
				 .keeper = f->keeper,
				 .c = f->c,
				 .now = clock_now(&f->clock),
				 .name = name,
				 .actor = "uid 0" };
	char command[256], path[128];
	BUF chain = BUF_INIT;

	(void)snprintf(command, sizeof(command), "cat %s >chain.pem", files);
	sh(f, command);
	(void)snprintf(path, sizeof(path), "%s/chain.pem", f->dir);
	assert_int_equal(file_read(path, 1 << 20, &chain, NULL), OK);
	s.chain = buf_span(&chain);
	return subordinate_import(&s, err);
}

#define SIGN(by, cnf, days, out)                                                                   \
	"openssl x509 -req -in low.csr -CA " by ".pem -CAkey " by                                  \
	".key -CAcreateserial -days " days " -extfile " cnf ".cnf -extensions e -out " out ".pem"

static void the_request_and_its_answer(void **state)
{
	static const struct {
		const char *why, *make, *files, *says;
		enum result want;
	} rows[] = {
		{ "issuer missing", "true", "low.pem", "not in the chain", ERR_BAD_TEMPLATE },
		{ "another key", "true", "mid.pem root.pem", "for the CA's key", ERR_BAD_TEMPLATE },
		{ "no CA", SIGN("mid", "leaf", "4000", "bad"), "bad.pem mid.pem root.pem",
		  "CA:TRUE", ERR_BAD_TEMPLATE },
		{ "usage", SIGN("mid", "usage", "4000", "bad"), "bad.pem mid.pem root.pem",
		  "keyCertSign", ERR_BAD_TEMPLATE },
		{ "pathLen above", "true", "low.pem mid0.pem root.pem", "pathLenConstraint",
		  ERR_BAD_TEMPLATE },
		{ "stranger", "true", "low.pem mid.pem root.pem other-mid.pem", "leave them out",
		  ERR_BAD_TEMPLATE },
		{ "no PEM", "true", "ca.cnf", "no certificate", ERR_SYNTAX },
	};
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("low");
	const struct authority_ca *ca;
	struct err err = { 0 };
	size_t i;

	make_above(f);
	init.subordinate = true;
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	assert_null(authority_find(f->authority, "low", clock_now(&f->clock)));
	assert_non_null(strstr(authority_why_none(f->authority, "low"), "ca import"));
	assert_int_equal(requests(f, "low"), 1);
	assert_string_equal(ca_fixture_events(f, NULL).kind, "ca.requested");
	sh(f, "openssl req -in low.csr -verify -noout -text | grep -q CA:TRUE");
	sh(f, SIGN("mid", "ca", "4000", "low"));
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		sh(f, rows[i].make);
		err_clear(&err);
		if (import(f, "low", rows[i].files, &err) != rows[i].want ||
		    !strstr(err.text, rows[i].says))
			fail_msg("%s: %s", rows[i].why, err.text);
	}
	/* a signature of another key under the issuer's name */
	assert_int_equal(import(f, "low", "low.pem other-mid.pem", &err), ERR_BAD_TEMPLATE);
	assert_non_null(strstr(err.text, "not signed by the key"));
	if (import(f, "low", "root.pem low.pem mid.pem", &err) != OK)
		fail_msg("%s", err.text);
	assert_string_equal(ca_fixture_events(f, NULL).kind, "ca.imported");
	assert_int_equal(requests(f, "low"), 0);
	assert_int_equal(import(f, "low", "low.pem mid.pem", &err), ERR_CONFLICT);
	assert_int_equal(import(f, "none", "low.pem mid.pem", &err), ERR_NOT_FOUND);
	ca_fixture_load(f);
	ca = authority_find(f->authority, "low", clock_now(&f->clock));
	assert_non_null(ca);
	assert_int_equal(ca->n_chain, 2);
	assert_true(ca->has_ra && ca->ra_one);
	{
		char path[128];
		BUF pem = BUF_INIT;

		pem_put(&pem, "CERTIFICATE", buf_span(&ca->ra_sign.der));
		(void)snprintf(path, sizeof(path), "%s/ra.pem", f->dir);
		assert_int_equal(file_write_atomic(path, 0600, buf_span(&pem), NULL), OK);
	}
	sh(f, "cat low.pem mid.pem >up.pem; openssl verify -CAfile root.pem -untrusted up.pem "
	      "ra.pem");
}

/* Of a CA below another a rollover is a request; there is no key that signs for itself. */
static void a_rollover_asks_above(void **state)
{
	struct ca_fixture *f = *state;
	int64_t now = clock_now(&f->clock);
	struct rollover r = { .store = f->store,
			      .keeper = f->keeper,
			      .c = f->c,
			      .now = now,
			      .ca = authority_find(f->authority, "low", now),
			      .at = now + 10 * DAY,
			      .actor = "uid 0" };
	const struct authority_ca *ca;
	struct err err = { 0 };

	assert_non_null(r.ca);
	if (rollover_make(&r, &err) != OK)
		fail_msg("%s", err.text);
	ca_fixture_load(f);
	r.ca = authority_find(f->authority, "low", now);
	assert_true(r.ca->awaits_next);
	assert_null(r.ca->next);
	assert_false(rollover_is_due(r.ca, 10000 * DAY, now));
	assert_int_equal(rollover_make(&r, &err), ERR_CONFLICT);
	assert_int_equal(requests(f, "low"), 1);
	sh(f, SIGN("mid", "ca", "5000", "low2"));
	if (import(f, "low", "low2.pem mid.pem root.pem", &err) != OK)
		fail_msg("%s", err.text);
	ca_fixture_load(f);
	ca = authority_find(f->authority, "low", now);
	assert_int_equal(ca->generation, 1);
	assert_non_null(ca->next);
	assert_int_equal(ca->next->begins, now + 10 * DAY);
	assert_int_equal(ca->next->n_chain, 2);
	assert_int_equal(authority_find(f->authority, "low", now + 10 * DAY)->generation, 2);
}

static int set_up_now(void **state)
{
	struct ca_fixture *f;

	assert_int_equal(ca_fixture_set_up(state), 0);
	f = *state;
	clock_fix(&f->clock, 0); /* OpenSSL signs from the system's time on */
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_request_and_its_answer),
		cmocka_unit_test(a_rollover_asks_above),
	};

	return cmocka_run_group_tests(tests, set_up_now, ca_fixture_tear_down);
}
