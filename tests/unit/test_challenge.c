/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "ca/challenge.h"

/* ---- a store that keeps what it is given ---- */

static struct {
	struct store_challenge record;
	char reason[256];
	unsigned most;
	enum result answer;
} kept;

void store_challenge_clear(struct store_challenge *c)
{
	buf_clear(&c->subject);
	buf_clear(&c->san);
}

enum result store_add_challenge_within(struct store *s, const struct store_challenge *c,
				       unsigned most, const struct store_event *event,
				       struct err *err)
{
	assert_null(s);
	kept.most = most;
	kept.record = *c;
	kept.record.subject = kept.record.san = BUF_INIT;
	buf_put(&kept.record.subject, buf_span(&c->subject));
	buf_put(&kept.record.san, buf_span(&c->san));
	(void)snprintf(kept.reason, sizeof(kept.reason), "%s", event->reason);
	return kept.answer == OK ? OK : err_set(err, kept.answer, "as told");
}

static struct crypto *new_crypto(void)
{
	struct crypto *c = NULL;

	assert_int_equal(crypto_new(&c, false, NULL), OK);
	return c;
}

/* ---- one-time ---- */

/* Digests by Python's hashlib. */
#define HEX_64 "9718bbfef177a3b9943670e6fe001327dfc256c73764aa98776de2972b797587"
#define HEX_128 "1413a0f9e8b65442b2e18655822dbb3b31976c20c3b1e2852537bd4ca8cf9bac"
#define A_TO_Z "d6ec6898de87ddac6e5b3611708a7aa1c2d298293349cc1a6c299a1db7149d38"

static void one_time_normal_form(void **state)
{
	static const struct {
		const char *text;
		enum result want;
	} rows[] = {
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ", OK },
		{ "abcdefghijklmnopqrstuvwxyz", OK },
		{ "ABCDEFG-HIJKLMN-OPQRSTU VWXYZ", OK },
		{ " ABCDEFGHIJKLMNOPQRSTUVWXYZ\t", OK },
		{ "", ERR_SYNTAX },
		{ "0123456789ABCDE", ERR_SYNTAX },
		{ "0123456789ABCDEF0", ERR_SYNTAX },
		{ "0123456789ABCDEG", ERR_SYNTAX },
		{ "0123456789ABCDEF0123456789ABCDEF0", ERR_SYNTAX },
		{ "0123456789ABCDEF0123456789", ERR_SYNTAX },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXY", ERR_SYNTAX },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZA", ERR_SYNTAX },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXY1", ERR_SYNTAX },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXY\xc3\xa9", ERR_SYNTAX },
	};
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	BUF want = unit_hex(A_TO_Z);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t hash[STORE_HASH] = { 0 };

		assert_int_equal(challenge_hash_one_time(c, span_str(rows[i].text), hash, NULL),
				 rows[i].want);
		if (rows[i].want == OK)
			assert_memory_equal(hash, want.data, STORE_HASH);
	}
}

static void create_stores_the_hash_alone(void **state)
{
	static const char *const sans[] = { "DNS:router7.example", "IP:192.0.2.7" };
	struct challenge_new n = { .endpoint = "demo",
				   .lifetime = 3600,
				   .subject = "CN=router7,O=Example",
				   .sans = sans,
				   .n_sans = ARRAY_LEN(sans),
				   .actor = "uid 0" };
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	struct clock clock = CLOCK_SYSTEM;
	char id[STORE_NAME_MAX] = "", first[STORE_NAME_MAX];
	SECRET text = SECRET_INIT;
	SECRET other = SECRET_INIT;
	uint8_t hash[STORE_HASH];

	(void)state;
	clock_fix(&clock, 1795293840);
	kept.answer = OK;
	assert_int_equal(challenge_create(NULL, c, &clock, &n, &text, id, NULL), OK);
	assert_int_equal(text.bytes.len, CHALLENGE_LETTERS);
	assert_int_equal(challenge_hash_one_time(c, secret_span(&text), hash, NULL), OK);
	assert_memory_equal(hash, kept.record.hash, STORE_HASH);
	assert_string_equal(id, kept.record.id);
	assert_int_equal(kept.record.expires, 1795293840 + 3600);
	assert_string_equal(kept.record.endpoint, "demo");
	assert_string_equal(kept.record.created_by, "uid 0");
	assert_int_not_equal(kept.record.subject.len, 0);
	assert_int_equal(kept.record.san.data[0], 0x30);
	assert_null(memmem(kept.reason, strlen(kept.reason), text.bytes.data, text.bytes.len));
	store_challenge_clear(&kept.record);

	(void)snprintf(first, sizeof(first), "%s", id);
	clock_fix(&clock, 1795293841);
	assert_int_equal(challenge_create(NULL, c, &clock, &n, &other, id, NULL), OK);
	assert_true(strcmp(first, id) < 0);
	assert_false(secret_eq(&text, secret_span(&other)));
	store_challenge_clear(&kept.record);
}

