/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/client: what the device_*.c share. */
#ifndef CLIENT_DEVICE_STATE_H
#define CLIENT_DEVICE_STATE_H

#include "client/device.h"

struct device {
	char *url;
	char *ca_identifier;
	char *tls_ca_file;
	unsigned timeout;
	bool allow_legacy;
	struct crypto *c;
	struct http_client *http; /* made by device_get_ca */
	uint32_t caps;
	struct scep_ca_certs ca;
	bool trusted;
	struct key *key;
	struct key *current_key; /* of... */
	struct buf current_cert; /* ...what is to be renewed; empty: a first enrolment */
	struct buf subject;      /* Name DER */
	struct buf sans;         /* content of GeneralNames */
	struct secret challenge;
	bool pending; /* the CA has the request and wants to be polled */
	long retry_after;
	struct buf cert;
};

/* For requests to this device's server, while d lives. */
struct scep_client device_state_client(const struct device *d);
/* Is it fit to take the place of what it renews? ERR_BAD_CERT_ID, ERR_BAD_TIME. */
RESULT device_renewal_check(const struct device *d, struct span der, struct err *err);

#endif
