/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include "audit/record.h"

#define VERSION 1
/* Checkpoints look back: what is committed between a seal and its checkpoint is far less. */
#define HASHES 65536

struct audit_verify {
	struct crypto *crypto;
	struct pubkey *key;
	uint8_t key_hash[AUDIT_HASH];
	bool has_head;
	struct audit_sealed head;
	int64_t last; /* event; before the first: the one before it */
	uint8_t hash[AUDIT_HASH];
	int64_t good; /* up to this event a checkpoint has confirmed all */
	struct audit_report report;
	uint8_t hashes[HASHES][AUDIT_HASH]; /* of the latest events, by their number */
};

enum result audit_verify_new(struct audit_verify **out, struct crypto *c, struct span spki,
			     struct err *err)
{
	CLEANUP(audit_verify_freep) struct audit_verify *v = calloc(1, sizeof(*v));
	uint8_t digest[DIGEST_MAX];

	if (!v)
		return err_nomem(err);
	v->crypto = c;
	TRY(pubkey_new(&v->key, c, spki, err));
	TRY(crypto_digest(c, DIGEST_SHA256, &spki, 1, digest, err));
	memcpy(v->key_hash, digest, AUDIT_HASH);
	*out = take(v);
	return OK;
}

void audit_verify_free(struct audit_verify *v)
{
	if (!v)
		return;
	audit_sealed_clear(&v->head);
	pubkey_free(v->key);
	free(v);
}

/* ---- the head ---- */

/* Only the text that an export would have: nothing may hide in white space or spelling. */
static enum result check_text(json_t *made, struct span line, const char *what, struct err *err)
{
	BUF text = BUF_INIT;
	enum result r = audit_record_put(made, &text, err);

	json_decref(made);
	TRY(r);
	if (!span_eq(buf_span(&text), line))
		return err_set(err, ERR_BAD_CHECK, "%s: not as an export writes it: changed", what);
	return OK;
}

static json_t *head_json(const struct audit_sealed *s)
{
	return json_pack("{s:i, s:o}", "scepter_audit", VERSION, "seal", audit_sealed_json(s));
}

static enum result take_head(struct audit_verify *v, const json_t *value, struct span line,
			     struct err *err)
{
	const struct audit_seal *seal = &v->head.seal;

	if (json_integer_value(json_object_get(value, "scepter_audit")) != VERSION)
		return err_set(err, ERR_SYNTAX, "head: no export of audit events of version %d",
			       VERSION);
	if (audit_sealed_parse(json_object_get(value, "seal"), &v->head, err) != OK)
		return err_prefix(err, ERR_BAD_CHECK, "head");
	v->has_head = true;
	TRY(check_text(head_json(&v->head), line, "head", err));
	if (memcmp(v->head.key, v->key_hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_BAD_CHECK,
			       "head: sealed by another key than the one given");
	if (audit_sealed_check(&v->head, v->crypto, v->key, err) != OK)
		return err_set(err, ERR_BAD_CHECK,
			       "head: the seal on events %lld to %lld is not the key's: changed",
			       (long long)seal->first, (long long)seal->last);
	v->last = v->good = seal->first - 1;
	memcpy(v->hash, seal->prev, AUDIT_HASH);
	v->report = (struct audit_report){ seal->first, seal->last, seal->time, 0, 0 };
	return OK;
}

/* ---- events ---- */

static enum result check_order(const struct audit_verify *v, int64_t id, struct err *err)
{
	long long want = (long long)v->last + 1;

