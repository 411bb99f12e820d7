/* SPDX-License-Identifier: Apache-2.0 */
/* Internal to src/client: what the device_*.c share. */
#ifndef CLIENT_DEVICE_STATE_H
#define CLIENT_DEVICE_STATE_H

#include "client/device.h"
#include "pki/cms_signed.h"

/* What differs between protocols. Each fills what it is named after, or leaves it alone. */
struct device_protocol {
	RESULT (*get_ca)(struct device *d, struct err *err); /* d->ca */
	/* fingerprint empty: whoever has answered is trusted */
	RESULT (*trust)(struct device *d, struct span fingerprint, struct err *err);
	RESULT (*get_wanted)(struct device *d, struct err *err); /* d->wanted; NULL: not told */
	RESULT (*enrol)(struct device *d, struct err *err);      /* d->cert; trusted, with a key */
	RESULT (*use_next)(struct device *d, struct err *err);   /* d->ca; NULL: unknown to it */
};
extern const struct device_protocol device_scep;
extern const struct device_protocol device_est;

struct device {
	const struct device_protocol *protocol;
	char *url;
	char *ca_identifier;
	char *tls_ca_file;
	struct buf tls_cert;   /* PEM, with what leads to its CA; empty: none... */
	struct buf tls_key;    /* ...and its key, which is wiped */
	char *user;            /* of HTTP Basic; NULL: none, the challenge alone is the password */
	char *server_key;      /* EST: file for a key that the server makes; NULL: it makes none */
	bool key_encrypted;    /* it is to come encrypted to `key` */
	struct buf wanted;     /* EST: CsrAttrs of the server; empty: none */
	bool full_cmc;         /* EST: by Full PKI Requests */
	struct buf pend_token; /* with which the request that waits is polled; empty: none */
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

/* d->http anew; `more`, whose trust is d's unless it brings its own, may be NULL. */
RESULT device_connect(struct device *d, const struct http_client_config *more, struct err *err);
/* Is it signed by a CA that is trusted? */
bool device_trusts(const struct device *d, const struct cert *cert);
/*
 * The signature, by a CA that is trusted or the holder of a certificate of it. what: is signed, for
 * errors.
 */
RESULT device_check_signer(const struct device *d, const struct cms_signed *sd, const char *what,
			   struct err *err);
/* Into d->key: what was asked for with another is no longer what is asked for. */
void device_take_key(struct device *d, struct key *key);
/* The certificate (DER) and key of two files, which belong together: ERR_USAGE. */
RESULT device_load_pair(const struct device *d, const char *key_path, const char *cert_path,
			struct key **key, struct buf *cert, struct err *err);
/* What was issued into d->cert, if it will do. */
RESULT device_take_cert(struct device *d, struct buf *cert, struct err *err);
/* Is it fit to take the place of what it renews? ERR_BAD_CERT_ID, ERR_BAD_TIME. */
RESULT device_renewal_check(const struct device *d, struct span der, struct err *err);

#endif
