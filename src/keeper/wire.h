/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What server and keeper say to each other on a channel (a stream socketpair): one request, one
 * reply, in turn. Both are a header of fixed size with the length of what follows; a request then
 * has the key's id and a payload, a reply a payload. Integers are big-endian. Pure, no allocation.
 *
 * Neither side trusts the other: every field is checked against its range and every length against
 * its cap before it is used.
 */
#ifndef KEEPER_WIRE_H
#define KEEPER_WIRE_H

#include "pki/key_evp.h"

#define KEEPER_HEADER 12
#define KEEPER_ID_MAX 63
/* A revocation list is the largest thing that is signed. */
#define KEEPER_PAYLOAD_MAX (16u << 20)
#define KEEPER_REPLY_MAX 65536

enum keeper_op { KEEPER_PING, KEEPER_OPEN, KEEPER_GENERATE, KEEPER_SIGN, KEEPER_DECRYPT };

struct keeper_request {
	enum keeper_op op;
	struct span id;
	/* KEEPER_GENERATE; the payload is the rule's text */
	struct key_spec spec;
	/* KEEPER_SIGN; the payload is the message */
	enum key_purpose purpose;
	struct sig_alg alg;
	/* KEEPER_DECRYPT; the payload is the encrypted key */
	struct transport_alg transport;
	struct span payload;
};

/* Not OK: the payload is the error's text. KEEPER_OPEN: it is the SubjectPublicKeyInfo. */
struct keeper_reply {
	enum result result;
	struct key_spec spec; /* KEEPER_OPEN */
	struct span payload;
};

/* [a-z0-9-]{1,63}: it is part of a file's name. */
bool keeper_id_is_good(struct span id);

/* Header alone: id and payload are sent behind it as they lie. Lengths must be within the caps. */
void keeper_wire_put_request(const struct keeper_request *req, uint8_t out[KEEPER_HEADER]);
void keeper_wire_put_reply(const struct keeper_reply *reply, uint8_t out[KEEPER_HEADER]);

/* How many bytes follow a header. ERR_LIMIT above max. */
RESULT keeper_wire_length(const uint8_t header[KEEPER_HEADER], size_t max, size_t *out,
			  struct err *err);

/* From a whole message, header included. The result points into it. */
RESULT keeper_wire_get_request(struct span message, struct keeper_request *out, struct err *err);
RESULT keeper_wire_get_reply(struct span message, struct keeper_reply *out, struct err *err);

#endif
