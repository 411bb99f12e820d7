/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/answer.h"

#include <stdlib.h>

#include "keeper/channel.h"
#include "keeper/rule_next_ca.h"
#include "keeper/wire.h"
#include "pki/cert.h"
#include "pki/cms_signed.h"

/* A key in this thread's crypto, copied at its first use. */
struct own_key {
	const struct keyring_entry *entry;
	struct key *key;
};

struct answer {
	struct keyring *ring;
	const struct log *log;
	struct crypto *crypto;
	struct own_key *keys;
	size_t n_keys;
	int channel; /* of a long request under way */
	struct buf in;
	size_t more;      /* octets of a long request that are still to come */
	struct buf piece; /* of them */
	struct buf out;   /* payload of the reply */
};

void answer_free(struct answer *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->n_keys; i++)
		key_free(a->keys[i].key);
	free(a->keys);
	buf_wipe(&a->in);
	buf_clear(&a->piece);
	buf_wipe(&a->out);
	crypto_free(a->crypto);
	free(a);
}

enum result answer_new(struct answer **out, struct keyring *ring, const struct log *log,
		       struct err *err)
{
	CLEANUP(answer_freep) struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(err);
	a->ring = ring;
	a->log = log;
	TRY(crypto_new(&a->crypto, false, err));
	*out = take(a);
	return OK;
}

static enum result add_key(struct answer *a, struct span id, struct err *err)
{
	struct own_key *grown = reallocarray(a->keys, a->n_keys + 1, sizeof(*grown));

	if (!grown)
		return err_nomem(err);
	a->keys = grown;
	grown += a->n_keys;
	TRY(keyring_copy(a->ring, id, a->crypto, &grown->entry, &grown->key, err));
	a->n_keys++;
	return OK;
}

static enum result find_key(struct answer *a, struct span id, const struct own_key **out,
			    struct err *err)
{
	size_t i;

	for (i = 0; i < a->n_keys; i++)
		if (keyring_entry_is(a->keys[i].entry, id))
			break;
	if (i == a->n_keys)
		TRY(add_key(a, id, err));
	*out = &a->keys[i];
	return OK;
}

/* ---- operations: each puts the reply's payload into a->out ---- */

static enum result do_ping(UNUSED struct answer *a, UNUSED const struct keeper_request *req,
			   UNUSED struct key_spec *spec, UNUSED struct err *err)
{
	return OK;
}

static enum result do_open(struct answer *a, const struct keeper_request *req,
			   struct key_spec *spec, struct err *err)
{
	const struct own_key *k = NULL;

	TRY(find_key(a, req->id, &k, err));
	*spec = (struct key_spec){ k->key->kind, k->key->bits };
	buf_put(&a->out, key_spki(k->key));
	return OK;
}

static enum result do_generate(struct answer *a, const struct keeper_request *req,
			       UNUSED struct key_spec *spec, struct err *err)
{
	TRY(keyring_generate(a->ring, req->id, req->spec, req->payload, err));
	log_info(a->log, "key generated", LOG_SPAN("key", req->id),
		 LOG_STR("kind", key_kind_name(req->spec.kind)));
	return OK;
}

static enum result do_succeed(struct answer *a, const struct keeper_request *req,
			      UNUSED struct key_spec *spec, struct err *err)
{
	TRY(keyring_succeed(a->ring, req->id, req->spec, req->payload, err));
	log_info(a->log, "key of the next generation generated", LOG_SPAN("key", req->id),
		 LOG_SPAN("before", req->payload), LOG_STR("kind", key_kind_name(req->spec.kind)));
	return OK;
}

/* What is held of a long request, then the rest as it comes. */
struct incoming {
	struct key_pieces base;
	struct answer *a;
	struct span held;
};

static enum result next_incoming(struct key_pieces *base, struct span *piece, struct err *err)
{
	struct incoming *in = (struct incoming *)base;
	struct answer *a = in->a;

	*piece = in->held;
	in->held = SPAN_NONE;
	if (piece->len || !a->more)
		return OK;
	TRY(channel_recv_more(a->channel, a->more, &a->piece, err));
	a->more -= a->piece.len;
	*piece = buf_span(&a->piece);
	return OK;
}

