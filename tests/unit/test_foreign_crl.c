/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <unistd.h>

#include "ca/foreign_crl.h"
#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/pem.h"

#define LISTED 1795293840 /* 2026-11-21T20:44:00Z, thisUpdate of the vectors */
#define DAY 86400

static char dir[] = "/tmp/test-foreign-crl.XXXXXX";

static struct {
	struct crypto *c;
	struct key *key; /* of "CN=Lists,O=Example", which has signed the vectors */
	struct log log;
	char issuers[64];
	char list[64];
} t;

static struct key *load(const char *path)
{
	struct key *key = NULL;

	assert_int_equal(key_evp_load(&key, t.c, path, NULL, NULL), OK);
	return key;
}

static void put_name(struct buf *out)
{
	assert_int_equal(name_parse_text("CN=Lists,O=Example", out, NULL), OK);
}

/* A CA of that name and key, as PEM. */
static void write_issuers(struct key *key)
{
	struct cert_self self = { .not_before = LISTED - DAY, .not_after = LISTED + 99 * DAY };
	BUF name = BUF_INIT;
	BUF der = BUF_INIT;
	BUF pem = BUF_INIT;

	put_name(&name);
	self.subject = buf_span(&name);
	assert_int_equal(cert_self_signed(&self, key, t.c, &der, NULL), OK);
	pem_put(&pem, "CERTIFICATE", buf_span(&der));
	assert_int_equal(file_write_atomic(t.issuers, 0600, buf_span(&pem), NULL), OK);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || crypto_new(&t.c, false, NULL) != OK)
		return -1;
	(void)snprintf(t.issuers, sizeof(t.issuers), "%s/issuers.pem", dir);
	(void)snprintf(t.list, sizeof(t.list), "%s/list", dir);
	t.key = load(UNIT_VECTORS "/p256.pem");
	write_issuers(t.key);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	key_free(t.key);
	crypto_free(t.c);
	(void)unlink(t.issuers);
	(void)unlink(t.list);
	return rmdir(dir);
}

/* A certificate with that serial number, signed by that key. */
static struct buf issue(struct key *by, struct span serial)
{
	struct cert_template template = { .serial = serial,
					  .sig_alg = sig_alg_for(by->kind),
					  .not_before = LISTED,
					  .not_after = LISTED + DAY,
					  .spki = key_spki(t.key) };
	struct buf out = BUF_INIT;
	BUF name = BUF_INIT;

	put_name(&name);
	template.issuer = template.subject = buf_span(&name);
	assert_int_equal(cert_issue(&template, by, t.c, &out, NULL), OK);
	return out;
}

static enum result ask(struct foreign_crl *f, struct key *by, struct span serial, int64_t now)
{
	const struct foreign_crl_query q = { t.c, &t.log, now };
	BUF der = issue(by, serial);
	struct cert cert;

	assert_int_equal(cert_parse(buf_span(&der), &cert, NULL), OK);
	return foreign_crl_ask(f, &q, &cert, NULL);
}

static struct foreign_crl *new_lists(bool take_expired)
{
	static const char *files[1];
	struct foreign_crl_config config = {
		.files = files, .n_files = 1, .issuers = t.issuers, .take_expired = take_expired
	};
	struct foreign_crl *f = NULL;

	files[0] = t.list;
	assert_int_equal(foreign_crl_new(&f, &config, NULL), OK);
	return f;
}

static void write_list(const char *vector, bool pem)
{
	BUF der = unit_vector(vector);
	BUF text = BUF_INIT;

	if (pem)
		pem_put(&text, "X509 CRL", buf_span(&der));
	assert_int_equal(
	    file_write_atomic(t.list, 0600, pem ? buf_span(&text) : buf_span(&der), NULL), OK);
}

static void who_is_revoked(void **state)
{
	static const struct {
		const char *serial;
		int64_t now;
		bool take_expired;
		enum result want;
	} rows[] = {
		{ "7f01", LISTED, false, ERR_DENIED },
		{ "7f02", LISTED, false, OK },
		{ "01", LISTED, false, OK },
		{ "00f00d", LISTED, false, ERR_DENIED },
		{ "7f02", LISTED + 7 * DAY, false, OK },
		{ "7f02", LISTED + 7 * DAY + 1, false, ERR_DENIED },
		{ "7f02", LISTED + 7 * DAY + 1, true, OK },
		{ "7f01", LISTED + 7 * DAY + 1, true, ERR_DENIED },
	};
	CLEANUP(key_freep) struct key *other = load(UNIT_VECTORS "/keys.p256.pem");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_lists(rows[i].take_expired);
		BUF serial = unit_hex(rows[i].serial);

		write_list("crl_full.der", i % 2);
		assert_int_equal(ask(f, t.key, buf_span(&serial), rows[i].now), rows[i].want);
		/* of one name, by another key: its list is another */
		assert_int_equal(ask(f, other, buf_span(&serial), rows[i].now), ERR_NOT_FOUND);
	}
}

