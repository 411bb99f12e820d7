/* SPDX-License-Identifier: Apache-2.0 */
/* PKIData (RFC 5272 3.2.1): what stands in the SignedData of a Full PKI Request. Pure. */
#ifndef CMC_PKI_DATA_H
#define CMC_PKI_DATA_H

#include "cmc/control.h"

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

#endif
