/* SPDX-License-Identifier: Apache-2.0 */
#include "keeper/wire.h"

#define WIRE_VERSION 1

/*
 * Request: length(4) version(1) op(1) id length(1) a(1) b(1) c(1) bits(2)
 * Reply:   length(4) version(1) result(1) key kind(1) 0 0 0 bits(2)
 * What a, b and c are depends on the operation:
 *   GENERATE, SUCCEED: key kind, 0, 0; bits of the key
 *   SIGN: purpose, key kind, digest; bits 1 for RSASSA-PSS
 *   DECRYPT: oaep, digest, MGF digest
 */
enum { AT_LENGTH = 0, AT_VERSION = 4, AT_OP = 5, AT_ID = 6, AT_ARGS = 7, AT_BITS = 10 };

struct args {
	uint8_t a, b, c;
	unsigned bits;
};

/* What an operation must come with; the highest value of each argument. */
static const struct op_shape {
	bool id;
	bool payload;
	struct args max;
} shapes[] = {
	[KEEPER_PING] = { false, false, { 0, 0, 0, 0 } },
	[KEEPER_OPEN] = { true, false, { 0, 0, 0, 0 } },
	[KEEPER_GENERATE] = { true, true, { KEY_KINDS_ - 1, 0, 0, 65535 } },
	[KEEPER_SIGN] = { true, true, { KEY_FOR_NEXT_CA, KEY_KINDS_ - 1, DIGEST_SHA512, 1 } },
	[KEEPER_DECRYPT] = { true, true, { 1, DIGEST_SHA512, DIGEST_SHA512, 0 } },
	[KEEPER_SUCCEED] = { true, true, { KEY_KINDS_ - 1, 0, 0, 65535 } },
};

