/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pkiMessage (RFC 8894 3.1, 3.2): SignedData around EnvelopedData with the SCEP attributes. Codec
 * only: the caller has the keys do their work between scep_message_parse and the payload. Pure.
 */
#ifndef SCEP_MESSAGE_H
#define SCEP_MESSAGE_H

#include "pki/cms_enveloped.h"
#include "pki/cms_signed.h"

enum scep_message_type {
	SCEP_CERT_REP = 3,
	SCEP_RENEWAL_REQ = 17,
	SCEP_UPDATE_REQ = 18,
	SCEP_PKCS_REQ = 19,
	SCEP_CERT_POLL = 20,
	SCEP_GET_CERT = 21,
	SCEP_GET_CRL = 22,
};
const char *scep_message_type_name(int type); /* "PKCSReq"; "?" if unknown */

enum scep_pki_status { SCEP_SUCCESS = 0, SCEP_FAILURE = 2, SCEP_PENDING = 3 };
const char *scep_pki_status_name(int status); /* "SUCCESS"; "?" if unknown */

const char *scep_fail_info_name(int fail_info); /* "badAlg"; "?" if unknown */

#define SCEP_NONCE 16
#define SCEP_NONCE_MAX 64
#define SCEP_TRANSACTION_MAX 512
#define SCEP_TEXT_READ_MAX 65536 /* what is read of a text; its user has limits of his own */
#define SCEP_FAIL_TEXT_MAX 255

struct scep_message {
	struct buf der; /* owned: the message as DER, which all spans point into */
	struct cms_signed sd;
	struct span transaction_id; /* text octets, perhaps too many; empty: missing */
	uint8_t transaction_tag;    /* its string type, for the reply to mirror */
	int message_type; /* -1: missing, or no decimal number; the same for the next two */
	int pki_status;
	int fail_info;
	struct span fail_info_text;
	struct span sender_nonce; /* as sent, at most SCEP_NONCE_MAX; empty: missing */
	struct span recipient_nonce;
	bool has_envelope;
	struct buf envelope_der;       /* owned, may be empty */
	struct cms_enveloped envelope; /* filled by scep_message_read_envelope */
};

/*
 * From BER or DER. Attributes may be missing (RFC 8894 3.2.1 demands them, devices forget them):
 * that is for the caller to refuse by name. Fails only where the structure itself is broken.
 */
RESULT scep_message_parse(struct span bytes, struct scep_message *out, struct err *err);
/* The pkcsPKIEnvelope, apart so that a broken one can be answered. ERR_BAD_REQUEST: there is none.
 */
RESULT scep_message_read_envelope(struct scep_message *m, struct err *err);
void scep_message_clear(struct scep_message *m);

struct scep_message_new {
	int message_type;
	struct span transaction_id;
	uint8_t transaction_tag;     /* string type of transactionID; 0: what its octets allow */
	int pki_status;              /* -1: none (requests) */
	int fail_info;               /* -1: none */
	const char *fail_info_text;  /* NULL: none; cut at SCEP_FAIL_TEXT_MAX */
	struct span sender_nonce;    /* empty: none */
	struct span recipient_nonce; /* empty: none */
	struct span envelope;        /* EnvelopedData ContentInfo; empty: none */
	enum digest_alg digest;
	struct span signer_cert; /* DER; included first */
	const struct span *more_certs;
	size_t n_more_certs;
};
/* Signs and appends the whole pkiMessage. */
RESULT scep_message_build(const struct scep_message_new *m, struct key *signer, struct crypto *c,
			  struct buf *out, struct err *err);

#endif
