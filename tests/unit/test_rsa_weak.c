/* SPDX-License-Identifier: Apache-2.0 */
/* Weak moduli, and sound ones that must not be taken for weak. */
#include "unit.h"

#include "der/tag.h"
#include "der/writer.h"
#include "pki/crypto.h"
#include "pki/key_evp.h"
#include "pki/pubkey.h"
#include "pki/rsa_weak.h"

/* RSAPublicKey of a modulus of that many octets, all zero but for the lowest, which is low. */
static void put_key(struct buf *out, size_t octets, uint8_t low)
{
	size_t seq = der_open(out, DER_SEQUENCE), n = der_open(out, DER_INTEGER), i;

	buf_put_byte(out, 0);
	for (i = 0; i + 1 < octets; i++)
		buf_put_byte(out, i == 0 ? 0x80 : 0);
	buf_put_byte(out, low);
	der_close(out, n);
	der_put_uint(out, 65537);
	der_close(out, seq);
}

/* 2^k + low; its factors are Python's word. No length is a multiple of four octets but one. */
static void small_factors(void **state)
{
	static const struct {
		size_t octets;
		uint8_t low;
		const char *says; /* NULL: sound */
	} row[] = {
		{ 256, 1, "divisible by 3:" },
		{ 256, 5, "divisible by 7:" },
		{ 256, 15, "divisible by 11:" },
		{ 257, 5, "divisible by 13:" },
		{ 257, 11, "divisible by 19:" },
		{ 258, 5, "divisible by 23:" },
		{ 255, 15, "divisible by 31:" },
		{ 257, 29, "divisible by 37:" },
		{ 258, 29, "divisible by 47:" },
		{ 257, 33, "divisible by 79:" },
		{ 258, 21, "divisible by 103:" },
		{ 256, 9, "divisible by 137:" },
		{ 256, 23, "divisible by 151:" },
		{ 255, 9, NULL },
		{ 256, 3, NULL },
		{ 257, 9, NULL },
		{ 258, 9, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		BUF key = BUF_INIT;
		struct err err = { 0 };
		enum result r;

		put_key(&key, row[i].octets, row[i].low);
		r = rsa_weak_check(buf_span(&key), &err);
		if (r != (row[i].says ? ERR_BAD_ALG : OK) ||
		    (row[i].says && !strstr(err_text(&err), row[i].says)))
			fail_msg("row %zu: %s", i, err_text(&err));
	}
}

/* 65537^123456789 modulo the product of the primes, and a multiple of that. */
static void fingerprint(void **state)
{
	static const uint8_t tail[] = { 0x0c, 0x96, 0xbf, 0x84, 0x75, 0xd4, 0x72, 0xf5, 0xd4, 0xb1,
					0x05, 0x0d, 0x25, 0xf9, 0x94, 0x1a, 0xdc, 0x5a, 0xd4, 0xe6,
					0xb5, 0xc8, 0x64, 0xe7, 0x9a, 0x10, 0x10, 0x27 };
	uint8_t modulus[257] = { 0, 0x80 };
	BUF key = BUF_INIT;
	struct err err = { 0 };
	size_t seq;
	int turn;

	(void)state;
	memcpy(modulus + sizeof(modulus) - sizeof(tail), tail, sizeof(tail));
	for (turn = 0; turn < 2; turn++) {
		buf_reset(&key);
		seq = der_open(&key, DER_SEQUENCE);
		der_put_tlv(&key, DER_INTEGER, SPAN_ARRAY(modulus));
		der_put_uint(&key, 65537);
		der_close(&key, seq);
		assert_int_equal(rsa_weak_check(buf_span(&key), &err), turn ? OK : ERR_BAD_ALG);
		assert_true(turn || strstr(err_text(&err), "CVE-2017-15361"));
		modulus[sizeof(modulus) - 1] += 20; /* near by, and sound */
	}
}

static void own_keys_are_sound(void **state)
{
	struct key_spec spec = { KEY_RSA, 2048 };
	struct pubkey_info info;
	struct crypto *c = NULL;
	struct err err = { 0 };
	int i;

	(void)state;
	assert_int_equal(crypto_new(&c, false, NULL), OK);
	for (i = 0; i < 4; i++) {
		CLEANUP(key_freep) struct key *key = NULL;

		assert_int_equal(key_evp_generate(&key, c, spec, NULL), OK);
		assert_int_equal(pubkey_inspect(key_spki(key), &info, NULL), OK);
		if (rsa_weak_check(info.key, &err) != OK)
			fail_msg("%s", err_text(&err));
	}
	crypto_free(c);
}

static void hostile(void **state)
{
	BUF key = BUF_INIT;
	size_t i;

	(void)state;
	put_key(&key, 64, 9);
	for (i = 0; i < key.len; i++)
		assert_int_not_equal(rsa_weak_check(span_of(key.data, i), NULL), OK);
	assert_int_not_equal(rsa_weak_check(SPAN_LIT("\x30\x03\x02\x01\x00"), NULL), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_factors),
		cmocka_unit_test(fingerprint),
		cmocka_unit_test(own_keys_are_sound),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
