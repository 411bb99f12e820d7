/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "keeper/errand.h"
#include "keeper/post.h"

struct keeper_client {
	int intro_fd;
	struct post *post;
	struct meter *meter; /* a histogram a row of calls, and who got no answer */
};

struct keeper_key {
	struct key base;
	struct keeper_client *client;
	char id[KEEPER_ID_MAX + 1];
};

/* ---- what is counted ---- */

static const char *const calls[] = {
	"ping",         "open",         "generate", "decrypt",   "succeed",  "sign-certificate",
	"sign-crl",     "sign-content", "sign-csr", "sign-ocsp", "sign-tls", "sign-audit",
	"sign-next-ca",
};
#define FIRST_SIGN 5
_Static_assert(ARRAY_LEN(calls) == FIRST_SIGN + KEY_FOR_NEXT_CA + 1, "a row for each purpose");
#define UNANSWERED (ARRAY_LEN(calls) * HISTOGRAM_COUNTERS)

static size_t call_of(const struct keeper_request *req)
{
	static const size_t rows[] = {
		[KEEPER_PING] = 0,    [KEEPER_OPEN] = 1,    [KEEPER_GENERATE] = 2,
		[KEEPER_DECRYPT] = 3, [KEEPER_SUCCEED] = 4, [KEEPER_SIGN] = FIRST_SIGN
	};

	return rows[req->op] + (req->op == KEEPER_SIGN ? (size_t)req->purpose : 0);
}

static void count(const struct keeper_client *k, const struct keeper_request *req, int64_t begun)
{
	histogram_add(k->meter, call_of(req) * HISTOGRAM_COUNTERS, clock_mono_us() - begun);
}

bool keeper_client_calls(const struct keeper_client *k, size_t i, struct keeper_client_calls *out)
{
	if (i >= ARRAY_LEN(calls))
		return false;
	out->call = calls[i];
	histogram_read(k->meter, i * HISTOGRAM_COUNTERS, &out->took);
	return true;
}

uint64_t keeper_client_unanswered(const struct keeper_client *k)
{
	return meter_sum(k->meter, UNANSWERED);
}

/* ---- calls ---- */

/* What went wrong on the way is for the caller to try again, whatever it was. */
static enum result away(struct keeper_client *k, struct err *err)
{
	meter_add(k->meter, UNANSWERED, 1);
	return err_prefix(err, ERR_BUSY, "the keeper gave no answer");
}

static enum result refusal(const struct keeper_reply *reply, struct err *err)
{
	if (reply->result == OK)
		return OK;
	return err_set(err, reply->result, "%.*s", (int)reply->payload.len,
		       (const char *)reply->payload.p);
}

/* The reply points into `in`: a secret, perhaps. */
static enum result call(struct keeper_client *k, const struct keeper_request *req, struct buf *in,
			struct keeper_reply *reply, struct err *err)
{
	const int64_t begun = clock_mono_us();

	if (req->id.len > KEEPER_ID_MAX || req->payload.len > KEEPER_PAYLOAD_MAX)
		return err_set(err, ERR_LIMIT, "keeper: message of %zu bytes, at most %u",
			       req->payload.len, KEEPER_PAYLOAD_MAX);
	if (post_call(k->post, req, in, reply, err) != OK)
		return away(k, err);
	count(k, req, begun);
	return refusal(reply, err);
}

/* A call whose reply has nothing to read. */
static enum result call_plain(struct keeper_client *k, const struct keeper_request *req,
			      struct err *err)
{
	struct keeper_reply reply;
	BUF_SECRET in = BUF_INIT;

	return call(k, req, &in, &reply, err);
}

/* ---- keys ---- */

static enum result key_sign_there(struct key *key, UNUSED struct crypto *c,
				  enum key_purpose purpose, struct sig_alg alg, struct span message,
				  struct buf *out, struct err *err)
{
	struct keeper_key *k = (struct keeper_key *)key;
	const struct keeper_request req = { .op = KEEPER_SIGN,
					    .id = span_str(k->id),
					    .purpose = purpose,
					    .alg = alg,
					    .payload = message };
	struct keeper_reply reply;
	BUF_SECRET in = BUF_INIT;