static enum result sign_long(struct answer *a, const struct own_key *k,
			     const struct keeper_request *req, struct err *err)
{
	struct incoming in = { .base = { req->payload.len + req->more, next_incoming },
			       .a = a,
			       .held = req->payload };

	TRY(key_rule_check_long(keyring_rule(k->entry), req->purpose, req->payload, in.base.total,
				err));
	return key_sign_pieces(k->key, a->crypto, req->purpose, req->alg, &in.base, &a->out, err);
}

/* Over a key that is kept here and is no CA's: nobody can take that away. */
static bool is_kept(struct answer *a, struct span tbs)
{
	const struct keyring_entry *e;
	struct cert cert;

	if (cert_parse_tbs(tbs, &cert, NULL) != OK)
		return false;
	e = keyring_by_spki(a->ring, cert.spki);
	return e && !keyring_rule(e)->certificates;
}

/*
 * What a CA's key may certify of itself, it may of the CA's other generations: that is what a
 * rollover's cross certificates are. A registration authority's certificate may last longer than a
 * device's. Only what is refused otherwise is looked at again.
 */
static enum result check_rule(struct answer *a, const struct own_key *k,
			      const struct keeper_request *req, struct err *err)
{
	const struct key_rule *rule = keyring_rule(k->entry);
	const struct keyring_entry *kin = NULL;
	enum result r = key_rule_check(rule, req->purpose, key_spki(k->key), req->payload, err);

	if (r != ERR_DENIED || req->purpose != KEY_FOR_CERTIFICATE)
		return r;
	while ((kin = keyring_kin(a->ring, k->entry, kin)))
		if (key_rule_check(rule, req->purpose, keyring_spki(kin), req->payload, NULL) == OK)
			return OK;
	if (rule->max_kept_validity && is_kept(a, req->payload) &&
	    key_rule_check_kept(rule, key_spki(k->key), req->payload, NULL) == OK)
		return OK;
	return r;
}

/* It tells of one of the CA's other generations, whichever. */
static enum result check_next_ca(struct answer *a, const struct own_key *k,
				 const struct keeper_request *req, struct err *err)
{
	const struct key_rule *rule = keyring_rule(k->entry);
	const struct keyring_entry *kin = NULL;
	enum result r = err_set(err, ERR_DENIED, "key rule: the key has no next generation");

	while (r != OK && (kin = keyring_kin(a->ring, k->entry, kin)))
		r = rule_next_ca_check(rule, a->crypto, keyring_spki(kin), req->payload, err);
	return r;
}

/* The content is what is read, the attributes that go with it are what is signed. */
static enum result sign_next_ca(struct answer *a, const struct own_key *k,
				const struct keeper_request *req, struct err *err)
{
	BUF attrs = BUF_INIT;

	TRY(check_next_ca(a, k, req, err));
	TRY(cms_put_signed_attrs(req->payload, req->alg, a->crypto, &attrs, err));
	return key_sign(k->key, a->crypto, KEY_FOR_CONTENT, req->alg, buf_span(&attrs), &a->out,
			err);
}

static enum result do_sign(struct answer *a, const struct keeper_request *req,
			   UNUSED struct key_spec *spec, struct err *err)
{
	const struct own_key *k = NULL;

	TRY(find_key(a, req->id, &k, err));
	TRY(key_rule_check_digest(req->purpose, req->alg.digest, err));
	if (req->more)
		return sign_long(a, k, req, err);
	if (req->purpose == KEY_FOR_NEXT_CA)
		return sign_next_ca(a, k, req, err);
	TRY(check_rule(a, k, req, err));
	return key_sign(k->key, a->crypto, req->purpose, req->alg, req->payload, &a->out, err);
}

static enum result do_decrypt(struct answer *a, const struct keeper_request *req,
			      UNUSED struct key_spec *spec, struct err *err)
{
	const struct own_key *k = NULL;
	SECRET plain = SECRET_INIT;

	TRY(find_key(a, req->id, &k, err));
	if (!keyring_rule(k->entry)->decrypt)
		return err_set(err, ERR_DENIED, "key rule: the key does not decrypt");
	TRY(key_decrypt(k->key, a->crypto, &req->transport, req->payload, &plain, err));
	buf_put(&a->out, secret_span(&plain));
	return OK;
}

typedef enum result op_fn(struct answer *a, const struct keeper_request *req, struct key_spec *spec,
			  struct err *err);

