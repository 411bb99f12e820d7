/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internal to src/est: a Full PKI Request under way (RFC 7030 4.3, RFC 5272), and the stages that
 * it goes through beside those of every EST request.
 */
#ifndef EST_FULL_CMC_H
#define EST_FULL_CMC_H

#include "cmc/pki_data.h"
#include "cmc/pki_response.h"
#include "est/exchange.h"

#define FULL_CMC_NONCE_MAX 1024

struct full_cmc {
	struct est_exchange *x;
	struct buf der;       /* owned: the message, in DER */
	struct buf spki;      /* owned: the key of a CRMF request, which has it in pieces */
	struct cms_signed sd; /* views of it, as all that follows */
	struct cmc_pki_data data;
	/* to be echoed; empty: not sent */
	struct span transaction_id;
	struct span sender_nonce;
	struct span data_return;
	/* what the reply is about; none: the message as a whole */
	uint32_t bodies[CMC_BODIES_MAX];
	size_t n_bodies;
	/* the key that the message may be signed with for want of a certificate: the one that is
	   to be certified; empty: none */
	struct span own_key;
	struct span own_ski;     /* as the request asks for it; empty: it does not */
	struct cms_sid sid;      /* who is named as the signer */
	bool signed_by_own;      /* the signature is that key's... */
	bool has_signer;         /* ...or a certificate's, where... */
	bool signer_is_ours;     /* ...this CA is named as its issuer... */
	struct cert signer;      /* ...that came with the message, or... */
	struct store_cert known; /* ...owned: that it names */
	/* of a refusal: what the protocol says, if it is not what the result leads to */
	int fail_info;
	int status;
};

/* ---- stages; each says in *err why the request is refused ---- */

/* Controls to be echoed; and that there is none which the server does not understand. */
RESULT full_cmc_check_controls(struct full_cmc *m, struct err *err);
/* The signature, by whom it may be: m->own_key, or a certificate. */
RESULT full_cmc_check_signature(struct full_cmc *m, struct err *err);
/* What proofs of identity and links the request has, which the secret must be shown for. */
RESULT full_cmc_check_proofs(struct full_cmc *m, struct err *err);
/* The signer's certificate is of this CA and holds now. */
RESULT full_cmc_check_standing(struct full_cmc *m, struct err *err);
bool full_cmc_is_registrar(const struct full_cmc *m);

/* ---- what is asked; OK: the reply is made ---- */

typedef enum result full_cmc_action_fn(struct full_cmc *m, const struct cmc_control *asked,
				       struct http_reply *reply, struct err *err);
full_cmc_action_fn full_cmc_enrol;
full_cmc_action_fn full_cmc_query_pending;
full_cmc_action_fn full_cmc_get_cert;
full_cmc_action_fn full_cmc_get_crl;
full_cmc_action_fn full_cmc_revoke;

/* What has become of a request: 200, 202 with a token to ask with, or a refusal. */
void full_cmc_reply_outcome(struct full_cmc *m, const struct enrol_outcome *outcome,
			    struct http_reply *reply);
/* 200 with a certificate, or a revocation list: a Simple PKI Response where that says all. */
void full_cmc_reply_cert(struct full_cmc *m, struct span cert, struct http_reply *reply);
void full_cmc_reply_crl(struct full_cmc *m, struct span crl, struct http_reply *reply);
/* 200: it is done. */
void full_cmc_reply_done(struct full_cmc *m, const char *text, struct http_reply *reply);
/* With its event; 503 where it is our fault. */
void full_cmc_refuse(struct full_cmc *m, const struct err *why, struct http_reply *reply);

/* pendToken: what was asked for, and for which key, as a DER of ours; and back. */
void full_cmc_put_token(const struct est_exchange *x, struct buf *out);
RESULT full_cmc_read_token(struct span token, struct est_exchange *x, struct err *err);

#endif
