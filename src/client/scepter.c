/* SPDX-License-Identifier: Apache-2.0 */
/* The public interface: a thin, stable shell around struct device. */
#include "scepter/scepter.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "client/device.h"

struct scepter {
	struct device *device;
};

static enum scepter_result code_of(enum result r)
{
	static const enum scepter_result codes[ERR_COUNT_] = {
		[OK] = SCEPTER_OK,
		[ERR_NOMEM] = SCEPTER_ERR_MEMORY,
		[ERR_INTERNAL] = SCEPTER_ERR_INTERNAL,
		[ERR_IO] = SCEPTER_ERR_IO,
		[ERR_BUSY] = SCEPTER_ERR_AGAIN,
		[ERR_TIMEOUT] = SCEPTER_ERR_AGAIN,
		[ERR_SYNTAX] = SCEPTER_ERR_PROTOCOL,
		[ERR_LIMIT] = SCEPTER_ERR_PROTOCOL,
		[ERR_BAD_ALG] = SCEPTER_ERR_ALGORITHM,
		[ERR_BAD_CHECK] = SCEPTER_ERR_TRUST,
		[ERR_BAD_REQUEST] = SCEPTER_ERR_REFUSED,
		[ERR_BAD_TIME] = SCEPTER_ERR_REFUSED,
		[ERR_BAD_CERT_ID] = SCEPTER_ERR_REFUSED,
		[ERR_BAD_POP] = SCEPTER_ERR_REFUSED,
		[ERR_BAD_TEMPLATE] = SCEPTER_ERR_REFUSED,
		[ERR_KEY_BLOCKED] = SCEPTER_ERR_REFUSED,
		[ERR_TOO_MANY] = SCEPTER_ERR_AGAIN,
		[ERR_DENIED] = SCEPTER_ERR_REFUSED,
		[ERR_NOT_FOUND] = SCEPTER_ERR_IO,
		[ERR_CONFLICT] = SCEPTER_ERR_REFUSED,
		[ERR_CONFIG] = SCEPTER_ERR_USAGE,
		[ERR_USAGE] = SCEPTER_ERR_USAGE,
	};

	/* a result without a row is no success */
	if ((unsigned)r < ERR_COUNT_ && (r == OK || codes[r] != SCEPTER_OK))
		return codes[r];
	return SCEPTER_ERR_INTERNAL;
}

const char *scepter_version(void)
{
	return SCEPTER_VERSION;
}

const char *scepter_result_name(enum scepter_result result)
{
	static const char *const names[] = {
		"ok",    "memory",   "internal", "io",        "again",
		"usage", "protocol", "trust",    "algorithm", "refused"
	};

	return (unsigned)result < ARRAY_LEN(names) ? names[result] : "unknown";
}

/* What happened inside, told outside. */
static enum scepter_result tell(enum result r, const struct err *inside, struct scepter_error *err)
{
	if (err) {
		err->code = code_of(r);
		(void)snprintf(err->text, sizeof(err->text), "%s", r == OK ? "" : err_text(inside));
	}
	return code_of(r);
}

enum scepter_result scepter_new(struct scepter **out, const char *url, struct scepter_error *err)
{
	struct scepter *s = calloc(1, sizeof(*s));
	struct err e = { 0 };
	enum result r;

	if (!s)
		return tell(err_nomem(&e), &e, err);
	r = device_new(&s->device, url, &e);
	if (r != OK)
		free(s);
	else
		*out = s;
	return tell(r, &e, err);
}

void scepter_free(struct scepter *s)
{
	if (!s)
		return;
	device_free(s->device);
	free(s);
}

enum scepter_result scepter_set_protocol(struct scepter *s, const char *name,
					 struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_protocol(s->device, name, &e), &e, err);
}

enum scepter_result scepter_set_user(struct scepter *s, const char *name, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_user(s->device, name, &e), &e, err);
}

enum scepter_result scepter_use_full_cmc(struct scepter *s, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_use_full_cmc(s->device, &e), &e, err);
}

enum scepter_result scepter_set_ca_identifier(struct scepter *s, const char *text,
					      struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_ca_identifier(s->device, text, &e), &e, err);
}

enum scepter_result scepter_set_tls_ca_file(struct scepter *s, const char *path,
					    struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_tls_ca_file(s->device, path, &e), &e, err);
}

enum scepter_result scepter_set_tls_identity(struct scepter *s, const char *cert_path,
					     const char *key_path, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_tls_identity(s->device, cert_path, key_path, &e), &e, err);
}