	TRY(call(k->client, &req, &in, &reply, err));
	buf_put(out, reply.payload);
	return buf_check(out, err);
}

/* Pieces put together until there are `enough` octets, or none left. */
static enum result gather(struct key_pieces *pieces, size_t enough, struct buf *out,
			  struct err *err)
{
	struct span piece = SPAN_NONE;

	while (out->len < enough) {
		TRY(pieces->next(pieces, &piece, err));
		if (piece.len == 0)
			break;
		buf_put(out, piece);
		TRY(buf_check(out, err));
	}
	return OK;
}

static enum result send_rest(struct keeper_client *k, const struct errand *e,
			     struct key_pieces *pieces, struct span piece, struct err *err)
{
	uint64_t left = pieces->total - KEEPER_LONG_HEAD;

	while (piece.len && piece.len <= left) {
		left -= piece.len;
		if (errand_send(e, piece, err) != OK)
			return away(k, err);
		TRY(pieces->next(pieces, &piece, err));
	}
	if (left || piece.len)
		return err_set(err, ERR_INTERNAL, "keeper: a message that is not as long as said");
	return OK;
}

static enum result check_long(const struct keeper_request *req, const struct key_pieces *pieces,
			      struct err *err)
{
	uint64_t max = req->purpose == KEY_FOR_CRL ? KEEPER_LONG_MAX : KEEPER_PAYLOAD_MAX;

	if (pieces->total <= max)
		return OK;
	return err_set(err, ERR_LIMIT, "keeper: message of %llu bytes, at most %llu",
		       (unsigned long long)pieces->total, (unsigned long long)max);
}

static enum result sign_long(const struct keeper_key *k, struct keeper_request *req,
			     struct key_pieces *pieces, struct buf *out, struct err *err)
{
	CLEANUP(errand_freep) struct errand *e = NULL;
	const int64_t begun = clock_mono_us();
	struct keeper_reply reply;
	BUF begin = BUF_INIT;
	BUF_SECRET in = BUF_INIT;

	TRY(check_long(req, pieces, err));
	TRY(gather(pieces, KEEPER_LONG_HEAD, &begin, err));
	req->payload = span_sub(buf_span(&begin), 0, KEEPER_LONG_HEAD);
	req->more = pieces->total - req->payload.len;
	if (errand_new(&e, k->client->intro_fd, req, err) != OK)
		return away(k->client, err);
	TRY(send_rest(k->client, e, pieces, span_sub(buf_span(&begin), KEEPER_LONG_HEAD, SIZE_MAX),
		      err));
	if (errand_end(e, &in, &reply, err) != OK)
		return away(k->client, err);
	count(k->client, req, begun);
	TRY(refusal(&reply, err));
	buf_put(out, reply.payload);
	return buf_check(out, err);
}

static enum result key_sign_pieces_there(struct key *key, struct crypto *c,
					 enum key_purpose purpose, struct sig_alg alg,
					 struct key_pieces *pieces, struct buf *out,
					 struct err *err)
{
	struct keeper_key *k = (struct keeper_key *)key;
	struct keeper_request req = {
		.op = KEEPER_SIGN, .id = span_str(k->id), .purpose = purpose, .alg = alg
	};
	BUF held = BUF_INIT;

	if (pieces->total > KEEPER_PAYLOAD_MAX)
		return sign_long(k, &req, pieces, out, err);
	TRY(gather(pieces, SIZE_MAX, &held, err));
	return key_sign_there(key, c, purpose, alg, buf_span(&held), out, err);
}

static enum result key_decrypt_there(struct key *key, UNUSED struct crypto *c,
				     const struct transport_alg *alg, struct span cipher,
				     struct secret *out, struct err *err)
{
	struct keeper_key *k = (struct keeper_key *)key;
	const struct keeper_request req = {
		.op = KEEPER_DECRYPT, .id = span_str(k->id), .transport = *alg, .payload = cipher
	};
	struct keeper_reply reply;
	BUF_SECRET in = BUF_INIT;

	TRY(call(k->client, &req, &in, &reply, err));
	return secret_set(out, reply.payload, err);
}

static void key_free_here(struct key *key)
{
	free(key);
}

