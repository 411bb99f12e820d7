/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libscepter: a certificate for a device, by SCEP (RFC 8894) or EST (RFC 7030).
 *
 *	scepter_new, scepter_set_url
 *	scepter_get_ca, then scepter_trust_fingerprint
 *	scepter_open_key, scepter_set_subject, scepter_add_san, scepter_set_challenge
 *	scepter_enrol, scepter_save_ca, scepter_save_certificate
 *
 * Everything that can fail returns enum scepter_result and, where err is not NULL, says in *err
 * what was wrong. The key decides the transaction: calling scepter_enrol again with the same key,
 * also after a crash, gets the same certificate. An object belongs to one thread at a time;
 * different objects are independent. Strings are UTF-8 and copied.
 *
 * To renew: scepter_recover, scepter_get_ca, trust, scepter_set_current, scepter_open_key for the
 * key of the next certificate, scepter_enrol, scepter_replace. Where the CA itself ends before
 *long, scepter_use_next_ca before scepter_enrol and scepter_keep_next after it; scepter_take_next
 *when the time has come.
 *
 * docs/examples/enrol.c is the whole of it in 40 lines. Link with -lscepter.
 */
#ifndef SCEPTER_SCEPTER_H
#define SCEPTER_SCEPTER_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SCEPTER_API __attribute__((visibility("default")))
#else
#define SCEPTER_API
#endif

/* The numbers are part of the interface and do not change. */
enum scepter_result {
	SCEPTER_OK = 0,
	SCEPTER_ERR_MEMORY = 1,
	SCEPTER_ERR_INTERNAL = 2,  /* a defect, or the crypto library failed */
	SCEPTER_ERR_IO = 3,        /* a file, the network, or TLS with the server */
	SCEPTER_ERR_AGAIN = 4,     /* not now: try again, see scepter_retry_after */
	SCEPTER_ERR_USAGE = 5,     /* an argument, or the order of calls */
	SCEPTER_ERR_PROTOCOL = 6,  /* the server's answer cannot be understood */
	SCEPTER_ERR_TRUST = 7,     /* fingerprint or signature are not those of the CA */
	SCEPTER_ERR_ALGORITHM = 8, /* only algorithms that are unknown or too weak */
	SCEPTER_ERR_REFUSED = 9,   /* the CA said no */
};

#define SCEPTER_TEXT_MAX 512

struct scepter_error {
	enum scepter_result code;
	char text[SCEPTER_TEXT_MAX]; /* one line, never a secret in it */
};

/* "0.1.0" */
SCEPTER_API const char *scepter_version(void);
/* "refused" */
SCEPTER_API const char *scepter_result_name(enum scepter_result result);

struct scepter;

/* url: of the endpoint, http or https; for EST https, and a server's alone will do. */
SCEPTER_API enum scepter_result scepter_new(struct scepter **out, const char *url,
					    struct scepter_error *err);
/* NULL is fine. Wipes the challenge and the key from memory. */
SCEPTER_API void scepter_free(struct scepter *s);

/* "scep" (default) or "est": right after scepter_new. */
SCEPTER_API enum scepter_result scepter_set_protocol(struct scepter *s, const char *name,
						     struct scepter_error *err);
/*
 * EST: the account whose password scepter_set_challenge sets. Without one the password is a
 * challenge. What tells EST's CA is either a file of anchors for TLS and scepter_trust_first_use,
 * or, without such a file, scepter_trust_fingerprint.
 */
SCEPTER_API enum scepter_result scepter_set_user(struct scepter *s, const char *name,
						 struct scepter_error *err);
/*
 * EST: from now on scepter_enrol sends Full PKI Requests (RFC 5272), and believes an answer only
 * where the CA, or the holder of a certificate of it, has signed it, or it is certificates alone.
 */
SCEPTER_API enum scepter_result scepter_use_full_cmc(struct scepter *s, struct scepter_error *err);
/* Before scepter_get_ca, if at all. */
SCEPTER_API enum scepter_result scepter_set_ca_identifier(struct scepter *s, const char *text,
							  struct scepter_error *err);
/* PEM file of trust anchors for https instead of the system's. */
SCEPTER_API enum scepter_result scepter_set_tls_ca_file(struct scepter *s, const char *path,
							struct scepter_error *err);
/*
 * Certificate (PEM, its chain behind it) and key to show over https of a server that is verified:
 * one of the device's maker, say, that lets it enrol. A renewal by EST shows what it renews.
 */
SCEPTER_API enum scepter_result scepter_set_tls_identity(struct scepter *s, const char *cert_path,
							 const char *key_path,
							 struct scepter_error *err);
/* For one answer of the server; default 60. */
SCEPTER_API void scepter_set_timeout(struct scepter *s, unsigned seconds);
/* Take SHA-1 and 3DES from a server that offers nothing better. Default: refuse. */
SCEPTER_API void scepter_allow_legacy(struct scepter *s, bool allow);

/* Asks for the CA's capabilities and certificates. Nothing of it is trusted yet. */
SCEPTER_API enum scepter_result scepter_get_ca(struct scepter *s, struct scepter_error *err);
/* sha256: hexadecimal digits, of the issuing CA's certificate or of the root above it. */
SCEPTER_API enum scepter_result scepter_trust_fingerprint(struct scepter *s, const char *sha256,
							  struct scepter_error *err);