/* A list that nobody who is trusted has signed, or that there is not, leaves nobody's known. */
static void no_list(void **state)
{
	CLEANUP(key_freep) struct key *other = load(UNIT_VECTORS "/keys.p256.pem");
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_lists(false);
	CLEANUP(foreign_crl_freep) struct foreign_crl *none = new_lists(false);

	(void)state;
	write_list("crl_full.der", false);
	write_issuers(other);
	assert_int_equal(ask(f, t.key, SPAN_LIT("\x01"), LISTED), ERR_NOT_FOUND);
	/* who is trusted has the name of who has signed it, and nothing else */
	assert_int_equal(ask(f, other, SPAN_LIT("\x01"), LISTED), ERR_NOT_FOUND);
	write_issuers(t.key);
	(void)unlink(t.list);
	assert_int_equal(ask(none, t.key, SPAN_LIT("\x01"), LISTED), ERR_NOT_FOUND);
}

static void files(void **state)
{
	static const struct {
		const char *vector;
		bool pem;
		enum result want;
	} rows[] = {
		{ "crl_full.der", false, OK },
		{ "crl_full.der", true, OK },
		{ "crl_empty.der", false, OK },
		{ "crl_delta.der", false, ERR_CONFIG },
		{ "crl_part.der", true, ERR_CONFIG },
		{ "crl_some_reasons.der", false, ERR_CONFIG },
		{ "cert_leaf.der", false, ERR_CONFIG },
		{ "crl_unknown_critical.der", true, ERR_CONFIG },
	};
	BUF whole = unit_vector("crl_full.der");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		write_list(rows[i].vector, rows[i].pem);
		assert_int_equal(foreign_crl_check_file(t.list, NULL), rows[i].want);
	}
	for (i = 0; i < whole.len; i += 7) {
		assert_int_equal(
		    file_write_atomic(t.list, 0600, span_sub(buf_span(&whole), 0, i), NULL), OK);
		assert_int_equal(foreign_crl_check_file(t.list, NULL), ERR_CONFIG);
	}
}

/* ---- what is fetched ---- */

#define URL "http://maker.example/maker.crl"

static struct foreign_crl *new_url(void)
{
	static const char *const files[] = { URL };
	const struct foreign_crl_config config = {
		.files = files, .n_files = 1, .data = dir, .issuers = t.issuers
	};
	struct foreign_crl *f = NULL;

	assert_int_equal(foreign_crl_new(&f, &config, NULL), OK);
	return f;
}

static enum result keep(struct foreign_crl *f, struct span bytes, int64_t now)
{
	static const struct foreign_crl_version version = { "\"7\"", "yesterday" };
	const struct foreign_crl_query q = { t.c, &t.log, now };

	return foreign_crl_keep(f, 0, &q, bytes, &version, NULL);
}

static struct foreign_crl_fetched fetched(const struct foreign_crl *f)
{
	struct foreign_crl_fetched state;

	assert_true(foreign_crl_fetched(f, 0, &state));
	return state;
}

static void remove_kept(void)
{
	char command[100];

	(void)snprintf(command, sizeof(command), "rm -rf '%s/client-crl'", dir);
	assert_int_equal(system(command), 0);
}

static void what_is_kept_counts_and_outlives_us(void **state)
{
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_url();
	CLEANUP(foreign_crl_freep) struct foreign_crl *next = new_url();
	const struct foreign_crl_query q = { t.c, &t.log, LISTED };
	BUF list = unit_vector("crl_full.der");

	(void)state;
	assert_int_equal(foreign_crl_count(f), 1);
	assert_string_equal(foreign_crl_due(f, 0, LISTED), URL);
	assert_int_equal(keep(f, buf_span(&list), LISTED), OK);
	assert_int_equal(fetched(f).next_update, LISTED + 7 * DAY);
	assert_int_equal(ask(f, t.key, SPAN_LIT("\x7f\x01"), LISTED), ERR_DENIED);
	assert_int_equal(ask(f, t.key, SPAN_LIT("\x01"), LISTED), OK);
	assert_int_equal(ask(next, t.key, SPAN_LIT("\x7f\x01"), LISTED), ERR_DENIED);
	assert_int_equal(fetched(next).next_update, 0);
	foreign_crl_missed(next, 0, &q);
	assert_int_equal(fetched(next).next_update, LISTED + 7 * DAY);
	remove_kept();
}

static void when_it_is_fetched(void **state)
{
	static const struct {
		int64_t now;
		enum result want;
		int64_t rest;
	} rows[] = {
		{ LISTED, OK, 6 * 3600 },
		{ LISTED + 7 * DAY - 7200, OK, 3600 },
		{ LISTED + 7 * DAY - 2, OK, 5 },
		{ LISTED + 7 * DAY + 1, ERR_BAD_TIME, 0 },
	};
	BUF list = unit_vector("crl_full.der");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_url();

		assert_int_equal(keep(f, buf_span(&list), rows[i].now), rows[i].want);
		assert_non_null(foreign_crl_due(f, 0, rows[i].now + rows[i].rest));
		if (rows[i].rest)
			assert_null(foreign_crl_due(f, 0, rows[i].now + rows[i].rest - 1));
	}
	remove_kept();
}

