/* SPDX-License-Identifier: Apache-2.0 */
#include "base/siphash.h"

struct state {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static void mix(struct state *s, unsigned rounds)
{
	while (rounds--) {
		s->a += s->b;
		s->c += s->d;
		s->b = rotate(s->b, 13) ^ s->a;
		s->d = rotate(s->d, 16) ^ s->c;
		s->a = rotate(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = rotate(s->b, 17) ^ s->c;
		s->d = rotate(s->d, 21) ^ s->a;
		s->c = rotate(s->c, 32);
	}
}

static void take(struct state *s, uint64_t word)
{
	s->d ^= word;
	mix(s, 2);
	s->a ^= word;
}

static uint64_t little_endian(const uint8_t *p, size_t n)
{
	uint64_t word = 0;

	while (n--)
		word = word << 8 | p[n];
	return word;
}

uint64_t siphash(const uint64_t key[2], struct span bytes)
{
	struct state s = { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du,
			   key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u };
	size_t left = bytes.len % 8, whole = bytes.len - left, i;
	uint64_t last = (uint64_t)bytes.len << 56;

	for (i = 0; i < whole; i += 8)
		take(&s, little_endian(bytes.p + i, 8));
	if (left)
		last |= little_endian(bytes.p + whole, left);
	take(&s, last);
	s.c ^= 0xff;
	mix(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}