static void hex_normal_form(void **state)
{
	static const struct {
		const char *text;
		const char *sha256;
	} rows[] = {
		{ "8CE317021F690069", HEX_64 },
		{ "8ce317021f690069", HEX_64 },
		{ "8ce3-1702 1f69-0069", HEX_64 },
		{ "8CE317021F6900698CE317021F690069", HEX_128 },
	};
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	uint8_t hash[STORE_HASH];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		BUF want = unit_hex(rows[i].sha256);

		assert_int_equal(challenge_hash_one_time(c, span_str(rows[i].text), hash, NULL),
				 OK);
		assert_memory_equal(hash, want.data, STORE_HASH);
	}
}

static void create_makes_the_form_asked_for(void **state)
{
	static const struct {
		enum challenge_form form;
		size_t len;
		const char *alphabet;
	} rows[] = {
		{ CHALLENGE_BASE32, CHALLENGE_LETTERS, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" },
		{ CHALLENGE_HEX_64, 16, "0123456789ABCDEF" },
		{ CHALLENGE_HEX_128, 32, "0123456789ABCDEF" },
	};
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	struct clock clock = CLOCK_SYSTEM;
	char id[STORE_NAME_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct challenge_new n = { .form = rows[i].form,
						 .lifetime = 3600,
						 .source = "page",
						 .most = 7,
						 .reusable = i == 2 };
		SECRET text = SECRET_INIT;

		kept.answer = OK;
		assert_int_equal(challenge_create(NULL, c, &clock, &n, &text, id, NULL), OK);
		assert_int_equal(text.bytes.len, rows[i].len);
		assert_int_equal(strspn(buf_cstr(&text.bytes), rows[i].alphabet), rows[i].len);
		assert_string_equal(kept.record.source, "page");
		assert_int_equal(kept.record.reusable, i == 2);
		assert_int_equal(kept.most, 7);
		store_challenge_clear(&kept.record);
	}
}

static void create_refuses(void **state)
{
	static const char *const bad_san[] = { "DSN:x" };
	static const struct {
		struct challenge_new n;
		enum result store;
		enum result want;
	} rows[] = {
		{ { .lifetime = 0 }, OK, ERR_USAGE },
		{ { .lifetime = -5 }, OK, ERR_USAGE },
		{ { .lifetime = 5, .subject = "no equals sign" }, OK, ERR_SYNTAX },
		{ { .lifetime = 5, .sans = bad_san, .n_sans = 1 }, OK, ERR_SYNTAX },
		{ { .lifetime = 5,
		    .endpoint =
			"0123456789012345678901234567890123456789012345678901234567890123" },
		  OK,
		  ERR_LIMIT },
		{ { .lifetime = 5 }, ERR_IO, ERR_IO },
	};
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	struct clock clock = CLOCK_SYSTEM;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		char id[STORE_NAME_MAX] = "untouched";
		SECRET text = SECRET_INIT;

		kept.answer = rows[i].store;
		assert_int_equal(challenge_create(NULL, c, &clock, &rows[i].n, &text, id, NULL),
				 rows[i].want);
		assert_int_equal(text.bytes.len, 0);
		assert_string_equal(id, "untouched");
		store_challenge_clear(&kept.record);
	}
}

/* ---- static: hashes by Python's hashlib.scrypt ---- */

#define SWORDFISH                                                                                  \
	"$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ctGD6QZNdRGEswxixZsIuBF98oQ4RB3bYovsm+sBaHY"
