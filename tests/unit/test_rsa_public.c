/* SPDX-License-Identifier: Apache-2.0 */
/* The other half of each operation is OpenSSL's, with the private key. */
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "der/oid.h"
#include "pki/crypto_evp.h"
#include "pki/pkcs1.h"
#include "pki/pubkey.h"
#include "pki/rsa_public.h"

#define SIZE 256 /* octets of the key's modulus */

struct keys {
	struct crypto *crypto;
	struct buf spki;
	struct rsa_public *public;
	EVP_PKEY *private;
};

static int set_up(void **state)
{
	struct keys *k = calloc(1, sizeof(*k));
	BUF pem = unit_vector("keys.rsa.pem");
	BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	struct pubkey_info info;
	struct rsa_parts parts;

	*state = k;
	k->private = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	k->spki = unit_vector("keys.rsa.spki");
	if (crypto_new(&k->crypto, false, NULL) != OK ||
	    pubkey_inspect(buf_span(&k->spki), &info, NULL) != OK ||
	    rsa_public_read(info.key, &parts, NULL) != OK ||
	    rsa_public_new(&k->public, k->crypto, &parts, NULL) != OK)
		return -1;
	return k->private ? 0 : -1;
}

static int tear_down(void **state)
{
	struct keys *k = *state;

	EVP_PKEY_free(k->private);
	rsa_public_free(k->public);
	buf_clear(&k->spki);
	crypto_free(k->crypto);
	free(k);
	return 0;
}

static void raise_to_d(struct keys *k, const uint8_t block[SIZE], uint8_t out[SIZE])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->private, NULL);
	size_t len = SIZE;

	assert_true(EVP_PKEY_decrypt_init(ctx) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0);
	assert_true(EVP_PKEY_decrypt(ctx, out, &len, block, SIZE) > 0);
	assert_int_equal(len, SIZE);
	EVP_PKEY_CTX_free(ctx);
}

static const uint8_t digest[32] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static enum result verify(struct keys *k, struct span signature)
{
	return rsa_public_verify(k->public, DIGEST_SHA256, SPAN_ARRAY(digest), signature, NULL);
}

/* 00 01 ff .. ff 00 <info> <rest of zeros>: `pads` octets of ff; what is over follows info. */
static void make_block(uint8_t block[SIZE], size_t pads, struct span info)
{
	memset(block, 0, SIZE);
	block[1] = 1;
	memset(block + 2, 0xff, pads);
	memcpy(block + 3 + pads, info.p, info.len);
}

/* DigestInfo with parameters NULL, absent, and of another digest. */
static struct buf digest_info(struct span oid, bool null)
{
	struct buf out = BUF_INIT;
	size_t seq = der_open(&out, DER_SEQUENCE), id = der_open(&out, DER_SEQUENCE);

	der_put_oid(&out, oid);
	if (null)
		der_put_null(&out);
	der_close(&out, id);
	der_put_octets(&out, SPAN_ARRAY(digest));
	der_close(&out, seq);
	return out;
}

static void only_the_one_block_verifies(void **state)
{
	BUF good = digest_info(OID_SHA256, true), bare = digest_info(OID_SHA256, false);
	BUF other = digest_info(OID_SHA384, true);
	const size_t all = SIZE - 3 - good.len;
	const struct {
		struct buf *info;
		size_t pads;
		size_t at; /* an octet to be changed, */
		uint8_t to;
		enum result want;
	} rows[] = {
		{ &good, all, 1, 1, OK },
		{ &good, 8, 1, 1, ERR_BAD_CHECK }, /* Bleichenbacher's forgery of 2006 */
		{ &good, all - 1, 1, 1, ERR_BAD_CHECK },
		{ &good, all, 1, 2, ERR_BAD_CHECK },
		{ &good, all, 1, 0, ERR_BAD_CHECK },
		{ &good, all, 2, 0xfe, ERR_BAD_CHECK },
		{ &good, all, 100, 0, ERR_BAD_CHECK },
		{ &good, all, 2 + all, 1, ERR_BAD_CHECK },
		{ &good, all, SIZE - 1, 1, ERR_BAD_CHECK },
		{ &bare, SIZE - 3 - bare.len, 1, 1, ERR_BAD_CHECK },
		{ &other, all, 1, 1, ERR_BAD_CHECK },
	};
	uint8_t block[SIZE], signature[SIZE];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		make_block(block, rows[i].pads, buf_span(rows[i].info));
		block[rows[i].at] = rows[i].to;
		raise_to_d(*state, block, signature);
		assert_int_equal(verify(*state, SPAN_ARRAY(signature)), rows[i].want);
	}
}

