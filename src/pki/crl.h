/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate revocation lists (RFC 5280 section 5). A parsed one is a view: its spans point into
 * the DER that it was read from, which may be a file mapped into memory.
 *
 * A list may have millions of entries, so it is made without ever being held: the caller writes
 * entries where it likes (crl_put_entry) and counts their octets; crl_put_frame gives what stands
 * before and behind them in the TBSCertList, crl_put_shell what stands around that when it is
 * signed. Pure.
 */
#ifndef PKI_CRL_H
#define PKI_CRL_H

#include "pki/ext.h"
#include "pki/key.h"

/* CRLReason (RFC 5280 5.3.1) */
enum crl_reason {
	CRL_UNSPECIFIED = 0,
	CRL_KEY_COMPROMISE = 1,
	CRL_CA_COMPROMISE = 2,
	CRL_AFFILIATION_CHANGED = 3,
	CRL_SUPERSEDED = 4,
	CRL_CESSATION_OF_OPERATION = 5,
	CRL_CERTIFICATE_HOLD = 6,
	CRL_REMOVE_FROM_CRL = 8, /* delta lists: no longer on hold, or expired */
	CRL_PRIVILEGE_WITHDRAWN = 9,
	CRL_AA_COMPROMISE = 10,
};

/* "keyCompromise"; NULL for a number that is no reason. */
const char *crl_reason_name(unsigned reason);
/* Without case. ERR_USAGE listing the reasons. */
RESULT crl_reason_parse(const char *name, enum crl_reason *out, struct err *err);

struct crl_entry {
	struct span serial; /* INTEGER content octets */
	int64_t revoked;
	enum crl_reason reason;
	int64_t invalid_since; /* invalidityDate; 0: none */
};

struct crl {
	struct span der;
	struct span tbs;    /* with tag */
	struct span sig_id; /* TBSCertList.signature, whole */
	struct sig_alg sig_alg;
	struct span issuer; /* Name with tag */
	int64_t this_update;
	int64_t next_update; /* 0: none */
	struct span entries; /* content of revokedCertificates */
	struct span exts;    /* content of SEQUENCE OF Extension; empty: none */
	struct span signature;
};

/* The frame; entries are read with crl_next. Unknown signature algorithm: sig_alg.kind KEY_NONE. */
RESULT crl_parse(struct span der, struct crl *out, struct err *err);
/* *more false at the end. Initialise entries with crl->entries. */
RESULT crl_next(struct der_reader *entries, struct crl_entry *out, bool *more, struct err *err);
/* Each entry is well-formed; *n: how many. */
RESULT crl_count(const struct crl *crl, size_t *n, struct err *err);
/* ERR_NOT_FOUND: not on the list. A pass over all entries. */
RESULT crl_find(const struct crl *crl, struct span serial, struct crl_entry *out, struct err *err);
/* ERR_BAD_CHECK: not signed with the key spki. */
RESULT crl_verify_signature(const struct crl *crl, struct crypto *c, struct span spki,
			    struct err *err);

/* What the extensions say that a list is about. */
struct crl_scope {
	bool has_number;
	uint64_t number; /* cRLNumber */
	bool is_delta;
	uint64_t base;     /* deltaCRLIndicator: BaseCRLNumber */
	struct span aki;   /* keyIdentifier */
	struct span point; /* URL of issuingDistributionPoint; empty: all certificates */
	bool only_user;
	bool only_ca;
	bool only_attribute;
	bool indirect;
};
/* ERR_BAD_REQUEST: a critical extension that is unknown. ERR_LIMIT: a number above 64 bits. */
RESULT crl_read_scope(const struct crl *crl, struct crl_scope *out, struct err *err);

/* What a list is made of. All borrowed. */
struct crl_template {
	struct sig_alg sig_alg;
	struct span issuer; /* Name DER */
	struct span aki;    /* key identifier of the issuer */
	int64_t this_update;
	int64_t next_update;
	uint64_t number;
	bool is_delta;
	uint64_t base;
	const char *point; /* its own URL, where it holds only those that name it; NULL: complete */
	const char *delta; /* where its delta list is; NULL: there is none */
};

void crl_put_entry(struct buf *out, const struct crl_entry *entry);
/* TBSCertList is head, then entries_len octets of entries, then tail. */
RESULT crl_put_frame(const struct crl_template *t, size_t entries_len, struct buf *head,
		     struct buf *tail, struct err *err);
/* CertificateList is before, then tbs_len octets of TBSCertList, then behind. */
RESULT crl_put_shell(size_t tbs_len, struct sig_alg alg, struct span signature, struct buf *before,
		     struct buf *behind, struct err *err);
/* The whole of a list that is short enough to be held, signed (KEY_FOR_CRL). */
RESULT crl_issue(const struct crl_template *t, struct span entries, struct key *issuer,
		 struct crypto *c, struct buf *out, struct err *err);

#endif
