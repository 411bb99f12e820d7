/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What server and keeper say to each other on a channel (a stream socketpair): one request, one
 * reply, in turn. Both are a header of fixed size with the length of what follows; a request then
 * has the key's id and a payload, a reply a payload. Integers are big-endian. Pure, no allocation.
 *
 * A revocation list may be larger than memory should hold: of one whose payload is longer than
 * KEEPER_PAYLOAD_MAX the keeper holds the first KEEPER_LONG_HEAD octets, which it reads, and
 * digests the rest as it comes.
 *
 * Neither side trusts the other: every field is checked against its range and every length against
 * its cap before it is used.
 */
#ifndef KEEPER_WIRE_H
#define KEEPER_WIRE_H

#include "pki/key_evp.h"

#define KEEPER_HEADER 12
#define KEEPER_ID_MAX 63
#define KEEPER_PAYLOAD_MAX (1u << 20)
#define KEEPER_LONG_MAX (1u << 30)   /* KEEPER_SIGN for KEY_FOR_CRL only */
#define KEEPER_LONG_HEAD (64u << 10) /* holds more than what stands before the entries */
#define KEEPER_REPLY_MAX 65536

enum keeper_op {
	KEEPER_PING,
	KEEPER_OPEN,
	KEEPER_GENERATE,
	KEEPER_SIGN,
	KEEPER_DECRYPT,
	KEEPER_SUCCEED, /* the next generation of a CA's key */
};

/* In a line that says where a key is made: where the key of that id is. */
#define KEEPER_STORE_LIKE "like:"

struct keeper_request {
	enum keeper_op op;
	struct span id;
	/* KEEPER_GENERATE: the payload is a line with the key's store and the rule's text.
	 * KEEPER_SUCCEED: the id of the key before
	 */
	struct key_spec spec;
	/* KEEPER_SIGN; the payload is the message */
	enum key_purpose purpose;
	struct sig_alg alg;
	/* KEEPER_DECRYPT; the payload is the encrypted key */
	struct transport_alg transport;
	struct span payload;
	size_t more; /* octets of the payload that follow what is held */
};

/* Not OK: the payload is the error's text. KEEPER_OPEN: it is the SubjectPublicKeyInfo. */
struct keeper_reply {
	enum result result;
	struct key_spec spec; /* KEEPER_OPEN */
	struct span payload;
};

/* [a-z0-9-]{1,63}: it is part of a file's name. */
bool keeper_id_is_good(struct span id);

/* Makes a key, or is of many octets: others must not have to wait for it. */
bool keeper_request_is_slow(const struct keeper_request *req);

/* Header alone: id and payload are sent behind it as they lie. Lengths must be within the caps. */
void keeper_wire_put_request(const struct keeper_request *req, uint8_t out[KEEPER_HEADER]);
void keeper_wire_put_reply(const struct keeper_reply *reply, uint8_t out[KEEPER_HEADER]);

/*
 * How many bytes follow a header: those to be held, and how many *more come behind them.
 * ERR_LIMIT above the caps.
 */
typedef enum result keeper_wire_length_fn(const uint8_t header[KEEPER_HEADER], size_t *held,
					  size_t *more, struct err *err);
MUST_USE keeper_wire_length_fn keeper_wire_request_length;
MUST_USE keeper_wire_length_fn keeper_wire_reply_length;

/* From a message as far as it is held, header included. The result points into it. */
RESULT keeper_wire_get_request(struct span message, struct keeper_request *out, struct err *err);
RESULT keeper_wire_get_reply(struct span message, struct keeper_reply *out, struct err *err);

#endif
