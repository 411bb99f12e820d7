/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An enrolment as the device sees it (RFC 8894 3.3.1, 3.3.2, 3.3.3): the PKCSReq, RenewalReq or
 * CertPoll that it sends, and the CertRep that comes back. Messages only; scep/client.h carries
 * them.
 */
#ifndef SCEP_ENROLMENT_H
#define SCEP_ENROLMENT_H

#include "scep/ca_certs.h"
#include "scep/message.h"

/* SHA-256 of the SubjectPublicKeyInfo in hexadecimal digits: the same key asks for the same thing,
 * so that a run after a crash goes on with the same transaction. A renewal's is over the
 * certificate that is renewed, too. */
#define SCEP_ENROLMENT_ID 64

struct scep_enrolment_config { /* all borrowed until scep_enrolment_init returns, but key */
	struct key *key;
	struct span subject;      /* Name DER */
	struct span exts;         /* whole Extensions one behind the other; may be empty */
	struct span challenge;    /* UTF-8; empty: none */
	struct key *current_key;  /* a renewal: the key of... */
	struct span current_cert; /* ...the certificate that is renewed; DER */
	uint32_t caps;            /* of the server, see scep/caps.h */
	bool allow_legacy;        /* SHA-1 and 3DES, where the server offers nothing better */
	int64_t now;
};

struct scep_enrolment {
	struct key *key;    /* borrowed */
	struct key *signer; /* borrowed: signs the requests, decrypts the replies */
	int request_type;
	int asked;         /* type of the message made last */
	struct buf serial; /* owned: of the certificate that was asked for */
	char transaction_id[SCEP_ENROLMENT_ID + 1];
	uint8_t nonce[SCEP_NONCE]; /* of the request made last */
	enum digest_alg digest;
	enum cipher_alg cipher;
	struct buf csr;          /* owned; wiped: it has the challenge in it */
	struct buf subject;      /* owned */
	struct buf signer_cert;  /* owned: self-signed, or what is renewed */
	struct secret challenge; /* owned */
};

/*
 * Makes the CSR and the self-signed certificate. ERR_BAD_ALG: the server offers legacy only. A
 * renewal is a RenewalReq where caps offer it, else a PKCSReq signed by the current certificate.
 */
RESULT scep_enrolment_init(struct scep_enrolment *e, const struct scep_enrolment_config *config,
			   struct crypto *c, struct err *err);
void scep_enrolment_clear(struct scep_enrolment *e);

/* The request with a fresh nonce, appended. ca: trusted (scep_ca_certs_trust). */
RESULT scep_enrolment_request(struct scep_enrolment *e, const struct scep_ca_certs *ca,
			      struct crypto *c, struct buf *out, struct err *err);

/* Can CertPoll be answered, which has no challenge? If not, repeat the request. */
bool scep_enrolment_can_poll(const struct scep_enrolment *e);
/* A CertPoll for it, with a fresh nonce. */
RESULT scep_enrolment_poll(struct scep_enrolment *e, const struct scep_ca_certs *ca,
			   struct crypto *c, struct buf *out, struct err *err);

/*
 * GetCert or GetCRL, a transaction of its own: for a certificate of the CA with this serial number
 * (INTEGER content octets), or for the list that it would be on. The reply has it as its cert.
 */
RESULT scep_enrolment_lookup(struct scep_enrolment *e, const struct scep_ca_certs *ca, int type,
			     struct span serial, struct crypto *c, struct buf *out,
			     struct err *err);

struct scep_enrolment_reply {
	enum scep_pki_status status;
	struct buf cert;         /* SCEP_SUCCESS: owned, what was asked for, signed by the CA */
	int fail_info;           /* SCEP_FAILURE */
	char text[ERR_TEXT_MAX]; /* SCEP_FAILURE: what the server says, printable; may be empty */
};
void scep_enrolment_reply_clear(struct scep_enrolment_reply *r);

/*
 * OK: a reply of this CA to our last request, whatever it says. Signature, transactionID and nonce
 * are checked; a certificate in it is for our key and by a trusted CA.
 */
RESULT scep_enrolment_read(const struct scep_enrolment *e, const struct scep_ca_certs *ca,
			   struct crypto *c, struct span message, struct scep_enrolment_reply *out,
			   struct err *err);

#endif