static void one_at_a_time_fetches_it(void **state)
{
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_url();
	const struct foreign_crl_query q = { t.c, &t.log, LISTED };
	BUF list = unit_vector("crl_full.der");

	(void)state;
	assert_string_equal(foreign_crl_begin(f, 0).etag, "");
	assert_null(foreign_crl_due(f, 0, LISTED));
	foreign_crl_missed(f, 0, &q);
	assert_non_null(foreign_crl_due(f, 0, LISTED + 5));
	(void)foreign_crl_begin(f, 0);
	assert_int_equal(keep(f, buf_span(&list), LISTED), OK);
	assert_non_null(foreign_crl_due(f, 0, LISTED + DAY));
	assert_string_equal(foreign_crl_begin(f, 0).etag, "\"7\"");
	assert_int_equal(foreign_crl_unchanged(f, 0, &q, NULL), OK);
	assert_non_null(foreign_crl_due(f, 0, LISTED + DAY));
	remove_kept();
}

static void what_has_not_changed(void **state)
{
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_url();
	struct foreign_crl_query q = { t.c, &t.log, LISTED };
	BUF list = unit_vector("crl_full.der");

	(void)state;
	assert_int_equal(foreign_crl_unchanged(f, 0, &q, NULL), ERR_NOT_FOUND);
	assert_int_equal(keep(f, buf_span(&list), LISTED), OK);
	foreign_crl_missed(f, 0, &q);
	q.now = LISTED + 7 * DAY - 7200;
	assert_int_equal(foreign_crl_unchanged(f, 0, &q, NULL), OK);
	assert_int_equal(fetched(f).failures, 0);
	assert_int_equal(fetched(f).next_update, LISTED + 7 * DAY);
	assert_null(foreign_crl_due(f, 0, q.now + 3599));
	assert_non_null(foreign_crl_due(f, 0, q.now + 3600));
	q.now = LISTED + 7 * DAY + 1;
	assert_int_equal(foreign_crl_unchanged(f, 0, &q, NULL), ERR_BAD_TIME);
	assert_string_equal(foreign_crl_begin(f, 0).modified, "yesterday");
	remove_kept();
	/* what is gone is asked for as a whole */
	assert_int_equal(foreign_crl_unchanged(f, 0, &q, NULL), ERR_NOT_FOUND);
	assert_string_equal(foreign_crl_begin(f, 0).etag, "");
}

static void failures_make_it_rarer(void **state)
{
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_url();
	const struct foreign_crl_query q = { t.c, &t.log, LISTED };
	BUF list = unit_vector("crl_full.der");
	unsigned i;

	(void)state;
	for (i = 0; i < 40; i++) {
		int64_t rest = 5 << (i < 9 ? i : 9);

		foreign_crl_missed(f, 0, &q);
		assert_int_equal(fetched(f).failures, i + 1);
		assert_null(foreign_crl_due(f, 0, LISTED + rest - 1));
		assert_non_null(foreign_crl_due(f, 0, LISTED + rest));
	}
	assert_int_equal(keep(f, buf_span(&list), LISTED), OK);
	assert_int_equal(fetched(f).failures, 0);
	remove_kept();
}

static void what_is_not_kept(void **state)
{
	static const char *const vectors[] = { "crl_delta.der", "crl_part.der", "cert_leaf.der",
					       "crl_unknown_critical.der" };
	CLEANUP(key_freep) struct key *other = load(UNIT_VECTORS "/keys.p256.pem");
	CLEANUP(foreign_crl_freep) struct foreign_crl *f = new_url();
	BUF whole = unit_vector("crl_full.der");
	BUF copy = unit_vector("crl_full.der");
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(vectors); i++) {
		BUF list = unit_vector(vectors[i]);

		assert_int_not_equal(keep(f, buf_span(&list), LISTED), OK);
	}
	for (i = 0; i < whole.len; i += 7)
		assert_int_not_equal(keep(f, span_sub(buf_span(&whole), 0, i), LISTED), OK);
	copy.data[copy.len - 1] ^= 1; /* of the signature */
	assert_int_equal(keep(f, buf_span(&copy), LISTED), ERR_CONFIG);
	write_issuers(other);
	assert_int_equal(keep(f, buf_span(&whole), LISTED), ERR_CONFIG);
	write_issuers(t.key);
	assert_int_equal(ask(f, t.key, SPAN_LIT("\x01"), LISTED), ERR_NOT_FOUND);
	remove_kept();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_revoked),
		cmocka_unit_test(no_list),
		cmocka_unit_test(files),
		cmocka_unit_test(what_is_kept_counts_and_outlives_us),
		cmocka_unit_test(when_it_is_fetched),
		cmocka_unit_test(one_at_a_time_fetches_it),
		cmocka_unit_test(what_has_not_changed),
		cmocka_unit_test(failures_make_it_rarer),
		cmocka_unit_test(what_is_not_kept),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