static op_fn *const ops[] = {
	[KEEPER_PING] = do_ping, [KEEPER_OPEN] = do_open,       [KEEPER_GENERATE] = do_generate,
	[KEEPER_SIGN] = do_sign, [KEEPER_DECRYPT] = do_decrypt, [KEEPER_SUCCEED] = do_succeed,
};

/* ---- the loop ---- */

/* The error goes out of scope, the payload must not. */
static void put_error(struct answer *a, const struct err *err, struct keeper_reply *reply)
{
	buf_wipe(&a->out);
	buf_put(&a->out, span_str(err_text(err)));
	reply->payload = buf_span(&a->out);
}

static void refuse(struct answer *a, struct span key, const struct err *err,
		   struct keeper_reply *reply)
{
	log_warning(a->log, "key request refused", LOG_SPAN("key", key), LOG_ERR(err));
	put_error(a, err, reply);
}

static void perform(struct answer *a, const struct keeper_request *req, struct keeper_reply *reply)
{
	struct err err = { 0 };

	reply->result = ops[req->op](a, req, &reply->spec, &err);
	if (reply->result == OK)
		reply->result = buf_check(&a->out, &err);
	if (reply->result == OK)
		reply->payload = buf_span(&a->out);
	else if (req->op == KEEPER_OPEN && reply->result == ERR_NOT_FOUND)
		put_error(a, &err, reply); /* whoever asked is about to make it, or complains */
	else
		refuse(a, req->id, &err, reply);
}

/* What a refused request still sends: the reply is read only when all of it is sent. */
static enum result skip_rest(struct answer *a, struct err *err)
{
	while (a->more) {
		TRY(channel_recv_more(a->channel, a->more, &a->piece, err));
		a->more -= a->piece.len;
	}
	return OK;
}

static RESULT exchange(struct answer *a, struct err *err)
{
	struct keeper_request req;
	struct keeper_reply reply = { 0 };
	uint8_t header[KEEPER_HEADER];
	struct span parts[2] = { SPAN_ARRAY(header) };

	TRY(channel_recv(a->channel, keeper_wire_request_length, &a->in, err));
	TRY(keeper_wire_get_request(buf_span(&a->in), &req, err));
	a->more = req.more;
	perform(a, &req, &reply);
	TRY(skip_rest(a, err));
	keeper_wire_put_reply(&reply, header);
	parts[1] = reply.payload;
	return channel_send(a->channel, parts, ARRAY_LEN(parts), err);
}

/* Sent or not: the next request may be somebody else's, and a reply may be a secret. */
static void forget(struct answer *a)
{
	if (a->out.data)
		explicit_bzero(a->out.data, a->out.len);
	buf_reset(&a->out);
	a->more = 0;
}

enum result answer_one(struct answer *a, int channel, struct err *err)
{
	enum result r;

	a->channel = channel;
	r = exchange(a, err);
	forget(a);
	return r;
}

/* ---- on a board ---- */

static RESULT read_place(struct answer *a, const struct board *b, unsigned place,
			 struct keeper_request *req, struct err *err)
{
	TRY(board_read(b, place, &a->in, err));
	TRY(keeper_wire_get_request(buf_span(&a->in), req, err));
	if (keeper_request_is_slow(req))
		return err_set(err, ERR_SYNTAX, "keeper: a slow request on the board");
	return OK;
}

void answer_place(struct answer *a, struct board *b, unsigned place)
{
	struct keeper_request req;
	struct keeper_reply reply = { 0 };
	uint8_t header[KEEPER_HEADER];
	struct span parts[2] = { SPAN_ARRAY(header) };
	struct err err = { 0 };

	reply.result = read_place(a, b, place, &req, &err);
	if (reply.result == OK)
		perform(a, &req, &reply);
	else
		refuse(a, SPAN_NONE, &err, &reply);
	if (reply.payload.len > BOARD_OCTETS - KEEPER_HEADER) {
		reply.result = ERR_INTERNAL;
		reply.payload = SPAN_LIT("keeper: the reply is too long");
	}
	keeper_wire_put_reply(&reply, header);
	parts[1] = reply.payload;
	board_reply(b, place, parts, ARRAY_LEN(parts));
	forget(a);
}
