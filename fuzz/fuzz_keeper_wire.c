/* SPDX-License-Identifier: Apache-2.0 */
/* What the keeper reads from the server, and the server from the keeper. */
#include <stdlib.h>

#include "keeper/rule.h"
#include "keeper/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A request that was taken must come out the same when it is put on the wire again. */
static void put_again(struct span message, const struct keeper_request *req)
{
	uint8_t header[KEEPER_HEADER];

	keeper_wire_put_request(req, header);
	if (req->op != KEEPER_PING && memcmp(header, message.p, KEEPER_HEADER) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span message = span_of(data, size);
	CLEANUP(key_rule_clear) struct key_rule rule = { 0 };
	struct keeper_request req;
	struct keeper_reply reply;
	struct err err = { 0 };

	if (keeper_wire_get_request(message, &req, &err) == OK)
		put_again(message, &req);
	if (keeper_wire_get_reply(message, &reply, &err) == OK && reply.payload.len > size)
		abort();
	/* a rule is text that the server sends along with a key's making */
	if (key_rule_read(message, &rule, &err) != OK)
		return 0;
	(void)key_rule_check(&rule, KEY_FOR_CERTIFICATE, SPAN_NONE, message, &err);
	return 0;
}
