/* SPDX-License-Identifier: Apache-2.0 */
/* The record as JSON lines, and that no change of an export gets past the verifier. */
#include "unit.h"

#include "audit/record.h"
#include "audit/verify.h"
#include "keeper/rule.h"
#include "pki/key_evp.h"

#define NOW 1795293840 /* 2026-11-21T20:44:00Z */
#define EVENTS 12
#define CHECKPOINT 9 /* seals the eight before it */

static struct {
	struct crypto *c;
	struct key *key;
	struct buf lines[EVENTS + 1]; /* 0: the head */
} t;

/* ---- an export ---- */

static void seal(int64_t first, int64_t last, const uint8_t *prev, const uint8_t *hash,
		 struct audit_sealed *out)
{
	struct span spki = key_spki(t.key);
	uint8_t digest[DIGEST_MAX];
	BUF message = BUF_INIT;

	*out = (struct audit_sealed){ .seal = { .first = first, .last = last, .time = NOW } };
	memcpy(out->seal.prev, prev, AUDIT_HASH);
	memcpy(out->seal.hash, hash, AUDIT_HASH);
	assert_int_equal(crypto_digest(t.c, DIGEST_SHA256, &spki, 1, digest, NULL), OK);
	memcpy(out->key, digest, AUDIT_HASH);
	assert_int_equal(audit_seal_put(&out->seal, &message, NULL), OK);
	assert_int_equal(key_sign(t.key, t.c, KEY_FOR_AUDIT, sig_alg_for(t.key->kind),
				  buf_span(&message), &out->signature, NULL),
			 OK);
}

static void put(json_t *value, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(audit_record_put(value, out, NULL), OK);
	json_decref(value);
}

static struct store_event event_of(int64_t id)
{
	struct store_event e = { .id = id,
				 .time = NOW + id,
				 .kind = "enrol.rejected",
				 .endpoint = "demo",
				 .transaction = SPAN_LIT("tx-\x80\x01"),
				 .actor = "192.0.2.1",
				 .reason = "challenge: \"wrong\" \\ \x01 \xc3\xa4",
				 .detail = "[{\"step\":\"challenge\",\"ok\":false}]" };

	if (id % 3 == 0)
		e.reason = "not UTF-8: \xff\xfe";
	if (id % 4 == 0)
		e = (struct store_event){
			.id = id, .time = NOW, .kind = "", .serial = SPAN_LIT("\1")
		};
	return e;
}

/* forged: from this event on, content is another and all hashes fit again. 0: none. */
static void make_export(int64_t forged)
{
	static uint8_t hashes[EVENTS + 1][AUDIT_HASH];
	static const uint8_t zeros[AUDIT_HASH];
	CLEANUP(audit_sealed_clear) struct audit_sealed head = { 0 };
	int64_t id;

	for (id = 1; id <= EVENTS; id++) {
		CLEANUP(audit_sealed_clear) struct audit_sealed s = { 0 };
		struct store_event e = event_of(id);
		uint8_t hash[AUDIT_HASH];
		BUF detail = BUF_INIT;

		if (id == CHECKPOINT && !forged) {
			seal(1, id - 1, zeros, hashes[id - 1], &s);
			put(audit_sealed_json(&s), &detail);
			e.kind = AUDIT_CHECKPOINT;
			e.detail = buf_cstr(&detail);
		} else if (id == CHECKPOINT) {
			continue; /* the genuine line stays */
		}
		if (forged && id >= forged)
			e.actor = "198.51.100.7";
		assert_int_equal(
		    store_event_hash(t.c, id > 1 ? hashes[id - 1] : zeros, &e, hash, NULL), OK);
		e.hash = SPAN_ARRAY(hash);
		put(audit_record_json(&e), &t.lines[id]);
		if (id >= forged)
			memcpy(hashes[id], hash, AUDIT_HASH);
	}
	if (forged)
		return;
	seal(1, EVENTS, zeros, hashes[EVENTS], &head);
	put(json_pack("{s:i, s:o}", "scepter_audit", 1, "seal", audit_sealed_json(&head)),
	    &t.lines[0]);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(crypto_new(&t.c, false, NULL), OK);
	assert_int_equal(key_evp_generate(&t.key, t.c, (struct key_spec){ KEY_EC_P256, 256 }, NULL),
			 OK);
	make_export(0);
	return 0;
}

static int tear_down(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(t.lines); i++)
		buf_clear(&t.lines[i]);
	key_free(t.key);
	crypto_free(t.c);
	return 0;
}

