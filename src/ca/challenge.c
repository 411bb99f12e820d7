/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/challenge.h"

#include <stdio.h>

#include "base/random.h"
#include "der/writer.h"
#include "pki/name.h"
#include "pki/san.h"

#define LETTERS_MAX 32

/* No two have the same length, so that the normal form tells which it is. */
static const struct form {
	const char *alphabet;
	unsigned bits; /* a letter */
	size_t letters;
} forms[] = {
	[CHALLENGE_BASE32] = { "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, CHALLENGE_LETTERS },
	[CHALLENGE_HEX_64] = { "0123456789ABCDEF", 4, 16 },
	[CHALLENGE_HEX_128] = { "0123456789ABCDEF", 4, 32 },
};

/* Upper case without blanks and hyphens; false if that is too long for any form. */
static bool normalise(struct span challenge, uint8_t out[LETTERS_MAX], size_t *len)
{
	size_t n = 0, i;

	for (i = 0; i < challenge.len; i++) {
		uint8_t c = challenge.p[i];

		if (c == ' ' || c == '-' || c == '\t')
			continue;
		if (n == LETTERS_MAX)
			return false;
		out[n++] = c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
	}
	*len = n;
	return true;
}

static bool has_form(const struct form *form, struct span letters)
{
	size_t i;

	if (letters.len != form->letters)
		return false;
	for (i = 0; i < letters.len; i++)
		if (!memchr(form->alphabet, letters.p[i], (size_t)1 << form->bits))
			return false;
	return true;
}

static bool has_any_form(struct span letters)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(forms); i++)
		if (has_form(&forms[i], letters))
			return true;
	return false;
}

enum result challenge_hash_one_time(struct crypto *c, struct span challenge,
				    uint8_t out[STORE_HASH], struct err *err)
{
	uint8_t letters[LETTERS_MAX], digest[DIGEST_MAX];
	struct span part = { letters, 0 };
	enum result r;

	if (!normalise(challenge, letters, &part.len) || !has_any_form(part))
		return err_set(err, ERR_SYNTAX,
			       "challenge: neither %d letters of base32 nor 16 or 32 hexadecimal "
			       "digits",
			       CHALLENGE_LETTERS);
	r = crypto_digest(c, DIGEST_SHA256, &part, 1, digest, err);
	explicit_bzero(letters, sizeof(letters));
	if (r == OK)
		memcpy(out, digest, STORE_HASH);
	return r;
}

/* 26 letters of 5 bits have 130 bits, of which the contract asks for 128. */
static RESULT make_letters(const struct form *form, struct secret *out, struct err *err)
{
	uint8_t random[17], letters[LETTERS_MAX];
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t in = 0, i;
	enum result r;

	TRY(random_fill(random, sizeof(random), err));
	for (i = 0; i < form->letters; i++) {
		if (bits < form->bits) {
			acc = acc << 8 | random[in++];
			bits += 8;
		}
		bits -= form->bits;
		letters[i] = (uint8_t)form->alphabet[acc >> bits & ((1u << form->bits) - 1)];
	}
	r = secret_set(out, span_of(letters, form->letters), err);
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
	TRY(copy_name(ch->source, "source", n->source, err));
	ch->reusable = n->reusable;
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
	(void)snprintf(reason, sizeof(reason), "%s challenge %s, valid until %s",
		       n->reusable ? "reusable" : "one-time", ch->id, until);
	return store_add_challenge_within(store, ch, n->most, &event, err);
}

enum result challenge_create(struct store *store, struct crypto *c, const struct clock *clock,
			     const struct challenge_new *n, struct secret *out,
			     char id[STORE_NAME_MAX], struct err *err)
{
	CLEANUP(store_challenge_clear) struct store_challenge ch = { 0 };
	SECRET text = SECRET_INIT;

	TRY(fill(n, clock_now(clock), &ch, err));
	TRY(make_letters(&forms[n->form], &text, err));
	TRY(challenge_hash_one_time(c, secret_span(&text), ch.hash, err));
	TRY(store_it(store, n, &ch, err));
	secret_clear(out);
	out->bytes = buf_take(&text.bytes);
	memcpy(id, ch.id, STORE_NAME_MAX);
	return OK;
}
