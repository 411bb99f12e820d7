/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate requests in the format of RFC 4211 (CRMF), as CMC and CMP carry them. Pure. */
#ifndef PKI_CRMF_H
#define PKI_CRMF_H

#include "pki/csr.h"

enum crmf_pop {
	CRMF_POP_NONE,
	CRMF_POP_RA_VERIFIED, /* a registration authority's word */
	CRMF_POP_SIGNATURE,   /* over certReq, by the key asked for */
	CRMF_POP_INPUT,       /* over poposkInput instead, which nothing here wants */
	CRMF_POP_OTHER,       /* of a key that cannot sign */
};

/* A view of the DER. */
struct crmf {                 /* CertReqMsg */
	struct span cert_req; /* whole */
	/* of certTemplate; all other fields are the CA's to choose */
	struct span subject;    /* Name, whole; empty: none */
	struct span public_key; /* content of SubjectPublicKeyInfo, whose tag is [6]; empty: none */
	struct span exts;       /* content of SEQUENCE OF Extension; empty: none */
	bool has_controls;
	bool has_reg_info;
	enum crmf_pop pop;
	struct span sig_id; /* of CRMF_POP_SIGNATURE */
	struct span signature;
};

/* content: of the CertReqMsg, whose tag may be another than SEQUENCE. */
RESULT crmf_parse(struct span content, struct crmf *out, struct err *err);

/*
 * The same as the PKCS#10 request that it might have been: csr_verify then checks its proof of
 * possession. spki, appended to, holds what the view points into. ERR_BAD_REQUEST: it has no
 * subject or no key; ERR_BAD_POP: its proof is not a signature over certReq.
 */
RESULT crmf_to_csr(const struct crmf *m, struct buf *spki, struct csr *out, struct err *err);

#endif
