/* SPDX-License-Identifier: Apache-2.0 */
/* A revocation list that the keeper does not hold: it reads its beginning and digests the rest. */
#include "ca_fixture.h"

#include "keeper/wire.h"
#include "pki/crl.h"

#define ENTRIES 100000

struct part_list {
	struct key_pieces base;
	struct span parts[3];
	size_t at;
};

static enum result next_part(struct key_pieces *base, struct span *piece, struct err *err)
{
	struct part_list *p = (struct part_list *)base;

	(void)err;
	do
		*piece = p->at < ARRAY_LEN(p->parts) ? p->parts[p->at++] : SPAN_NONE;
	while (!piece->len && p->at < ARRAY_LEN(p->parts));
	return OK;
}

/* A TBSCertList of some megabytes. */
struct long_list {
	struct crl_template t;
	struct buf head, entries, tail;
};

static void long_list_init(struct long_list *l, struct span issuer, size_t n)
{
	struct crl_entry entry = { SPAN_LIT("\x40 a serial number"), NOW, CRL_SUPERSEDED, 0 };
	size_t i;

	*l = (struct long_list){ .t = { .sig_alg = { KEY_EC_P256, DIGEST_SHA256 },
					.issuer = issuer,
					.aki = SPAN_LIT("id"),
					.this_update = NOW,
					.next_update = NOW + DAY,
					.number = 1 } };
	for (i = 0; i < n; i++)
		crl_put_entry(&l->entries, &entry);
	assert_int_equal(crl_put_frame(&l->t, l->entries.len, &l->head, &l->tail, NULL), OK);
}

static void long_list_clear(struct long_list *l)
{
	buf_clear(&l->head);
	buf_clear(&l->entries);
	buf_clear(&l->tail);
}

static struct part_list parts_of(const struct long_list *l)
{
	return (struct part_list){
		.base = { l->head.len + l->entries.len + l->tail.len, next_part },
		.parts = { buf_span(&l->head), buf_span(&l->entries), buf_span(&l->tail) },
	};
}

static enum result sign(struct ca_fixture *f, struct part_list *parts, enum key_purpose purpose,
			struct buf *out)
{
	struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };

	return key_sign_pieces(f->demo->ca.key, f->c, purpose, alg, &parts->base, out, NULL);
}

static void expect_verifies(struct ca_fixture *f, const struct part_list *parts,
			    struct span signature)
{
	struct sig_alg alg = { KEY_EC_P256, DIGEST_SHA256 };
	CLEANUP(pubkey_freep) struct pubkey *key = NULL;
	BUF whole = BUF_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(parts->parts); i++)
		buf_put(&whole, parts->parts[i]);
	assert_int_equal(pubkey_new(&key, f->c, f->demo->ca.cert.spki, NULL), OK);
	assert_int_equal(pubkey_verify(key, f->c, alg, buf_span(&whole), signature, NULL), OK);
}

static void signs_short_and_long(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, ENTRIES };
	struct ca_fixture *f = *state;
	size_t i;

	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(long_list_clear) struct long_list l;
		struct part_list parts;
		BUF signature = BUF_INIT;

		long_list_init(&l, f->demo->ca.cert.subject, sizes[i]);
		parts = parts_of(&l);
		assert_int_equal(sign(f, &parts, KEY_FOR_CRL, &signature), OK);
		expect_verifies(f, &parts, buf_span(&signature));
	}
}

/* Another issuer, another purpose, another length than is written at its head. */
static void refuses_long_ones(void **state)
{
	struct ca_fixture *f = *state;
	CLEANUP(long_list_clear) struct long_list good, foreign;
	struct part_list parts;
	BUF signature = BUF_INIT;

	long_list_init(&foreign, f->demo->ra_sign.cert.subject, ENTRIES);
	parts = parts_of(&foreign);
	assert_int_equal(sign(f, &parts, KEY_FOR_CRL, &signature), ERR_DENIED);
	long_list_init(&good, f->demo->ca.cert.subject, ENTRIES);
	parts = parts_of(&good);
	assert_int_equal(sign(f, &parts, KEY_FOR_CERTIFICATE, &signature), ERR_LIMIT);
	parts = parts_of(&good);
	parts.base.total--;
	parts.parts[2].len--;
	assert_int_equal(sign(f, &parts, KEY_FOR_CRL, &signature), ERR_SYNTAX);
	parts = parts_of(&good);
	parts.parts[2].len--;
	assert_int_equal(sign(f, &parts, KEY_FOR_CRL, &signature), ERR_INTERNAL);
	assert_int_equal(signature.len, 0);
	parts = parts_of(&good);
	assert_int_equal(sign(f, &parts, KEY_FOR_CRL, &signature), OK);
	expect_verifies(f, &parts, buf_span(&signature));
}

