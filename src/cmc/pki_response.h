/* SPDX-License-Identifier: Apache-2.0 */
/* PKIResponse (RFC 5272 4.2.1): what stands in the SignedData of a Full PKI Response. Pure. */
#ifndef CMC_PKI_RESPONSE_H
#define CMC_PKI_RESPONSE_H

#include "cmc/control.h"

/* CMCStatus (6.1.3) */
enum cmc_status {
	CMC_SUCCESS = 0,
	CMC_FAILED = 2,
	CMC_PENDING = 3,
	CMC_NO_SUPPORT = 4,
	CMC_CONFIRM_REQUIRED = 5,
	CMC_POP_REQUIRED = 6,
	CMC_PARTIAL = 7,
};

/* CMCFailInfo (6.1.4), those that err_map() does not lead to */
enum cmc_fail_info {
	CMC_FAIL_NONE = -1,
	CMC_FAIL_BAD_IDENTITY = 7,
	CMC_FAIL_POP_REQUIRED = 8,
	CMC_FAIL_POP_FAILED = 9,
	CMC_FAIL_NO_KEY_REUSE = 10,
};

/* "success", "badRequest"; "unknown". */
const char *cmc_status_name(int status);
const char *cmc_fail_info_name(int fail_info);

#define CMC_BODIES_MAX CMC_CONTROLS_MAX

struct cmc_status_info { /* CMCStatusInfoV2 (6.1.1) */
	int status;
	uint32_t bodies[CMC_BODIES_MAX]; /* what it is about; 0: the message */
	size_t n_bodies;
	struct span text;       /* UTF-8; empty: none */
	int fail_info;          /* CMC_FAIL_NONE: none */
	struct span pend_token; /* empty: none */
	int64_t pend_time;      /* with it: when to ask again */
};

/* Spans that are empty stand for controls that are not there. */
struct cmc_pki_response {
	bool has_status;
	struct cmc_status_info status;
	struct span transaction_id; /* INTEGER content octets */
	struct span sender_nonce;
	struct span recipient_nonce;
	struct span data_return;
};

/* Appended. A text that is no UTF-8 is left out. */
void cmc_pki_response_put(struct buf *out, const struct cmc_pki_response *response);
/* Of status infos, of either version, the first. A view of the DER. */
RESULT cmc_pki_response_parse(struct span der, struct cmc_pki_response *out, struct err *err);

#endif
