/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are not certified (again). */
#include <stdlib.h>

#include "admin/page.h"
#include "base/hex.h"
#include "store/key_block.h"

#define REASON_MAX 200

/* ---- reading ---- */

static json_t *key_json(const struct store_blocked_key *k)
{
	return json_pack("{s:o, s:s%, s:o, s:s%, s:o, s:o}", "sha256",
			 admin_call_json_hex(SPAN_ARRAY(k->hash)), "reason",
			 k->reason.len ? (const char *)k->reason.data : "", k->reason.len,
			 "blocked", admin_call_json_time(k->time), "blocked_by",
			 k->actor.len ? (const char *)k->actor.data : "", k->actor.len, "ca",
			 k->ca[0] ? json_string(k->ca) : json_null(), "serial",
			 k->serial.len ? admin_call_json_hex(buf_span(&k->serial)) : json_null());
}

static RESULT parse_hash(struct span text, uint8_t hash[STORE_HASH], struct err *err)
{
	BUF bytes = BUF_INIT;

	if (hex_parse(text, &bytes, NULL) != OK || bytes.len != STORE_HASH)
		return err_set(err, ERR_BAD_REQUEST, "\"%.*s\" is no SHA-256 in hexadecimal digits",
			       (int)span_sub(text, 0, 80).len, text.p ? (const char *)text.p : "");
	memcpy(hash, bytes.data, STORE_HASH);
	return OK;
}

static enum result collect(void *ctx, const struct store_blocked_key *k, struct err *err)
{
	struct admin_page *page = ctx;
	BUF hex = BUF_INIT;

	if (!admin_page_has_room(page))
		return OK;
	hex_put(&hex, SPAN_ARRAY(k->hash));
	if (!buf_cstr(&hex))
		return err_nomem(err);
	return admin_page_add(page, key_json(k), err, "%s", buf_cstr(&hex));
}

enum result admin_key_list(struct admin_call *call, struct err *err)
{
	CLEANUP(admin_page_clear) struct admin_page page = { 0 };
	uint8_t after[STORE_HASH];

	TRY(admin_page_open(&page, call, "keys", err));
	if (page.continued)
		TRY(parse_hash(span_str((const char *)page.from.data), after, err));
	TRY(store_each_blocked_key(call->api->store, page.continued ? after : NULL,
				   admin_page_ask(&page), collect, &page, err));
	return admin_page_answer(call, &page, err);
}

/* The key that the path names. */
static RESULT find(const struct admin_call *call, struct store_blocked_key *out, struct err *err)
{
	uint8_t hash[STORE_HASH];

	TRY(parse_hash(buf_span(&call->arg), hash, err));
	return store_find_blocked_key(call->api->store, hash, out, err);
}

enum result admin_key_show(struct admin_call *call, struct err *err)
{
	CLEANUP(store_blocked_key_clear) struct store_blocked_key k = { .time = 0 };

	TRY(find(call, &k, err));
	return admin_call_answer(call, key_json(&k), err);
}

/* ---- changing ---- */

struct blocking {
	uint8_t (*hashes)[STORE_HASH]; /* owned */
	struct store_key_block block;
};

static void blocking_clear(struct blocking *b)
{
	free(b->hashes);
}

static RESULT read_hashes(const struct admin_call *call, struct blocking *b, struct err *err)
{
	const json_t *list = json_object_get(call->body, "sha256"), *one;
	size_t n = json_array_size(list), i;

	if (n == 0 || n > STORE_BLOCKED_KEYS_MAX)
		return err_set(err, ERR_BAD_REQUEST,
			       "field \"sha256\" must be a list of 1 to %d hashes",
			       STORE_BLOCKED_KEYS_MAX);
	b->hashes = calloc(n, sizeof(*b->hashes));
	if (!b->hashes)
		return err_nomem(err);
	json_array_foreach(list, i, one)
	{
		if (!json_is_string(one))
			return err_set(err, ERR_BAD_REQUEST,
				       "field \"sha256\" must be a list of text");
		TRY(parse_hash(span_of(json_string_value(one), json_string_length(one)),
			       b->hashes[i], err));
	}
	b->block.hashes = (const uint8_t(*)[STORE_HASH])b->hashes;
	b->block.n = n;
	return OK;
}

static RESULT read_reason(const struct admin_call *call, const char **reason, struct err *err)
{
	TRY(admin_call_text(call, "reason", reason, err));
	if (!*reason || !**reason || strlen(*reason) > REASON_MAX)
		return err_set(err, ERR_BAD_REQUEST,
			       "field \"reason\" must be text of 1 to %d octets", REASON_MAX);
	return OK;
}

/* One is on record by its hash, many by how many they were and the first of them. */
static RESULT describe(const struct blocking *b, struct buf *out, struct err *err)
{
	if (b->block.n > 1)
		buf_printf(out, "%zu keys, the first ", b->block.n);
	buf_put_str(out, b->block.n > 1 ? "with SHA-256 " : "key with SHA-256 ");
	hex_put(out, SPAN_ARRAY(b->hashes[0]));
	buf_printf(out, ": %s", b->block.reason);
	return buf_cstr(out) ? OK : err_nomem(err);
}

enum result admin_key_block(struct admin_call *call, struct err *err)
{
	static const char *const known[] = { "sha256", "reason", NULL };
	CLEANUP(blocking_clear) struct blocking b = { .hashes = NULL };
	BUF reason = BUF_INIT;
	uint64_t added = 0;

	TRY(admin_call_check_fields(call, known, err));
	TRY(read_reason(call, &b.block.reason, err));
	TRY(read_hashes(call, &b, err));
	TRY(describe(&b, &reason, err));
	b.block.event =
	    (struct store_event){ .time = clock_now(call->api->clock),
				  .kind = b.block.n > 1 ? "keys.blocked" : "key.blocked",
				  .actor = call->actor,
				  .reason = buf_cstr(&reason) };
	TRY(store_block_keys(call->api->store, &b.block, &added, err));
	log_info(call->api->log, "keys blocked", LOG_INT("added", added),
		 LOG_STR("reason", buf_cstr(&reason)), LOG_STR("actor", call->actor));
	return admin_call_answer(call,
				 json_pack("{s:I, s:I}", "added", (json_int_t)added, "kept",
					   (json_int_t)(b.block.n - added)),
				 err);
}

enum result admin_key_unblock(struct admin_call *call, struct err *err)
{
	CLEANUP(store_blocked_key_clear) struct store_blocked_key k = { .time = 0 };
	struct store_event event = { .time = clock_now(call->api->clock),
				     .kind = "key.unblocked",
				     .actor = call->actor };
	BUF reason = BUF_INIT;

	TRY(find(call, &k, err));
	buf_put_str(&reason, "key with SHA-256 ");
	hex_put(&reason, SPAN_ARRAY(k.hash));
	event.reason = buf_cstr(&reason);
	TRY(buf_check(&reason, err));
	TRY(store_unblock_key(call->api->store, k.hash, &event, err));
	log_info(call->api->log, "key unblocked", LOG_HEX("sha256", SPAN_ARRAY(k.hash)),
		 LOG_STR("actor", call->actor));
	return admin_call_answer(call, key_json(&k), err);
}