/* What the keeper holds of a message, by its header alone. */
static void lengths(void **state)
{
	static const struct {
		enum keeper_op op;
		enum key_purpose purpose;
		size_t payload;
		enum result want;
		size_t more;
	} rows[] = {
		{ KEEPER_SIGN, KEY_FOR_CRL, KEEPER_PAYLOAD_MAX, OK, 0 },
		{ KEEPER_SIGN, KEY_FOR_CRL, KEEPER_PAYLOAD_MAX + 1, OK,
		  KEEPER_PAYLOAD_MAX + 1 - KEEPER_LONG_HEAD },
		{ KEEPER_SIGN, KEY_FOR_CRL, KEEPER_LONG_MAX, OK,
		  KEEPER_LONG_MAX - KEEPER_LONG_HEAD },
		{ KEEPER_SIGN, KEY_FOR_CRL, KEEPER_LONG_MAX + 64, ERR_LIMIT, 0 },
		{ KEEPER_SIGN, KEY_FOR_CERTIFICATE, KEEPER_PAYLOAD_MAX, OK, 0 },
		{ KEEPER_SIGN, KEY_FOR_CERTIFICATE, KEEPER_PAYLOAD_MAX + 64, ERR_LIMIT, 0 },
		{ KEEPER_SIGN, KEY_FOR_CONTENT, KEEPER_LONG_MAX, ERR_LIMIT, 0 },
		{ KEEPER_DECRYPT, KEY_FOR_CRL, KEEPER_LONG_MAX, ERR_LIMIT, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct keeper_request req = { .op = rows[i].op,
					      .id = SPAN_LIT("ca"),
					      .purpose = rows[i].purpose,
					      .payload = { NULL, rows[i].payload } };
		uint8_t header[KEEPER_HEADER];
		size_t held = 0, more = 0;

		req.transport.oaep = rows[i].op == KEEPER_DECRYPT;
		keeper_wire_put_request(&req, header);
		assert_int_equal(keeper_wire_request_length(header, &held, &more, NULL),
				 rows[i].want);
		if (rows[i].want != OK)
			continue;
		assert_int_equal(more, rows[i].more);
		assert_int_equal(held, 2 + rows[i].payload - more);
	}
}

/* Ed25519 reads its message twice, so that the keeper would have to hold it. */
static void ed25519_only_short(void **state)
{
	struct ca_fixture *f = *state;
	struct authority_init init = ca_fixture_init("ed");
	struct sig_alg alg = { KEY_ED25519, DIGEST_NONE };
	const struct authority_ca *ed;
	static const size_t sizes[] = { 100, ENTRIES, 600000 };
	static const enum result wants[] = { OK, OK, ERR_LIMIT };
	size_t i;

	init.ca_key = (struct key_spec){ KEY_ED25519, 256 };
	ca_fixture_create(f, &init);
	ca_fixture_load(f);
	ed = authority_find(f->authority, "ed", NOW);
	assert_non_null(ed);
	for (i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(long_list_clear) struct long_list l;
		struct part_list parts;
		BUF signature = BUF_INIT;

		long_list_init(&l, ed->ca.cert.subject, sizes[i]);
		parts = parts_of(&l);
		assert_int_equal(key_sign_pieces(ed->ca.key, f->c, KEY_FOR_CRL, alg, &parts.base,
						 &signature, NULL),
				 wants[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test_setup_teardown(signs_short_and_long, ca_fixture_set_up,
						ca_fixture_tear_down),
		cmocka_unit_test_setup_teardown(refuses_long_ones, ca_fixture_set_up,
						ca_fixture_tear_down),
		cmocka_unit_test_setup_teardown(ed25519_only_short, ca_fixture_set_up,
						ca_fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