	if (id == want && id <= v->head.seal.last)
		return OK;
	if (id > v->head.seal.last)
		return err_set(err, ERR_BAD_CHECK,
			       "event %lld: the export is sealed up to event %lld: added",
			       (long long)id, (long long)v->head.seal.last);
	if (id > want)
		return err_set(err, ERR_BAD_CHECK,
			       "event %lld is missing: event %lld stands in its place", want,
			       (long long)id);
	return err_set(err, ERR_BAD_CHECK, "event %lld stands behind event %lld: moved or repeated",
		       (long long)id, want - 1);
}

static bool is_checkpoint(const struct store_event *e)
{
	return strcmp(e->kind, AUDIT_CHECKPOINT) == 0;
}

/* What was sealed then against what is there now. */
static enum result compare_checkpoint(struct audit_verify *v, int64_t id,
				      const struct audit_sealed *s, struct err *err)
{
	int64_t last = s->seal.last;

	if (memcmp(s->key, v->key_hash, AUDIT_HASH) != 0 || last < v->head.seal.first) {
		v->report.unchecked++;
		return OK;
	}
	if (last >= id || id - last > HASHES || s->seal.first != 1)
		return err_set(err, ERR_BAD_CHECK,
			       "event %lld: a checkpoint that seals events %lld to %lld",
			       (long long)id, (long long)s->seal.first, (long long)last);
	if (audit_sealed_check(s, v->crypto, v->key, err) != OK)
		return err_set(err, ERR_BAD_CHECK,
			       "event %lld: the checkpoint is not signed by the key: changed",
			       (long long)id);
	if (memcmp(v->hashes[last % HASHES], s->seal.hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_BAD_CHECK,
			       "event %lld: events %lld to %lld are not those that the checkpoint "
			       "sealed: one of them was changed and the hashes made anew",
			       (long long)id, (long long)v->good + 1, (long long)last);
	v->good = last;
	v->report.checkpoints++;
	return OK;
}

static enum result check_checkpoint(struct audit_verify *v, const struct store_event *e,
				    struct err *err)
{
	CLEANUP(audit_sealed_clear) struct audit_sealed s = { 0 };
	json_t *detail = e->detail ? json_loads(e->detail, JSON_REJECT_DUPLICATES, NULL) : NULL;
	enum result r = audit_sealed_parse(detail, &s, err);

	json_decref(detail);
	if (r != OK)
		return err_prefix(err, ERR_BAD_CHECK, "event %lld: checkpoint", (long long)e->id);
	return compare_checkpoint(v, e->id, &s, err);
}

static enum result check_hash(struct audit_verify *v, const struct store_event *e, struct err *err)
{
	uint8_t hash[AUDIT_HASH];

	TRY(store_event_hash(v->crypto, v->hash, e, hash, err));
	if (!span_eq(e->hash, SPAN_ARRAY(hash)))
		return err_set(err, ERR_BAD_CHECK,
			       "event %lld: its hash is not that of its content behind event %lld: "
			       "changed",
			       (long long)e->id, (long long)e->id - 1);
	memcpy(v->hash, hash, AUDIT_HASH);
	memcpy(v->hashes[e->id % HASHES], hash, AUDIT_HASH);
	v->last = e->id;
	return OK;
}

/* Where the head's seal ends: all is confirmed, or hashes were made anew. */
static enum result check_seal(struct audit_verify *v, struct err *err)
{
	if (v->last < v->head.seal.last)
		return OK;
	if (memcmp(v->hash, v->head.seal.hash, AUDIT_HASH) != 0)
		return err_set(err, ERR_BAD_CHECK,
			       "events %lld to %lld are not those that were sealed: one of them "
			       "was changed and the hashes made anew",
			       (long long)v->good + 1, (long long)v->last);
	v->good = v->last;
	return OK;
}

static enum result take_event(struct audit_verify *v, const json_t *value, struct span line,
			      struct err *err)
{
	CLEANUP(audit_record_clear) struct audit_record r = { 0 };
	const struct store_event *e = &r.event;
	char what[40] = "";

	if (audit_record_parse(value, &r, err) != OK)
		return err_prefix(err, ERR_BAD_CHECK, "line behind event %lld", (long long)v->last);
	(void)snprintf(what, sizeof(what), "event %lld", (long long)e->id);
	TRY(check_order(v, e->id, err));
	TRY(check_hash(v, e, err));
	TRY(check_text(audit_record_json(e), line, what, err));
	if (is_checkpoint(e))
		TRY(check_checkpoint(v, e, err));
	return check_seal(v, err);
}

enum result audit_verify_line(struct audit_verify *v, struct span line, struct err *err)
{
	json_error_t why;
	json_t *value;
	enum result r;

	value = json_loadb((const char *)line.p, line.len, JSON_REJECT_DUPLICATES, &why);
	if (!value && !v->has_head)
		return err_set(err, ERR_SYNTAX, "head: no JSON: %s", why.text);
	if (!value)
		return err_set(err, ERR_BAD_CHECK, "line behind event %lld: no JSON: %s: changed",
			       (long long)v->last, why.text);
	r = v->has_head ? take_event(v, value, line, err) : take_head(v, value, line, err);
	json_decref(value);
	return r;
}

enum result audit_verify_end(struct audit_verify *v, struct audit_report *out, struct err *err)
{
	if (!v->has_head)
		return err_set(err, ERR_SYNTAX, "no export: it is empty");
	if (v->last < v->head.seal.last)
		return err_set(err, ERR_BAD_CHECK, "events %lld to %lld are missing at the end",
			       (long long)v->last + 1, (long long)v->head.seal.last);
	*out = v->report;
	return OK;
}