bool keeper_id_is_good(struct span id)
{
	size_t i;

	for (i = 0; i < id.len; i++) {
		uint8_t ch = id.p[i];

		if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9') && ch != '-')
			return false;
	}
	return id.len >= 1 && id.len <= KEEPER_ID_MAX;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put_length(uint8_t *header, size_t len)
{
	put16(header + AT_LENGTH, (unsigned)(len >> 16));
	put16(header + AT_LENGTH + 2, (unsigned)(len & 0xffff));
}

static size_t get_length(const uint8_t *header)
{
	return (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 |
	       header[3];
}

static struct args request_args(const struct keeper_request *req)
{
	switch (req->op) {
	case KEEPER_GENERATE:
	case KEEPER_SUCCEED:
		return (struct args){ (uint8_t)req->spec.kind, 0, 0, req->spec.bits };
	case KEEPER_SIGN:
		return (struct args){ (uint8_t)req->purpose, (uint8_t)req->alg.kind,
				      (uint8_t)req->alg.digest, req->alg.pss };
	case KEEPER_DECRYPT:
		return (struct args){ req->transport.oaep, (uint8_t)req->transport.digest,
				      (uint8_t)req->transport.mgf_digest, 0 };
	case KEEPER_PING:
	case KEEPER_OPEN:
		break;
	}
	return (struct args){ 0 };
}

bool keeper_request_is_slow(const struct keeper_request *req)
{
	return req->op == KEEPER_GENERATE || req->op == KEEPER_SUCCEED || req->more;
}

void keeper_wire_put_request(const struct keeper_request *req, uint8_t out[KEEPER_HEADER])
{
	struct args args = request_args(req);

	put_length(out, req->id.len + req->payload.len + req->more);
	out[AT_VERSION] = WIRE_VERSION;
	out[AT_OP] = (uint8_t)req->op;
	out[AT_ID] = (uint8_t)req->id.len;
	out[AT_ARGS] = args.a;
	out[AT_ARGS + 1] = args.b;
	out[AT_ARGS + 2] = args.c;
	put16(out + AT_BITS, args.bits);
}

void keeper_wire_put_reply(const struct keeper_reply *reply, uint8_t out[KEEPER_HEADER])
{
	memset(out, 0, KEEPER_HEADER);
	put_length(out, reply->payload.len);
	out[AT_VERSION] = WIRE_VERSION;
	out[AT_OP] = (uint8_t)reply->result;
	out[AT_ID] = (uint8_t)reply->spec.kind;
	put16(out + AT_BITS, reply->spec.bits);
}

static enum result length_of(const uint8_t *header, size_t max, size_t *out, struct err *err)
{
	size_t len = get_length(header);

	if (header[AT_VERSION] != WIRE_VERSION)
		return err_set(err, ERR_SYNTAX, "keeper: version %u of the wire, %u expected",
			       header[AT_VERSION], WIRE_VERSION);
	if (len > max)
		return err_set(err, ERR_LIMIT, "keeper: message of %zu bytes, at most %zu", len,
			       max);
	*out = len;
	return OK;
}

enum result keeper_wire_request_length(const uint8_t header[KEEPER_HEADER], size_t *held,
				       size_t *more, struct err *err)
{
	bool may_be_long = header[AT_OP] == KEEPER_SIGN && header[AT_ARGS] == KEY_FOR_CRL;
	size_t id = header[AT_ID], len = 0;

	TRY(length_of(header, KEEPER_ID_MAX + (may_be_long ? KEEPER_LONG_MAX : KEEPER_PAYLOAD_MAX),
		      &len, err));
	*more = may_be_long && len > id + KEEPER_PAYLOAD_MAX ? len - id - KEEPER_LONG_HEAD : 0;
	*held = len - *more;
	return OK;
}

enum result keeper_wire_reply_length(const uint8_t header[KEEPER_HEADER], size_t *held,
				     size_t *more, struct err *err)
{
	*more = 0;
	return length_of(header, KEEPER_REPLY_MAX, held, err);
}

/* The message without its header, once the header has been checked against it. */
static enum result body_of(struct span message, keeper_wire_length_fn *length, struct span *body,
			   size_t *more, struct err *err)
{
	size_t held = 0;

	if (message.len < KEEPER_HEADER)
		return err_set(err, ERR_SYNTAX, "keeper: message of %zu bytes has no header",
			       message.len);
	TRY(length(message.p, &held, more, err));
	if (held != message.len - KEEPER_HEADER)
		return err_set(err, ERR_SYNTAX, "keeper: length says %zu, %zu bytes follow", held,
			       message.len - KEEPER_HEADER);
	*body = span_sub(message, KEEPER_HEADER, held);
	return OK;
}

static enum result check_args(const struct op_shape *shape, const struct args *args,
			      struct err *err)
{
	if (args->a > shape->max.a || args->b > shape->max.b || args->c > shape->max.c ||
	    args->bits > shape->max.bits)
		return err_set(err, ERR_SYNTAX, "keeper: argument %u/%u/%u/%u out of range",
			       args->a, args->b, args->c, args->bits);
	return OK;
}

static void set_args(struct keeper_request *req, const struct args *args)
{
	switch (req->op) {
	case KEEPER_GENERATE:
	case KEEPER_SUCCEED:
		req->spec = (struct key_spec){ (enum key_kind)args->a, args->bits };
		break;
	case KEEPER_SIGN:
		req->purpose = (enum key_purpose)args->a;
		req->alg = (struct sig_alg){ (enum key_kind)args->b, (enum digest_alg)args->c,
					     args->bits != 0 };
		break;
	case KEEPER_DECRYPT:
		req->transport = (struct transport_alg){ args->a != 0, (enum digest_alg)args->b,
							 (enum digest_alg)args->c };
		break;
	case KEEPER_PING:
	case KEEPER_OPEN:
		break;
	}
}

enum result keeper_wire_get_request(struct span message, struct keeper_request *out,
				    struct err *err)
{
	struct keeper_request req = { 0 };
	const struct op_shape *shape;
	struct span body = SPAN_NONE;
	struct args args;
	const uint8_t *h = message.p;

	TRY(body_of(message, keeper_wire_request_length, &body, &req.more, err));
	if (h[AT_OP] >= ARRAY_LEN(shapes))
		return err_set(err, ERR_SYNTAX, "keeper: no operation %u", h[AT_OP]);
	shape = &shapes[h[AT_OP]];
	req.op = (enum keeper_op)h[AT_OP];
	args = (struct args){ h[AT_ARGS], h[AT_ARGS + 1], h[AT_ARGS + 2],
			      (unsigned)(h[AT_BITS] << 8 | h[AT_BITS + 1]) };
	TRY(check_args(shape, &args, err));
	set_args(&req, &args);
	if (h[AT_ID] > body.len)
		return err_set(err, ERR_SYNTAX, "keeper: id runs past the message");
	req.id = span_sub(body, 0, h[AT_ID]);
	req.payload = span_sub(body, h[AT_ID], SIZE_MAX);
	if (shape->id ? !keeper_id_is_good(req.id) : req.id.len > 0)
		return err_set(err, ERR_SYNTAX, "keeper: \"%.*s\" is no key id: [a-z0-9-]{1,63}",
			       (int)req.id.len, (const char *)req.id.p);
	if (shape->payload != (req.payload.len > 0) || req.payload.len > KEEPER_PAYLOAD_MAX)
		return err_set(err, ERR_SYNTAX,
			       "keeper: payload of %zu bytes does not fit the "
			       "operation",
			       req.payload.len);
	*out = req;
	return OK;
}

enum result keeper_wire_get_reply(struct span message, struct keeper_reply *out, struct err *err)
{
	struct span body = SPAN_NONE;
	const uint8_t *h = message.p;
	size_t more = 0;

	TRY(body_of(message, keeper_wire_reply_length, &body, &more, err));
	if (h[AT_OP] >= ERR_COUNT_ || h[AT_ID] >= KEY_KINDS_)
		return err_set(err, ERR_SYNTAX, "keeper: reply with result %u, key kind %u",
			       h[AT_OP], h[AT_ID]);
	*out = (struct keeper_reply){
		.result = (enum result)h[AT_OP],
		.spec = { (enum key_kind)h[AT_ID], (unsigned)(h[AT_BITS] << 8 | h[AT_BITS + 1]) },
		.payload = body,
	};
	return OK;
}