static const struct key_ops keeper_key_ops = {
	.sign = key_sign_there,
	.decrypt = key_decrypt_there,
	.free = key_free_here,
	.sign_pieces = key_sign_pieces_there,
};

enum result keeper_key_open(struct key **out, struct keeper_client *k, const char *id,
			    struct err *err)
{
	const struct keeper_request req = { .op = KEEPER_OPEN, .id = span_str(id) };
	CLEANUP(key_freep) struct key *base = NULL;
	struct keeper_reply reply;
	struct keeper_key *key;
	BUF_SECRET in = BUF_INIT;

	if (!keeper_id_is_good(req.id))
		return err_set(err, ERR_NOT_FOUND, "keeper: \"%s\" is no key id", id);
	key = calloc(1, sizeof(*key));
	if (!key)
		return err_nomem(err);
	base = &key->base;
	base->ops = &keeper_key_ops;
	key->client = k;
	memcpy(key->id, req.id.p, req.id.len);
	TRY(call(k, &req, &in, &reply, err));
	buf_put(&base->spki, reply.payload);
	base->kind = reply.spec.kind;
	base->bits = reply.spec.bits;
	TRY(buf_check(&base->spki, err));
	*out = take(base);
	return OK;
}

static RESULT check_id(struct span id, struct err *err)
{
	if (keeper_id_is_good(id))
		return OK;
	return err_set(err, ERR_BAD_REQUEST, "keeper: \"%.*s\" is no key id: [a-z0-9-]{1,63}",
		       (int)id.len, (const char *)id.p);
}

enum result keeper_generate_beside(struct keeper_client *k, const char *id, const char *other,
				   struct key_spec spec, const struct key_rule *rule,
				   struct err *err)
{
	char store[sizeof(KEEPER_STORE_LIKE) + KEEPER_ID_MAX];

	if (!keeper_id_is_good(span_str(other)))
		return err_set(err, ERR_BAD_REQUEST, "keeper: \"%s\" is no key id", other);
	(void)snprintf(store, sizeof(store), KEEPER_STORE_LIKE "%s", other);
	return keeper_generate_in(k, id, store, spec, rule, err);
}

enum result keeper_generate(struct keeper_client *k, const char *id, struct key_spec spec,
			    const struct key_rule *rule, struct err *err)
{
	return keeper_generate_in(k, id, NULL, spec, rule, err);
}

enum result keeper_generate_in(struct keeper_client *k, const char *id, const char *store,
			       struct key_spec spec, const struct key_rule *rule, struct err *err)
{
	struct keeper_request req = { .op = KEEPER_GENERATE, .id = span_str(id), .spec = spec };
	BUF text = BUF_INIT;

	TRY(check_id(req.id, err));
	if (store && strchr(store, '\n'))
		return err_set(err, ERR_BAD_REQUEST, "key store: a line end in it");
	buf_put_str(&text, store ? store : "");
	buf_put_byte(&text, '\n');
	TRY(key_rule_write(rule, &text, err));
	req.payload = buf_span(&text);
	return call_plain(k, &req, err);
}

enum result keeper_succeed(struct keeper_client *k, const char *id, struct key_spec spec,
			   const char *before, struct err *err)
{
	const struct keeper_request req = {
		.op = KEEPER_SUCCEED, .id = span_str(id), .spec = spec, .payload = span_str(before)
	};

	TRY(check_id(req.id, err));
	return call_plain(k, &req, err);
}

enum result keeper_ping(struct keeper_client *k, struct err *err)
{
	return call_plain(k, &(struct keeper_request){ .op = KEEPER_PING }, err);
}

/* ---- the client ---- */

enum result keeper_client_new(struct keeper_client **out, int intro_fd, unsigned timeout_ms,
			      struct err *err)
{
	CLEANUP(keeper_client_freep) struct keeper_client *k = calloc(1, sizeof(*k));

	if (!k)
		return err_nomem(err);
	k->intro_fd = intro_fd;
	TRY(meter_new(&k->meter, UNANSWERED + 1, err));
	TRY(post_new(&k->post, intro_fd, timeout_ms, err));
	*out = take(k);
	return OK;
}

void keeper_client_free(struct keeper_client *k)
{
	if (!k)
		return;
	post_free(k->post);
	meter_free(k->meter);
	free(k);
}