#define UMLAUTS                                                                                    \
	"$scrypt$ln=11,r=8,p=2$c2FsdHNhbHRzYWx0c2FsdA$AhIyy9/FHFuPvdUEOGbZFy+Tk/hi8LN1BEo2tGep/Lo"

static void format(void **state)
{
	static const struct {
		const char *text;
		enum result want;
	} rows[] = {
		{ SWORDFISH, OK },
		{ UMLAUTS, OK },
		{ "", ERR_CONFIG },
		{ "swordfish", ERR_CONFIG },
		{ "$scrypt$ln=10,r=8,p=1$", ERR_CONFIG },
		{ "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA", ERR_CONFIG },
		{ "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$", ERR_CONFIG },
		{ "$scrypt$ln=10,r=8,p=1$c2FsdA$ctGD6QZNdRGEswxixZsIuBF98oQ4RB3bYovsm+sBaHY",
		  ERR_CONFIG },
		{ "$scrypt$ln=9,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ctGD6QZNdRGEswxixZsIuBF98oQ4RB3bYo",
		  ERR_CONFIG },
		{ "$scrypt$ln=18,r=32,p=1$c2FsdHNhbHRzYWx0c2FsdA$ctGD6QZNdRGEswxixZsIuBF98oQ4R",
		  ERR_CONFIG },
		{ "$scrypt$ln=10,r=8,p=1$c2FsdHNhbHRzYWx0c2FsdA$ctGD6QZNdRGEswxixZsIuBF98o$x",
		  ERR_CONFIG },
	};
	struct err err;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (challenge_check_format(rows[i].text, &err) != rows[i].want)
			fail_msg("row %zu: %s", i, rows[i].text);
		if (rows[i].want != OK)
			assert_non_null(strstr(err.text, "scepterctl challenge hash"));
	}
}

static enum result verify(struct challenge_static *s, struct crypto *c, struct span challenge)
{
	return challenge_static_verify(s, c, &(struct challenge_shown){ challenge, SPAN_NONE },
				       NULL);
}

static void static_verify(void **state)
{
	static const char *const hashes[] = { SWORDFISH, UMLAUTS };
	static const struct {
		const char *challenge;
		enum result want;
	} rows[] = {
		{ "swordfish", OK },
		{ "Gr\xc3\xbc\xc3\x9f"
		  "e \xe2\x82\xac",
		  OK },
		{ "Swordfish", ERR_DENIED },
		{ "swordfish ", ERR_DENIED },
		{ "", ERR_DENIED },
		{ "Swordfish", ERR_DENIED },
		{ "swordfish", OK },
	};
	CLEANUP(challenge_static_freep) struct challenge_static *s = NULL;
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	size_t i;

	(void)state;
	assert_int_equal(challenge_static_new(&s, hashes, ARRAY_LEN(hashes), NULL), OK);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(verify(s, c, span_str(rows[i].challenge)), rows[i].want);
}

static void hash_and_verify_agree(void **state)
{
	CLEANUP(challenge_static_freep) struct challenge_static *s = NULL;
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	SECRET challenge = SECRET_INIT;
	BUF text = BUF_INIT;
	const char *hash;
	clock_t begin, slow, fast; /* what it computes: the machine may be busy with others */

	(void)state;
	assert_int_equal(secret_set(&challenge, SPAN_LIT("a shared one"), NULL), OK);
	assert_int_equal(challenge_hash_static(c, &challenge, &text, NULL), OK);
	hash = buf_cstr(&text);
	assert_int_equal(strncmp(hash, "$scrypt$ln=15,r=8,p=1$", 22), 0);
	assert_int_equal(challenge_static_new(&s, &hash, 1, NULL), OK);
	begin = clock();
	assert_int_equal(verify(s, c, secret_span(&challenge)), OK);
	slow = clock() - begin;
	begin = clock();
	assert_int_equal(verify(s, c, secret_span(&challenge)), OK);
	fast = clock() - begin;
	assert_true(fast * 20 < slow);
}

/* ---- many at once ---- */

#define THREADS 32

struct crowd {
	struct challenge_static *s;
	const char *challenge; /* NULL: each thread guesses its own */
	unsigned guessing;     /* threads that guess, of one address, whatever the others show */
	atomic_uint ok, denied, busy, next;
	atomic_uint guessed;     /* of `guessing`: with another outcome than OK */
	pthread_barrier_t start; /* makes of all threads' set-up time one */
};

