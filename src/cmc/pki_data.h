/* SPDX-License-Identifier: Apache-2.0 */
/* PKIData (RFC 5272 3.2.1): what stands in the SignedData of a Full PKI Request. Pure. */
#ifndef CMC_PKI_DATA_H
#define CMC_PKI_DATA_H

#include "cmc/control.h"
#include "cmc/shared_secret.h"

#define CMC_REQUESTS_MAX 16
#define CMC_MESSAGES_MAX 16

enum cmc_request_kind { CMC_PKCS10, CMC_CRMF, CMC_OTHER };

struct cmc_request { /* TaggedRequest */
	enum cmc_request_kind kind;
	uint32_t id; /* bodyPartID, or certReqId of CRMF */
	/* CertificationRequest, whole; content of CertReqMsg; content of the other request */
	struct span body;
};

/* A view of the DER. */
struct cmc_pki_data {
	struct cmc_controls controls;
	struct span req_sequence; /* whole, which identity proofs are made over */
	struct cmc_request requests[CMC_REQUESTS_MAX];
	size_t n_requests;
	size_t n_messages; /* in cmsSequence and otherMsgSequence, which nothing refers to */
};

/* der: eContent. Body part identifiers that are not unique: ERR_BAD_REQUEST. */
RESULT cmc_pki_data_parse(struct span der, struct cmc_pki_data *out, struct err *err);

/* What a device asks for: a certificate, or what has become of a request for one (6.13). */
struct cmc_ask {
	struct span csr;            /* CertificationRequest, whole; empty: none, but... */
	struct span pend_token;     /* ...the token that it was answered with */
	struct span transaction_id; /* INTEGER content octets; these may be empty */
	struct span sender_nonce;
	/* Who asks is proven with it: identityProofV2, and identification if it has one (6.2);
	   NULL: that is known otherwise. */
	const struct cmc_shared_secret *secret;
};
/* Appended. The request is body part 1. */
RESULT cmc_pki_data_put(struct buf *out, const struct cmc_ask *ask, struct crypto *c,
			struct err *err);

#endif