void scepter_set_timeout(struct scepter *s, unsigned seconds)
{
	device_set_timeout(s->device, seconds);
}

void scepter_allow_legacy(struct scepter *s, bool allow)
{
	device_allow_legacy(s->device, allow);
}

enum scepter_result scepter_get_ca(struct scepter *s, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_get_ca(s->device, &e), &e, err);
}

enum scepter_result scepter_trust_fingerprint(struct scepter *s, const char *sha256,
					      struct scepter_error *err)
{
	struct err e = { 0 };

	/* never by mistake what scepter_trust_first_use() does on purpose */
	return tell(device_trust(s->device, sha256 ? sha256 : "", &e), &e, err);
}

enum scepter_result scepter_trust_first_use(struct scepter *s, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_trust(s->device, NULL, &e), &e, err);
}

enum scepter_result scepter_open_key(struct scepter *s, const char *path, const char *type,
				     struct scepter_error *err)
{
	struct err e = { 0 };
	bool made;

	return tell(device_open_key(s->device, path, type, &made, &e), &e, err);
}

enum scepter_result scepter_want_server_key(struct scepter *s, const char *path, const char *type,
					    struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_want_server_key(s->device, path, type, &e), &e, err);
}

enum scepter_result scepter_want_encrypted_key(struct scepter *s, const char *path,
					       const char *decrypt_path, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_want_encrypted_key(s->device, path, decrypt_path, &e), &e, err);
}

enum scepter_result scepter_set_subject(struct scepter *s, const char *dn,
					struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_subject(s->device, dn, &e), &e, err);
}

enum scepter_result scepter_add_san(struct scepter *s, const char *san, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_add_san(s->device, san, &e), &e, err);
}

enum scepter_result scepter_set_challenge(struct scepter *s, const char *challenge,
					  struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_challenge(s->device, span_str(challenge), &e), &e, err);
}

enum scepter_result scepter_enrol(struct scepter *s, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_enrol(s->device, &e), &e, err);
}

long scepter_retry_after(const struct scepter *s)
{
	return device_retry_after(s->device);
}

const unsigned char *scepter_certificate(const struct scepter *s, size_t *len)
{
	struct span cert = device_cert(s->device);

	*len = cert.len;
	return cert.len ? cert.p : NULL;
}

enum scepter_result scepter_save_certificate(const struct scepter *s, const char *path,
					     struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_save_cert(s->device, path, &e), &e, err);
}

enum scepter_result scepter_save_ca(const struct scepter *s, const char *path,
				    struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_save_ca(s->device, path, &e), &e, err);
}

enum scepter_result scepter_poll(struct scepter *s, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_poll(s->device, &e), &e, err);
}

enum scepter_result scepter_set_current(struct scepter *s, const char *key_path,
					const char *cert_path, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_set_current(s->device, key_path, cert_path, &e), &e, err);
}

enum scepter_result scepter_replace(const struct scepter *s, const char *new_key,
				    const char *key_path, const char *cert_path,
				    struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_replace(s->device, new_key, key_path, cert_path, &e), &e, err);
}

enum scepter_result scepter_recover(struct scepter *s, const char *new_key, const char *key_path,
				    const char *cert_path, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_recover(device_crypto(s->device), new_key, key_path, cert_path, &e), &e,
		    err);
}

enum scepter_result scepter_use_next_ca(struct scepter *s, struct scepter_error *err)
{
	struct err e = { 0 };

	return tell(device_use_next_ca(s->device, &e), &e, err);
}

enum scepter_result scepter_keep_next(const struct scepter *s, const char *new_key,
				      const char *key_path, const char *cert_path,
				      const char *ca_path, struct scepter_error *err)
{
	const struct device_files files = { key_path, cert_path, ca_path };
	struct err e = { 0 };

	return tell(device_keep_next(s->device, new_key, &files, &e), &e, err);
}

enum scepter_result scepter_take_next(struct scepter *s, const char *key_path,
				      const char *cert_path, const char *ca_path, long long *from,
				      struct scepter_error *err)
{
	const struct device_files files = { key_path, cert_path, ca_path };
	struct clock clock = CLOCK_SYSTEM;
	struct err e = { 0 };
	int64_t begins = 0;
	enum result r =
	    device_take_next(device_crypto(s->device), &files, clock_now(&clock), &begins, &e);

	*from = begins;
	return tell(r, &e, err);
}
