/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 v3 extensions: reading a list of them, and the content of those that Scepter uses. Pure. */
#ifndef PKI_EXT_H
#define PKI_EXT_H

#include "base/buf.h"
#include "der/reader.h"

struct ext {
	struct span oid;
	bool critical;
	struct span value; /* content of extnValue */
};

#define EXT_MAX 64

/* content: of the SEQUENCE OF Extension. false at the end. Duplicates: ext_check says ERR_SYNTAX.
 */
RESULT ext_check(struct span list, struct err *err);
bool ext_next(struct der_reader *list, struct ext *out);
/* ERR_NOT_FOUND if the list has none of that type. */
RESULT ext_find(struct span list, struct span oid, struct ext *out, struct err *err);

/* Bits of keyUsage (RFC 5280 4.2.1.3), as der_read_named_bits numbers them. */
enum {
	KU_DIGITAL_SIGNATURE = 1 << 0,
	KU_NON_REPUDIATION = 1 << 1,
	KU_KEY_ENCIPHERMENT = 1 << 2,
	KU_DATA_ENCIPHERMENT = 1 << 3,
	KU_KEY_AGREEMENT = 1 << 4,
	KU_KEY_CERT_SIGN = 1 << 5,
	KU_CRL_SIGN = 1 << 6,
	KU_ENCIPHER_ONLY = 1 << 7,
	KU_DECIPHER_ONLY = 1 << 8,
};
/* "digitalSignature" -> bit; 0 if unknown. */
uint32_t key_usage_parse(const char *name);
/* "serverAuth" or dotted OID -> OID octets appended. */
RESULT eku_parse(const char *name, struct buf *out, struct err *err);

/* Among the extensions exts: is purpose (OID octets) an extended key usage? */
bool ext_has_eku(struct span exts, struct span purpose);
/* The first http URL of an OCSP responder in authorityInfoAccess; empty: there is none. */
struct span ext_ocsp_url(struct span exts);

RESULT ext_read_key_usage(struct span value, uint32_t *out, struct err *err);
RESULT ext_read_basic_constraints(struct span value, bool *ca, int *path_len /* -1: none */,
				  struct err *err);

/* Each appends one whole Extension. */
void ext_put(struct buf *out, struct span oid, bool critical, struct span value);
void ext_put_key_usage(struct buf *out, uint32_t bits);
void ext_put_basic_constraints(struct buf *out, bool ca, int path_len);
/* oids: n spans of OID octets. */
void ext_put_eku(struct buf *out, const struct span *oids, size_t n, bool critical);
void ext_put_ski(struct buf *out, struct span key_id);
void ext_put_aki(struct buf *out, struct span key_id);
/* general_names: content of GeneralNames (see san.h). */
void ext_put_san(struct buf *out, struct span general_names, bool critical);
void ext_put_crl_distribution_points(struct buf *out, const char *const *urls, size_t n);
void ext_put_authority_info_access(struct buf *out, const char *const *ocsp, size_t n_ocsp,
				   const char *const *ca_issuers, size_t n_issuers);

#endif