static void a_signature_is_as_long_as_the_modulus(void **state)
{
	BUF good = digest_info(OID_SHA256, true);
	uint8_t block[SIZE], longer[SIZE + 1] = { 0 }, all_ones[SIZE];
	struct span signature = span_of(longer + 1, SIZE);

	make_block(block, SIZE - 3 - good.len, buf_span(&good));
	raise_to_d(*state, block, longer + 1);
	assert_int_equal(verify(*state, signature), OK);
	assert_int_equal(verify(*state, SPAN_ARRAY(longer)), ERR_BAD_CHECK);
	assert_int_equal(verify(*state, span_sub(signature, 0, SIZE - 1)), ERR_BAD_CHECK);
	assert_int_equal(verify(*state, SPAN_NONE), ERR_BAD_CHECK);
	memset(all_ones, 0xff, sizeof(all_ones)); /* above the modulus */
	assert_int_equal(verify(*state, SPAN_ARRAY(all_ones)), ERR_BAD_CHECK);
}

/* sum = a + b; is it as long as they are? */
static bool add(const uint8_t a[SIZE], const uint8_t b[SIZE], uint8_t sum[SIZE])
{
	unsigned carry = 0, i;

	for (i = SIZE; i-- > 0;) {
		carry += (unsigned)a[i] + b[i];
		sum[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return carry == 0;
}

/* The modulus itself added to a signature gives the same power: it must not pass for one. */
static void a_signature_is_below_the_modulus(void **state)
{
	uint8_t block[SIZE], signature[SIZE], sum[SIZE], salt = 0;
	struct keys *k = *state;
	struct pubkey_info info;
	struct rsa_parts parts;

	assert_int_equal(pubkey_inspect(buf_span(&k->spki), &info, NULL), OK);
	assert_int_equal(rsa_public_read(info.key, &parts, NULL), OK);
	do { /* one message in some has a signature that is small enough */
		BUF text = BUF_INIT;

		assert_true(++salt < 100);
		assert_int_equal(
		    pkcs1_put_signed(&text, SIZE, DIGEST_SHA1, span_of(&salt, 1), NULL), OK);
		memcpy(block, text.data, SIZE);
		raise_to_d(k, block, signature);
	} while (!add(signature, parts.n.p, sum));
	assert_int_equal(rsa_public_verify(k->public, DIGEST_SHA1, span_of(&salt, 1),
					   SPAN_ARRAY(signature), NULL),
			 OK);
	assert_int_equal(
	    rsa_public_verify(k->public, DIGEST_SHA1, span_of(&salt, 1), SPAN_ARRAY(sum), NULL),
	    ERR_BAD_CHECK);
}

static void too_short_a_modulus(void **state)
{
	static const uint8_t n[61] = { [0] = 0x80, [60] = 1 };
	const struct rsa_parts parts = { SPAN_ARRAY(n), SPAN_LIT("\x03") };
	CLEANUP(rsa_public_freep) struct rsa_public *k = NULL;
	struct keys *keys = *state;
	BUF out = BUF_INIT;

	assert_int_equal(rsa_public_new(&k, keys->crypto, &parts, NULL), OK);
	assert_int_equal(
	    rsa_public_verify(k, DIGEST_SHA256, SPAN_ARRAY(digest), SPAN_ARRAY(n), NULL),
	    ERR_LIMIT);
	assert_int_equal(rsa_public_encrypt(k, span_of(n, 51), &out, NULL), ERR_LIMIT);
	assert_int_equal(out.len, 0);
	assert_int_equal(rsa_public_encrypt(k, span_of(n, 50), &out, NULL), OK);
	assert_int_equal(out.len, 61);
}

/* 00 02 <no zero> 00 <plain>, other padding every time. */
static void encrypts(void **state)
{
	static const size_t lengths[] = { 0, 1, 16, 32, SIZE - 11 };
	uint8_t plain[SIZE], block[SIZE], before[SIZE] = { 0 };
	struct keys *k = *state;
	size_t i;

	memset(plain, 0, sizeof(plain));
	for (i = 0; i < 10 * ARRAY_LEN(lengths); i++) {
		size_t len = lengths[i % ARRAY_LEN(lengths)], pads = SIZE - 3 - len;
		BUF out = BUF_INIT;

		assert_int_equal(rsa_public_encrypt(k->public, span_of(plain, len), &out, NULL),
				 OK);
		assert_int_equal(out.len, SIZE);
		raise_to_d(k, out.data, block);
		assert_memory_equal(block, "\x00\x02", 2);
		assert_null(memchr(block + 2, 0, pads));
		assert_int_equal(block[2 + pads], 0);
		assert_memory_equal(block + 3 + pads, plain, len);
		assert_memory_not_equal(block + 2, before + 2, 8);
		memcpy(before, block, SIZE);
	}
	{
		BUF out = BUF_INIT;

		assert_int_equal(
		    rsa_public_encrypt(k->public, span_of(plain, SIZE - 10), &out, NULL),
		    ERR_LIMIT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_one_block_verifies),
		cmocka_unit_test(a_signature_is_as_long_as_the_modulus),
		cmocka_unit_test(a_signature_is_below_the_modulus),
		cmocka_unit_test(too_short_a_modulus),
		cmocka_unit_test(encrypts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