/* ---- verdicts ---- */

static enum result verify(const struct span *lines, size_t n, struct err *err)
{
	CLEANUP(audit_verify_freep) struct audit_verify *v = NULL;
	struct audit_report report = { 0 };
	size_t i;

	TRY(audit_verify_new(&v, t.c, key_spki(t.key), err));
	for (i = 0; i < n; i++)
		TRY(audit_verify_line(v, lines[i], err));
	TRY(audit_verify_end(v, &report, err));
	assert_int_equal(report.first, 1);
	assert_int_equal(report.last, EVENTS);
	assert_int_equal(report.sealed_at, NOW);
	assert_int_equal(report.checkpoints, 1);
	assert_int_equal(report.unchecked, 0);
	return OK;
}

static void all_lines(struct span lines[EVENTS + 1])
{
	size_t i;

	for (i = 0; i <= EVENTS; i++)
		lines[i] = buf_span(&t.lines[i]);
}

static void expect(const struct span *lines, size_t n, const char *text)
{
	struct err err = { 0 };
	enum result r = verify(lines, n, &err);

	if ((r != ERR_BAD_CHECK && r != ERR_SYNTAX) || !strstr(err_text(&err), text))
		fail_msg("%s: \"%s\", not \"%s\"", err_name(r), err_text(&err), text);
}

static void a_whole_export_is_good(void **state)
{
	struct span lines[EVENTS + 1];
	struct err err = { 0 };

	(void)state;
	all_lines(lines);
	if (verify(lines, EVENTS + 1, &err) != OK)
		fail_msg("%s", err_text(&err));
}

/* Does the verdict name the event, or the one before it, behind which a line is none? */
static void expect_named(size_t line, size_t at)
{
	struct span lines[EVENTS + 1];
	char here[32] = "head", before[32] = "head";
	struct err err = { 0 };
	enum result r;

	if (line) {
		(void)snprintf(here, sizeof(here), "event %zu", line);
		(void)snprintf(before, sizeof(before), "event %zu", line - 1);
	}
	all_lines(lines);
	r = verify(lines, EVENTS + 1, &err);
	if (r == OK || !(strstr(err_text(&err), here) || strstr(err_text(&err), before)))
		fail_msg("line %zu octet %zu: %s: %s", line, at, err_name(r), err_text(&err));
}

static void every_changed_octet_is_found(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x20, 0x80 };
	size_t i, at;

	(void)state;
	for (i = 0; i <= EVENTS; i++)
		for (at = 0; at < t.lines[i].len; at++) {
			uint8_t flip = flips[(i + at) % ARRAY_LEN(flips)];

			t.lines[i].data[at] ^= flip;
			expect_named(i, at);
			t.lines[i].data[at] ^= flip;
		}
}

static void every_missing_and_moved_line_is_found(void **state)
{
	struct span lines[EVENTS + 2], kept;
	char text[64];
	size_t i;

	(void)state;
	for (i = 1; i <= EVENTS; i++) {
		all_lines(lines);
		memmove(&lines[i], &lines[i + 1], (EVENTS - i) * sizeof(*lines));
		if (i < EVENTS)
			(void)snprintf(text, sizeof(text), "event %zu is missing", i);
		else
			(void)snprintf(text, sizeof(text), "events %zu to %zu are missing", i, i);
		expect(lines, EVENTS, text);
		all_lines(lines);
		lines[EVENTS + 1] = lines[i];
		(void)snprintf(text, sizeof(text), "event %zu stands behind event %d", i, EVENTS);
		expect(lines, EVENTS + 2, text);
		if (i == EVENTS)
			break;
		all_lines(lines);
		kept = lines[i];
		lines[i] = lines[i + 1];
		lines[i + 1] = kept;
		(void)snprintf(text, sizeof(text), "event %zu is missing", i);
		expect(lines, EVENTS + 1, text);
		all_lines(lines);
		lines[i + 1] = lines[i];
		(void)snprintf(text, sizeof(text), "event %zu stands behind", i);
		expect(lines, EVENTS + 1, text);
	}
	for (i = 0; i <= EVENTS; i++) {
		all_lines(lines);
		expect(lines, i, i ? "missing at the end" : "empty");
	}
	all_lines(lines);
	expect(lines + 1, EVENTS, "head");
}

