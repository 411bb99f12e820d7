/* SPDX-License-Identifier: Apache-2.0 */
#include "pki/rsa_weak.h"

#include "der/reader.h"

/* The odd primes up to 167, by groups whose product fits 32 bits: one pass over n for each. */
#define GROUP 8
static const struct {
	uint32_t product;
	uint8_t primes[GROUP]; /* 0 ends */
} groups[] = {
	{ 111546435, { 3, 5, 7, 11, 13, 17, 19, 23 } },
	{ 58642669, { 29, 31, 37, 41, 43 } },
	{ 600662303, { 47, 53, 59, 61, 67 } },
	{ 33984931, { 71, 73, 79, 83 } },
	{ 89809099, { 89, 97, 101, 103 } },
	{ 167375713, { 107, 109, 113, 127 } },
	{ 371700317, { 131, 137, 139, 149 } },
	{ 645328247, { 151, 157, 163, 167 } },
};

static uint32_t word_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Four octets at a time, behind the few that are over. */
static uint32_t remainder_of(struct span magnitude, uint32_t by)
{
	uint64_t r = 0;
	size_t i;

	for (i = 0; i < magnitude.len % 4; i++)
		r = (r << 8 | magnitude.p[i]) % by;
	for (; i < magnitude.len; i += 4)
		r = (r << 32 | word_at(magnitude.p + i)) % by;
	return (uint32_t)r;
}

/* Is r a power of 65537 modulo p? Such are the primes of that library, and so their products. */
static bool is_power(uint32_t r, uint32_t p)
{
	uint32_t power = 1;

	do {
		if (power == r)
			return true;
		power = power * (65537 % p) % p;
	} while (power != 1);
	return false;
}

static RESULT check(struct span modulus, struct err *err)
{
	bool all_powers = true;
	uint32_t r, p;
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(groups); i++) {
		r = remainder_of(modulus, groups[i].product);
		for (j = 0; j < GROUP && (p = groups[i].primes[j]); j++) {
			if (r % p == 0)
				return err_set(err, ERR_BAD_ALG,
					       "RSA modulus is divisible by %u: anybody can "
					       "factor it",
					       p);
			all_powers = all_powers && is_power(r % p, p);
		}
	}
	return all_powers ? err_set(err, ERR_BAD_ALG,
				    "RSA modulus has the fingerprint of CVE-2017-15361 (ROCA): it "
				    "can be factored; update the device's firmware")
			  : OK;
}

enum result rsa_weak_check(struct span key, struct err *err)
{
	struct der_reader r;
	struct span modulus;

	TRY(der_read_whole(key, DER_SEQUENCE, "RSAPublicKey", &r, err));
	TRY(der_read_integer(&r, "RSAPublicKey.modulus", &modulus, err));
	return check(modulus, err);
}
