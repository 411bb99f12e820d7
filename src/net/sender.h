/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A one-way connection to a collector: datagrams, a TCP stream, or TLS with the server's
 * certificate checked against its name. Blocks, within its timeout. For one thread.
 */
#ifndef NET_SENDER_H
#define NET_SENDER_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

enum sender_transport { SENDER_UDP, SENDER_TCP, SENDER_TLS };

struct sender_config {
	enum sender_transport transport;
	const char *host; /* name or address */
	uint16_t port;
	const char *ca_file; /* PEM, who may have issued the server's certificate; NULL: the
				system's */
	unsigned timeout_ms; /* of connecting, and of sending */
};

struct sender;

RESULT sender_open(struct sender **out, const struct sender_config *config, struct err *err);
void sender_close(struct sender *s);
DEFINE_CLEANUP(struct sender, sender_close)

/* All of it: a datagram, or bytes of the stream. After an error the connection is to be closed;
 * how much of a stream's bytes arrived is not known. */
RESULT sender_send(struct sender *s, struct span bytes, struct err *err);

#endif