/* Who changes an event and makes all hashes anew is stopped by the next seal. */
static void forged_chains_are_found(void **state)
{
	struct span lines[EVENTS + 1];

	(void)state;
	make_export(5);
	all_lines(lines);
	expect(lines, EVENTS + 1, "event 9");
	make_export(0);
	make_export(11);
	all_lines(lines);
	expect(lines, EVENTS + 1, "events 9 to 12 are not those that were sealed");
	make_export(0);
}

static void another_key_is_not_believed(void **state)
{
	CLEANUP(audit_verify_freep) struct audit_verify *v = NULL;
	CLEANUP(key_freep) struct key *other = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(key_evp_generate(&other, t.c, (struct key_spec){ KEY_EC_P256, 256 }, NULL),
			 OK);
	assert_int_equal(audit_verify_new(&v, t.c, key_spki(other), NULL), OK);
	assert_int_equal(audit_verify_line(v, buf_span(&t.lines[0]), &err), ERR_BAD_CHECK);
	assert_non_null(strstr(err_text(&err), "another key"));
}

static void a_record_comes_back(void **state)
{
	int64_t id;

	(void)state;
	for (id = 1; id <= EVENTS; id++) {
		CLEANUP(audit_record_clear) struct audit_record r = { 0 };
		struct store_event e = event_of(id);
		uint8_t a[AUDIT_HASH], b[AUDIT_HASH];
		json_t *value;

		e.hash = SPAN_ARRAY(a);
		assert_int_equal(store_event_hash(t.c, a, &e, a, NULL), OK);
		value = audit_record_json(&e);
		assert_int_equal(audit_record_parse(value, &r, NULL), OK);
		memcpy(b, a, sizeof(a));
		assert_int_equal(store_event_hash(t.c, b, &e, a, NULL), OK);
		assert_int_equal(store_event_hash(t.c, b, &r.event, b, NULL), OK);
		assert_memory_equal(a, b, AUDIT_HASH);
		json_decref(value);
	}
}

/* ---- what an audit key signs ---- */

static enum result parse_seal(struct span message)
{
	struct audit_seal s;

	return audit_seal_parse(message, &s, NULL);
}

static void an_audit_key_signs_seals_only(void **state)
{
	static const struct key_rule audit = { .audit = true }, content = { .content = true };
	static const struct {
		const char *why;
		struct audit_seal seal;
		enum result want;
	} rows[] = {
		{ "all", { .first = 1, .last = 9 }, OK },
		{ "some", { .first = 5, .prev = { 1 }, .last = 5 }, OK },
		{ "none", { .first = 5, .prev = { 1 }, .last = 4 }, ERR_DENIED },
		{ "from nothing", { .first = 0, .last = 4 }, ERR_DENIED },
		{ "a beginning in the middle", { .first = 5, .last = 6 }, ERR_DENIED },
		{ "something before the first",
		  { .first = 1, .prev = { 1 }, .last = 6 },
		  ERR_DENIED },
	};
	static const struct span others[] = {
		SPAN_LIT("\x30\x03\x02\x01\x01"),
		SPAN_LIT("scepter-audit-seal-1"),
		SPAN_LIT(""),
		SPAN_LIT("0123456789abcdef0123456789abcdef"),
	};
	BUF message = BUF_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		buf_reset(&message);
		assert_int_equal(audit_seal_put(&rows[i].seal, &message, NULL), OK);
		if (key_rule_check(&audit, KEY_FOR_AUDIT, SPAN_NONE, buf_span(&message), NULL) !=
		    rows[i].want)
			fail_msg("%s", rows[i].why);
		assert_int_equal(
		    key_rule_check(&content, KEY_FOR_AUDIT, SPAN_NONE, buf_span(&message), NULL),
		    ERR_DENIED);
		assert_int_equal(
		    key_rule_check(&audit, KEY_FOR_CONTENT, SPAN_NONE, buf_span(&message), NULL),
		    ERR_DENIED);
	}
	for (i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(key_rule_check(&audit, KEY_FOR_AUDIT, SPAN_NONE, others[i], NULL),
				 ERR_DENIED);
	buf_reset(&message);
	assert_int_equal(audit_seal_put(&rows[0].seal, &message, NULL), OK);
	unit_refuses_cuts(buf_span(&message), parse_seal);
	unit_survives_flips(buf_span(&message), parse_seal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_export_is_good),
		cmocka_unit_test(every_changed_octet_is_found),
		cmocka_unit_test(every_missing_and_moved_line_is_found),
		cmocka_unit_test(forged_chains_are_found),
		cmocka_unit_test(another_key_is_not_believed),
		cmocka_unit_test(a_record_comes_back),
		cmocka_unit_test(an_audit_key_signs_seals_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
