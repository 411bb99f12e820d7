/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/scep: one request under way, and the stages that it goes through. Each stage
 * finds out something for the next; everything lives until the reply is made.
 */
#ifndef SCEP_EXCHANGE_H
#define SCEP_EXCHANGE_H

#include "pki/csr.h"
#include "scep/message.h"
#include "scep/query.h"
#include "scep/service.h"

struct scep_exchange {
	const struct scep_service *service;
	const struct scep_endpoint *endpoint;
	/* Who decides, and who answers: the generation of the CA that is in charge, until the
	   envelope says which one is asked. */
	const struct authority_ca *ca;
	const struct authority_ca *speaker;
	const struct http_request *http;
	struct crypto *c; /* of the worker */
	struct log log;   /* carries endpoint, peer and, once known, transactionID */
	struct enrol_trace trace;

	struct scep_message request;
	struct cert signer;        /* view: who signed the request */
	struct pubkey *signer_key; /* owned; serves the signature, the CSR and the reply alike */
	struct transport_alg transport; /* by which the request was encrypted */
	struct buf plain;               /* messageData, owned, wiped */
	struct csr csr;                 /* view of plain */
	struct secret challenge;        /* empty: none was shown */
	struct crl_file *crl;           /* owned: answered in the place of a certificate */
	/* A CertRep that was made while its certificate was committed, or why there is none. */
	struct {
		struct buf leaf;  /* owned; empty: none was tried */
		struct buf reply; /* owned */
		enum result result;
		struct err err;
	} early;
};

/* Operations of the URL. Each fills reply, whatever happens. */
typedef void scep_operation_fn(struct scep_exchange *x, const struct scep_query *query,
			       struct http_reply *reply);
scep_operation_fn scep_get_ca_caps;
scep_operation_fn scep_get_ca_cert;
scep_operation_fn scep_get_next_ca_cert;
scep_operation_fn scep_pki_operation;

/*
 * Message types of a PKIOperation. OK: *out holds a durable decision. Another result is the
 * device's fault (answered by CertRep FAILURE) or ours (answered by 503): scep_is_our_fault().
 */
typedef enum result scep_message_fn(struct scep_exchange *x, struct enrol_outcome *out,
				    struct err *err);
scep_message_fn scep_pkcs_req;
scep_message_fn scep_cert_poll;
scep_message_fn scep_get_cert;
scep_message_fn scep_get_crl;

extern const struct enrol_words scep_words;

/*
 * Decrypts messageData into x->plain: recipients by name, then with every key that there is. For
 * which generation of the CA it was encrypted decides who issues and answers (RFC 8894 5.1, figure
 * 9).
 */
RESULT scep_open_envelope(struct scep_exchange *x, struct err *err);
/*
 * One refusal for every way to fail: who sends altered copies of another device's message must not
 * learn whether the key, the padding or the content was wrong. The trace has the detail.
 */
RESULT scep_does_not_open(struct scep_exchange *x, const char *step, const struct err *detail,
			  struct err *err);

/*
 * The endpoint's floor. ERR_BAD_ALG naming the algorithm and where it stood. An unknown one (NONE)
 * passes: whoever is to use it names it.
 */
RESULT scep_floor_digest(const struct scep_exchange *x, enum digest_alg alg, const char *where,
			 struct err *err);
RESULT scep_floor_cipher(const struct scep_exchange *x, enum cipher_alg alg, const char *where,
			 struct err *err);

/* For requests without a challengePassword: can the device decrypt what it asks for? */
RESULT scep_certrep_possible(const struct scep_exchange *x, struct err *err);
/* Makes the reply for a certificate ahead of the decision, for scep_certrep_success(). ctx: x. */
void scep_certrep_early(void *ctx, struct span leaf);
/* The signed reply. leaf: the certificate issued; not looked at where there is x->crl. */
RESULT scep_certrep_success(struct scep_exchange *x, struct span leaf, struct http_reply *reply,
			    struct err *err);
RESULT scep_certrep_pending(struct scep_exchange *x, struct http_reply *reply, struct err *err);
RESULT scep_certrep_failure(struct scep_exchange *x, enum result why, const char *text,
			    struct http_reply *reply, struct err *err);

/* The event of a message that was read but never reached a decision. */
RESULT scep_refusal_record(struct scep_exchange *x, enum result why, const char *reason,
			   struct err *err);
/*
 * What cannot be answered by a CertRep: its event, and that HTTP status with the text of why. 503
 * where there can be no event.
 */
void scep_refusal_by_http(struct scep_exchange *x, int status, const struct err *why,
			  struct http_reply *reply);

/* Is it we who could not (keeper away, disk full, no memory), rather than the device? */
static inline bool scep_is_our_fault(enum result r)
{
	return err_map(r)->http_status >= 500;
}

/* 503 with Retry-After; what happened goes to the log only. */
void scep_reply_later(const struct scep_exchange *x, const struct err *why,
		      struct http_reply *reply);

#endif
