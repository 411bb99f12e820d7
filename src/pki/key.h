/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private key, wherever it is: the seam between those who need a signature and where the key
 * lives. Back ends: key_evp.h (in this process: client, keeper, tests) and keeper/client.h (behind
 * the keeper). What is to be signed is given whole, with its purpose: a back end may refuse what
 * the key is not for, and none ever signs a raw digest.
 */
#ifndef PKI_KEY_H
#define PKI_KEY_H

#include "pki/crypto.h"
#include "pki/pubkey.h"

enum key_purpose {
	KEY_FOR_CERTIFICATE, /* message is a TBSCertificate */
	KEY_FOR_CRL,         /* a TBSCertList */
	KEY_FOR_CONTENT,     /* DER SET OF signed attributes of a CMS SignerInfo */
	KEY_FOR_CSR,         /* a CertificationRequestInfo */
	KEY_FOR_OCSP,        /* a ResponseData */
	KEY_FOR_TLS,         /* what a TLS server signs in its handshake */
	KEY_FOR_AUDIT,       /* a seal on the chain of events (keeper/audit_seal.h) */
	/* a certificates-only SignedData that tells of a CA's next generation. What is signed are
	   the attributes that go with it as content (cms_put_signed_attrs): the keeper reads the
	   one and makes the other. Its keys alone do this */
	KEY_FOR_NEXT_CA,
};

struct key;

/* A message that is too long to be held, as it comes. */
struct key_pieces {
	uint64_t total; /* octets in all */
	/* The next octets, valid until the next call; only the last piece, at the end, is empty. */
	RESULT (*next)(struct key_pieces *p, struct span *piece, struct err *err);
};

/* For back ends: all of it put together, KEY_HELD_MAX octets at most; and its digest. */
#define KEY_HELD_MAX (16u << 20)
RESULT key_pieces_hold(struct key_pieces *pieces, struct buf *out, struct err *err);
RESULT key_pieces_digest(struct key_pieces *pieces, struct crypto *c, enum digest_alg alg,
			 uint8_t out[DIGEST_MAX], struct err *err);

struct key_ops {
	RESULT(*sign)
	(struct key *k, struct crypto *c, enum key_purpose purpose, struct sig_alg alg,
	 struct span message, struct buf *out, struct err *err);
	RESULT(*decrypt)
	(struct key *k, struct crypto *c, const struct transport_alg *alg, struct span cipher,
	 struct secret *out, struct err *err);
	void (*free)(struct key *k); /* the back end's own and the struct; spki is gone already */
	/* NULL: only messages that are held */
	RESULT(*sign_pieces)
	(struct key *k, struct crypto *c, enum key_purpose purpose, struct sig_alg alg,
	 struct key_pieces *pieces, struct buf *out, struct err *err);
};

/* A back end embeds this as its first member. */
struct key {
	const struct key_ops *ops;
	struct buf spki; /* owned: SubjectPublicKeyInfo */
	enum key_kind kind;
	unsigned bits;
};

/*
 * Signature over message (ECDSA in DER form), appended to out. alg.kind must be the key's.
 * c is the calling thread's. Keys of the keeper are thread-safe; others belong to one thread.
 */
RESULT key_sign(struct key *k, struct crypto *c, enum key_purpose purpose, struct sig_alg alg,
		struct span message, struct buf *out, struct err *err);
/*
 * The same over a message in pieces: it is digested as it comes, so that its length costs no
 * memory. A pure kind of key takes its message whole: KEY_HELD_MAX octets at most.
 */
RESULT key_sign_pieces(struct key *k, struct crypto *c, enum key_purpose purpose,
		       struct sig_alg alg, struct key_pieces *pieces, struct buf *out,
		       struct err *err);
/*
 * RSA key transport. PKCS#1 v1.5 padding errors give 32 random bytes rather than an error (RFC
 * 3218), so out may hold nonsense, and of another length than the content cipher wants: the caller
 * puts a random key of the right length in its place and goes on, so that the content decryption
 * then fails like any other. The time taken does not tell the padding either.
 */
RESULT key_decrypt(struct key *k, struct crypto *c, const struct transport_alg *alg,
		   struct span cipher, struct secret *out, struct err *err);

static inline struct span key_spki(const struct key *k)
{
	return buf_span(&k->spki);
}

void key_free(struct key *k);
DEFINE_CLEANUP(struct key, key_free)

#endif
