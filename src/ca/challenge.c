/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/challenge.h"

#include <stdio.h>

#include "base/random.h"
#include "der/writer.h"
#include "pki/name.h"
#include "pki/san.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* Upper case without blanks and hyphens; the letter count if it has the form, else 0. */
static size_t normalise(struct span challenge, uint8_t out[CHALLENGE_LETTERS])
{
	size_t n = 0, i;

	for (i = 0; i < challenge.len; i++) {
		uint8_t c = challenge.p[i];

		if (c == ' ' || c == '-' || c == '\t')
			continue;
		if (c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		if (n == CHALLENGE_LETTERS || !((c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7')))
			return 0;
		out[n++] = c;
	}
	return n == CHALLENGE_LETTERS ? n : 0;
}

enum result challenge_hash_one_time(struct crypto *c, struct span challenge,
				    uint8_t out[STORE_HASH], struct err *err)
{
	uint8_t letters[CHALLENGE_LETTERS], digest[DIGEST_MAX];
	struct span part = SPAN_ARRAY(letters);
	enum result r;

	if (!normalise(challenge, letters))
		return err_set(err, ERR_SYNTAX, "challenge: not %d letters of base32",
			       CHALLENGE_LETTERS);
	r = crypto_digest(c, DIGEST_SHA256, &part, 1, digest, err);
	explicit_bzero(letters, sizeof(letters));
	if (r == OK)
		memcpy(out, digest, STORE_HASH);
	return r;
}

/* 26 letters of 5 bits from 17 random octets: 130 bits, of which the contract asks for 128. */
static RESULT make_letters(struct secret *out, struct err *err)
{
	uint8_t random[17], letters[CHALLENGE_LETTERS];
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t in = 0, i;
	enum result r;

	TRY(random_fill(random, sizeof(random), err));
	for (i = 0; i < CHALLENGE_LETTERS; i++) {
		if (bits < 5) {
			acc = acc << 8 | random[in++];
			bits += 8;
		}
		bits -= 5;
		letters[i] = (uint8_t)alphabet[acc >> bits & 31];
	}
	r = secret_set(out, SPAN_ARRAY(letters), err);
	explicit_bzero(random, sizeof(random));
	explicit_bzero(letters, sizeof(letters));
	explicit_bzero(&acc, sizeof(acc));
	return r;
}

/* Rises with time, as the store's paging wants, and cannot be guessed from another. */
static RESULT make_id(int64_t now, char id[STORE_NAME_MAX], struct err *err)
{
	uint8_t random[4];

	TRY(random_fill(random, sizeof(random), err));
	(void)snprintf(id, STORE_NAME_MAX, "%08llx%02x%02x%02x%02x", (unsigned long long)now,
		       random[0], random[1], random[2], random[3]);
	return OK;
}

static RESULT bind_names(const struct challenge_new *n, struct store_challenge *ch, struct err *err)
{
	size_t i, seq;

	if (n->subject)
		TRY(name_parse_text(n->subject, &ch->subject, err));
	if (n->n_sans == 0)
		return OK;
	seq = der_open(&ch->san, DER_SEQUENCE);
	for (i = 0; i < n->n_sans; i++)
		TRY(san_parse_text(n->sans[i], &ch->san, err));
	der_close(&ch->san, seq);
	return buf_check(&ch->san, err);
}

static RESULT copy_name(char out[STORE_NAME_MAX], const char *what, const char *name,
			struct err *err)
{
	if (snprintf(out, STORE_NAME_MAX, "%s", name ? name : "") >= STORE_NAME_MAX)
		return err_set(err, ERR_LIMIT, "%s \"%.80s\": longer than %d characters", what,
			       name, STORE_NAME_MAX - 1);
	return OK;
}

static RESULT fill(const struct challenge_new *n, int64_t now, struct store_challenge *ch,
		   struct err *err)
{
	if (n->lifetime <= 0)
		return err_set(err, ERR_USAGE, "challenge: the lifetime must be positive");
	ch->created = now;
	ch->expires = now + n->lifetime;
	TRY(copy_name(ch->endpoint, "endpoint", n->endpoint, err));
	TRY(copy_name(ch->created_by, "actor", n->actor, err));
	TRY(bind_names(n, ch, err));
	return make_id(now, ch->id, err);
}

static RESULT store_it(struct store *store, const struct challenge_new *n,
		       const struct store_challenge *ch, struct err *err)
{
	char until[CLOCK_TEXT_MAX], reason[160];
	struct store_event event = { .time = ch->created,
				     .kind = "challenge.created",
				     .endpoint = n->endpoint,
				     .actor = n->actor,
				     .reason = reason };

	clock_format(ch->expires, until);
	(void)snprintf(reason, sizeof(reason), "one-time challenge %s, valid until %s", ch->id,
		       until);
	return store_add_challenge(store, ch, &event, err);
}

enum result challenge_create(struct store *store, struct crypto *c, const struct clock *clock,
			     const struct challenge_new *n, struct secret *out,
			     char id[STORE_NAME_MAX], struct err *err)
{
	CLEANUP(store_challenge_clear) struct store_challenge ch = { 0 };
	SECRET text = SECRET_INIT;

	TRY(fill(n, clock_now(clock), &ch, err));
	TRY(make_letters(&text, err));
	TRY(challenge_hash_one_time(c, secret_span(&text), ch.hash, err));
	TRY(store_it(store, n, &ch, err));
	secret_clear(out);
	out->bytes = buf_take(&text.bytes);
	memcpy(id, ch.id, STORE_NAME_MAX);
	return OK;
}