static void *one_of_crowd(void *ctx)
{
	struct crowd *crowd = ctx;
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	unsigned n = atomic_fetch_add(&crowd->next, 1);
	bool guesses = !crowd->challenge || n < crowd->guessing;
	struct challenge_shown shown = { .source = guesses ? SPAN_LIT("one") : SPAN_LIT("other") };
	char guess[32];
	enum result r;

	(void)snprintf(guess, sizeof(guess), "guess %u", n);
	shown.challenge = span_str(guesses ? guess : crowd->challenge);
	(void)pthread_barrier_wait(&crowd->start);
	r = challenge_static_verify(crowd->s, c, &shown, NULL);
	if (crowd->challenge && guesses)
		atomic_fetch_add(&crowd->guessed, r != OK);
	else
		atomic_fetch_add(r == OK         ? &crowd->ok
				 : r == ERR_BUSY ? &crowd->busy
						 : &crowd->denied,
				 1);
	return NULL;
}

static void run_crowd(struct crowd *crowd)
{
	pthread_t threads[THREADS];
	size_t i;

	assert_int_equal(pthread_barrier_init(&crowd->start, NULL, THREADS), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, one_of_crowd, crowd), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)pthread_barrier_destroy(&crowd->start);
}

static struct challenge_static *new_right(void)
{
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	struct challenge_static *s = NULL;
	SECRET challenge = SECRET_INIT;
	BUF text = BUF_INIT;
	const char *hash;

	assert_int_equal(secret_set(&challenge, SPAN_LIT("right"), NULL), OK);
	assert_int_equal(challenge_hash_static(c, &challenge, &text, NULL), OK);
	hash = buf_cstr(&text);
	assert_int_equal(challenge_static_new(&s, &hash, 1, NULL), OK);
	return s;
}

static void guesses_are_bounded_and_known_ones_are_not(void **state)
{
	CLEANUP(challenge_static_freep) struct challenge_static *s = new_right();
	CLEANUP(crypto_freep) struct crypto *c = new_crypto();
	struct crowd guessing = { .s = s }, knowing = { .s = s, .challenge = "right" };

	(void)state;
	run_crowd(&guessing);
	assert_int_equal(guessing.ok, 0);
	assert_int_equal(guessing.denied + guessing.busy, THREADS);
	assert_true(guessing.denied >= 1);
	assert_true(guessing.busy >= 1);
	assert_int_equal(verify(s, c, SPAN_LIT("right")), OK);
	run_crowd(&knowing);
	assert_int_equal(knowing.ok, THREADS);
}

/* One computation serves them all: nobody is told to come back. */
static void the_first_to_show_it_may_be_many(void **state)
{
	CLEANUP(challenge_static_freep) struct challenge_static *s = new_right();
	struct crowd right = { .s = s, .challenge = "right" };
	struct crowd wrong = { .s = s, .challenge = "wrong" };

	(void)state;
	run_crowd(&wrong);
	assert_int_equal(wrong.denied, THREADS);
	run_crowd(&right);
	assert_int_equal(right.ok, THREADS);
}

/* Whoever guesses has one place, and leaves the other to others. */
static void guesses_keep_nobody_out(void **state)
{
	CLEANUP(challenge_static_freep) struct challenge_static *s = new_right();
	struct crowd mixed = { .s = s, .challenge = "right", .guessing = THREADS / 2 };

	(void)state;
	run_crowd(&mixed);
	assert_int_equal(mixed.guessed, THREADS / 2);
	assert_int_equal(mixed.ok, THREADS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_time_normal_form),
		cmocka_unit_test(create_stores_the_hash_alone),
		cmocka_unit_test(hex_normal_form),
		cmocka_unit_test(create_makes_the_form_asked_for),
		cmocka_unit_test(create_refuses),
		cmocka_unit_test(format),
		cmocka_unit_test(static_verify),
		cmocka_unit_test(hash_and_verify_agree),
		cmocka_unit_test(guesses_are_bounded_and_known_ones_are_not),
		cmocka_unit_test(the_first_to_show_it_may_be_many),
		cmocka_unit_test(guesses_keep_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