/* Insecure: whoever answers is the CA. Only for networks where nobody else can answer. */
SCEPTER_API enum scepter_result scepter_trust_first_use(struct scepter *s,
							struct scepter_error *err);

/*
 * The private key of that PEM file. If there is no file a key is made and written with mode 0600:
 * "rsa2048" "rsa3072" "rsa4096" "p256" "p384" "p521" "ed25519". Keys other than RSA need a
 * challenge, under which the CA encrypts its answer.
 */
SCEPTER_API enum scepter_result scepter_open_key(struct scepter *s, const char *path,
						 const char *type, struct scepter_error *err);
/*
 * EST, in the place of scepter_open_key: the server makes the key, of that type, and scepter_enrol
 * writes it to that file with mode 0600. The file must not be there yet.
 */
SCEPTER_API enum scepter_result scepter_want_server_key(struct scepter *s, const char *path,
							const char *type,
							struct scepter_error *err);
/*
 * The same, but the key comes encrypted to the RSA or EC key in that PEM file, which may be the one
 * of the certificate that is in use, and is of that kind.
 */
SCEPTER_API enum scepter_result scepter_want_encrypted_key(struct scepter *s, const char *path,
							   const char *decrypt_path,
							   struct scepter_error *err);
/* "CN=router7,O=Example" */
SCEPTER_API enum scepter_result scepter_set_subject(struct scepter *s, const char *dn,
						    struct scepter_error *err);
/* "DNS:router7.example", "IP:192.0.2.1", "URI:...", "email:...": each call adds one. */
SCEPTER_API enum scepter_result scepter_add_san(struct scepter *s, const char *san,
						struct scepter_error *err);
SCEPTER_API enum scepter_result scepter_set_challenge(struct scepter *s, const char *challenge,
						      struct scepter_error *err);

/*
 * SCEPTER_ERR_AGAIN: the CA is busy or wants to approve by hand; call again later.
 * SCEPTER_ERR_REFUSED: err->text has the CA's reason.
 */
SCEPTER_API enum scepter_result scepter_enrol(struct scepter *s, struct scepter_error *err);
/* Only asks what has become of a request sent earlier, perhaps by another process. */
SCEPTER_API enum scepter_result scepter_poll(struct scepter *s, struct scepter_error *err);
/* Seconds that the server asked to wait; -1: it did not say. */
SCEPTER_API long scepter_retry_after(const struct scepter *s);

/* DER, valid until the next call for s; NULL before a certificate was issued. */
SCEPTER_API const unsigned char *scepter_certificate(const struct scepter *s, size_t *len);
/* PEM, written so that a power cut leaves the old or the new file. */
SCEPTER_API enum scepter_result scepter_save_certificate(const struct scepter *s, const char *path,
							 struct scepter_error *err);
SCEPTER_API enum scepter_result scepter_save_ca(const struct scepter *s, const char *path,
						struct scepter_error *err);

/*
 * From now on scepter_enrol renews the certificate of that file, whose key is in the other: without
 * a challenge, and for the same names unless others were set before. What comes back is checked
 * against it before scepter_enrol succeeds.
 */
SCEPTER_API enum scepter_result scepter_set_current(struct scepter *s, const char *key_path,
						    const char *cert_path,
						    struct scepter_error *err);
/*
 * Puts the new certificate, and the key of the file new_key (NULL: the key stays), in the place of
 * the old ones. scepter_recover mends what a power cut left half done, if there is anything: call
 * it before the files are used next.
 */
SCEPTER_API enum scepter_result scepter_replace(const struct scepter *s, const char *new_key,
						const char *key_path, const char *cert_path,
						struct scepter_error *err);
SCEPTER_API enum scepter_result scepter_recover(struct scepter *s, const char *new_key,
						const char *key_path, const char *cert_path,
						struct scepter_error *err);

/*
 * GetNextCACert: after scepter_trust_..., and from then on the CA is the one that takes over from
 * this one, which has signed who that is. What scepter_enrol gets then is valid from that time on:
 * keep it until then. SCEPTER_ERR_IO: there is no next CA yet.
 */
SCEPTER_API enum scepter_result scepter_use_next_ca(struct scepter *s, struct scepter_error *err);
/*
 * Keeps the certificate, the key of the file new_key (NULL: as now) and the CA's certificates (to
 * go to ca_path; NULL: not) beside the files in use, under their names with ".next".
 */
SCEPTER_API enum scepter_result scepter_keep_next(const struct scepter *s, const char *new_key,
						  const char *key_path, const char *cert_path,
						  const char *ca_path, struct scepter_error *err);
/*
 * Puts what is kept in the place of the files in use, if its time has come. *from: when it begins,
 * in seconds since 1970 UTC; 0: nothing is kept. After scepter_recover.
 */
SCEPTER_API enum scepter_result scepter_take_next(struct scepter *s, const char *key_path,
						  const char *cert_path, const char *ca_path,
						  long long *from, struct scepter_error *err);

#ifdef __cplusplus
}
#endif

#endif
