/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/pkcs1.h"

#include "base/random.h"
#include "der/writer.h"

#define HEAD 3     /* 00 TT .. 00 */
#define PADS_MIN 8 /* octets between */

/* ---- what is raised to the public exponent, and what comes of it ---- */

void pkcs1_put_digest_info(struct buf *out, enum digest_alg alg, struct span digest)
{
	size_t seq = der_open(out, DER_SEQUENCE), id = der_open(out, DER_SEQUENCE);

	der_put_oid(out, digest_oid(alg));
	der_put_null(out);
	der_close(out, id);
	der_put_octets(out, digest);
	der_close(out, seq);
}

/* How many octets of padding go before len octets in a block of that size. */
static RESULT pads(size_t size, size_t len, size_t *n, struct err *err)
{
	if (size < HEAD + PADS_MIN || len > size - HEAD - PADS_MIN)
		return err_set(err, ERR_LIMIT,
			       "RFC 8017 7.2.1, 9.2: %zu octets do not go into an RSA block of %zu",
			       len, size);
	*n = size - HEAD - len;
	return OK;
}

enum result pkcs1_put_signed(struct buf *out, size_t size, enum digest_alg alg, struct span digest,
			     struct err *err)
{
	BUF info = BUF_INIT;
	uint8_t *at;
	size_t n;

	pkcs1_put_digest_info(&info, alg, digest);
	TRY(buf_check(&info, err));
	TRY(pads(size, info.len, &n, err));
	at = buf_extend(out, size);
	if (!at)
		return err_nomem(err);
	at[0] = 0;
	at[1] = 1;
	memset(at + 2, 0xff, n);
	at[2 + n] = 0;
	memcpy(at + HEAD + n, info.data, info.len);
	return OK;
}

/* Those of new random octets that are zero are drawn again, until none is. */
static RESULT fill_without_zero(uint8_t *p, size_t n, struct err *err)
{
	size_t kept = 0, i;

	while (kept < n) {
		TRY(random_fill(p + kept, n - kept, err));
		for (i = kept; i < n; i++)
			if (p[i])
				p[kept++] = p[i];
	}
	return OK;
}

enum result pkcs1_put_encrypted(struct buf *out, size_t size, struct span plain, struct err *err)
{
	size_t before = out->len, n;
	enum result r;
	uint8_t *at;

	TRY(pads(size, plain.len, &n, err));
	at = buf_extend(out, size);
	if (!at)
		return err_nomem(err);
	at[0] = 0;
	at[1] = 2;
	at[2 + n] = 0;
	if (plain.len)
		memcpy(at + HEAD + n, plain.p, plain.len);
	r = fill_without_zero(at + 2, n, err);
	if (r != OK)
		out->len = before;
	return r;
}

/* ---- back again, of a secret ---- */

/* Masks: all ones for true, 0 for false; the numbers compared are below 2^16. */

static uint32_t mask_less(uint32_t a, uint32_t b)
{
	return (uint32_t)0 - ((a - b) >> 31);
}

static uint32_t mask_zero(uint32_t a)
{
	return mask_less(a, 1);
}

static uint32_t select(uint32_t mask, uint32_t a, uint32_t b)
{
	return (a & mask) | (b & ~mask);
}

/* Offset of the first zero octet from 2 on; 0 if there is none. */
static uint32_t find_zero(struct span block)
{
	uint32_t at = 0, i;

	for (i = 2; i < block.len; i++)
		at = select(mask_zero(at) & mask_zero(block.p[i]), i, at);
	return at;
}

/* Moves what starts at `shift` to the front, a power of two at a time. */
static void shift_down(uint8_t bytes[PKCS1_KEY_MAX], uint32_t shift)
{
	uint32_t step, i;

	for (step = 1; step < PKCS1_KEY_MAX; step <<= 1) {
		uint32_t stay = mask_zero(shift & step);

		for (i = 0; i + step < PKCS1_KEY_MAX; i++)
			bytes[i] = (uint8_t)select(stay, bytes[i], bytes[i + step]);
	}
}

size_t pkcs1_unpad(struct span block, uint8_t key[PKCS1_KEY_MAX])
{
	uint32_t zero = find_zero(block), good, len, i;
	uint8_t tail[PKCS1_KEY_MAX];

	len = (uint32_t)block.len - 1 - zero;
	good = mask_zero(block.p[0]) & mask_zero(block.p[1] ^ 2U);
	good &= ~mask_less(zero, 10) & ~mask_zero(len) & mask_less(len, PKCS1_KEY_MAX + 1);
	len = select(good, len, PKCS1_KEY_MAX);

	memcpy(tail, block.p + block.len - PKCS1_KEY_MAX, PKCS1_KEY_MAX);
	shift_down(tail, PKCS1_KEY_MAX - len);
	for (i = 0; i < PKCS1_KEY_MAX; i++)
		key[i] = (uint8_t)select(good, tail[i], key[i]);
	explicit_bzero(tail, sizeof(tail));
	return len;
}

enum result pkcs1_open(struct span block, struct secret *out, struct err *err)
{
	uint8_t key[PKCS1_KEY_MAX];
	enum result r;
	size_t len;

	TRY(random_fill(key, sizeof(key), err));
	len = pkcs1_unpad(block, key);
	r = secret_set(out, span_of(key, len), err);
	explicit_bzero(key, sizeof(key));
	return r;
}
