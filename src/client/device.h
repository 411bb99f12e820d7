/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's dealings with one SCEP server, step by step: who is the CA, can it be trusted, which
 * key, what is asked for, get it. scepter.h is the stable face of this for the world outside.
 * One thread an object.
 */
#ifndef CLIENT_DEVICE_H
#define CLIENT_DEVICE_H

#include "scep/client.h"

struct device;

/* url: http or https. */
RESULT device_new(struct device **out, const char *url, struct err *err);
void device_free(struct device *d);
DEFINE_CLEANUP(struct device, device_free)

struct crypto *device_crypto(struct device *d);

/* "scep" (default) or "est": before anything else. */
RESULT device_set_protocol(struct device *d, const char *name, struct err *err);
/* EST: the name that goes with the password, which device_set_challenge sets. */
RESULT device_set_user(struct device *d, const char *name, struct err *err);
/*
 * EST: from now on device_enrol sends Full PKI Requests (fullcmc, RFC 5272), and takes the answer
 * only where the CA, or the holder of a certificate of it, has signed it, or it is certificates
 * alone. Keys that the server makes are asked for simply.
 */
RESULT device_use_full_cmc(struct device *d, struct err *err);
/* For device_get_ca and after; texts are copied, NULL sets back. */
RESULT device_set_ca_identifier(struct device *d, const char *text, struct err *err);
/* PEM, for https; default: the system's. */
RESULT device_set_tls_ca_file(struct device *d, const char *path, struct err *err);
/*
 * What to show over https of a server that is verified, while there is no certificate of the CA's:
 * one of the maker's, say, with its chain in PEM behind it. EST renews with what is renewed.
 */
RESULT device_set_tls_identity(struct device *d, const char *cert_path, const char *key_path,
			       struct err *err);
/* For one answer, in seconds; default 60. */
void device_set_timeout(struct device *d, unsigned seconds);
/* SHA-1 and 3DES where the server offers nothing better. */
void device_allow_legacy(struct device *d, bool allow);

/* GetCACaps and GetCACert. */
RESULT device_get_ca(struct device *d, struct err *err);
/* Borrowed; empty before device_get_ca. */
const struct scep_ca_certs *device_ca(const struct device *d);
uint32_t device_caps(const struct device *d);
/* SHA-256 in hexadecimal digits, with or without colons; NULL: trust what came (first use). */
RESULT device_trust(struct device *d, const char *fingerprint, struct err *err);
/* The same for who wants to know the CA and nothing more: the server is not asked again. */
RESULT device_recognise(struct device *d, const char *fingerprint, struct err *err);

/*
 * GetNextCACert: from now on the CA is the one that takes over from this one, which is trusted and
 * has signed who that is. What it issues is valid from then on. Protocol scep. ERR_NOT_FOUND: there
 * is none yet.
 */
RESULT device_use_next_ca(struct device *d, struct err *err);

/*
 * The key of that file; where there is no file, a new one of that type ("rsa2048"), which is on
 * disk with mode 0600 when this returns: a crash after it costs no certificate.
 */
RESULT device_open_key(struct device *d, const char *path, const char *type, bool *made,
		       struct err *err);

/*
 * EST: the server makes the key (serverkeygen), of that type; device_enrol writes it to that file,
 * with mode 0600, before it returns. In the place of device_open_key.
 */
RESULT device_want_server_key(struct device *d, const char *path, const char *type,
			      struct err *err);
/*
 * The same, but the key comes encrypted to the RSA or EC key of decrypt_path, which may be the one
 * of the certificate that is in use, and is of that kind.
 */
RESULT device_want_encrypted_key(struct device *d, const char *path, const char *decrypt_path,
				 struct err *err);
/* The type of key that the server wants (EST's csrattrs), else the usual one. */
const char *device_key_type(const struct device *d, const char *usual);

RESULT device_set_subject(struct device *d, const char *dn, struct err *err);
/* "DNS:router7.example": see pki/san.h. May be called again. */
RESULT device_add_san(struct device *d, const char *san, struct err *err);
RESULT device_set_challenge(struct device *d, struct span challenge, struct err *err);

/*
 * Sends the request; OK: the certificate is there. The same key means the same transaction, so this
 * may be called again after any failure. ERR_BUSY: not yet, come back after device_retry_after();
 * where the CA has answered PENDING it is polled then.
 * A refusal of the CA has its failInfo as code and its failInfoText in the text.
 */
RESULT device_enrol(struct device *d, struct err *err);
/* Only asks what has become of a request that was sent earlier, perhaps by another process. */
RESULT device_poll(struct device *d, struct err *err);
bool device_is_pending(const struct device *d);  /* the CA has answered so last */
long device_retry_after(const struct device *d); /* seconds; -1: the server did not say */
struct span device_cert(const struct device *d); /* DER; empty: none yet */

/*
 * From now on device_enrol renews this certificate (PEM or DER), whose key is in that file: for its
 * names, unless others were set before. device_open_key says for which key, which may be the same.
 */
RESULT device_set_current(struct device *d, const char *key_path, const char *cert_path,
			  struct err *err);
/*
 * Puts the new certificate, and the key of new_key (NULL: the key stays), in the place of the old
 * ones. A power cut in between is mended by device_recover, which is called before the files are
 * used next: then both are the old ones, or both the new ones.
 */
RESULT device_replace(const struct device *d, const char *new_key, const char *key_path,
		      const char *cert_path, struct err *err);
RESULT device_recover(struct crypto *c, const char *new_key, const char *key_path,
		      const char *cert_path, struct err *err);

/* Where a device has what it uses. */
struct device_files {
	const char *key;
	const char *cert;
	const char *ca; /* NULL: nowhere */
};

/*
 * Keeps the new certificate, whose time is still to come, beside the files in use, with the key of
 * new_key (NULL: the same as now) and the CA's certificates.
 */
RESULT device_keep_next(const struct device *d, const char *new_key,
			const struct device_files *files, struct err *err);
/*
 * Puts what is kept so in the place of the files, if its time has come, safe against power cuts.
 * *from: when the kept certificate begins; 0: none is kept. Call device_recover before.
 */
RESULT device_take_next(struct crypto *c, const struct device_files *files, int64_t now,
			int64_t *from, struct err *err);
/* Has the certificate that is renewed as long as its CA, so that only the next one can give more?
 */
bool device_ends_with_ca(const struct device *d);

/*
 * GetCert (type 21) of the certificate with this serial number, or GetCRL (22) for the list that it
 * would be on: DER appended, verified with the CA's key. Signed with the certificate and key of
 * device_set_current, which must be RSA: others cannot decrypt the answer.
 */
RESULT device_lookup(struct device *d, int type, struct span serial, struct buf *out,
		     struct err *err);

/* PEM files, atomically: the certificate, or the trusted CAs with the issuing one first. */
RESULT device_save_cert(const struct device *d, const char *path, struct err *err);
RESULT device_save_ca(const struct device *d, const char *path, struct err *err);

#endif
