/* SPDX-License-Identifier: Apache-2.0 */
/* Renewal: what is renewed, whether the new one may replace it, and how it does. */
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "client/device_state.h"
#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "pki/pem.h"
#include "pki/san.h"

/* ---- what is renewed ---- */

static struct span san_of(const struct cert *cert)
{
	struct ext san = { 0 };

	return ext_find(cert->exts, OID_SUBJECT_ALT_NAME, &san, NULL) == OK ? san.value : SPAN_NONE;
}

static RESULT take_names(struct device *d, const struct cert *cert, struct err *err)
{
	struct der_reader names;

	if (d->subject.len || d->sans.len)
		return OK;
	if (!name_is_empty(cert->subject))
		buf_put(&d->subject, cert->subject);
	if (san_of(cert).len) {
		TRY(san_begin(san_of(cert), &names, err));
		buf_put(&d->sans, names.rest);
	}
	TRY(buf_check(&d->subject, err));
	return buf_check(&d->sans, err);
}

enum result device_load_pair(const struct device *d, const char *key_path, const char *cert_path,
			     struct key **key, struct buf *cert, struct err *err)
{
	CLEANUP(key_freep) struct key *loaded = NULL;
	BUF der = BUF_INIT;
	struct cert parsed;

	TRY(cert_load(cert_path, &der, err));
	TRY(cert_parse(buf_span(&der), &parsed, err));
	TRY(key_evp_load(&loaded, d->c, key_path, NULL, err));
	if (!pubkey_same(key_spki(loaded), parsed.spki))
		return err_set(err, ERR_USAGE, "%s is not the key of the certificate in %s",
			       key_path, cert_path);
	*key = take(loaded);
	*cert = buf_take(&der);
	return OK;
}

enum result device_set_current(struct device *d, const char *key_path, const char *cert_path,
			       struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;
	BUF der = BUF_INIT;
	struct cert cert;

	TRY(device_load_pair(d, key_path, cert_path, &key, &der, err));
	TRY(cert_parse(buf_span(&der), &cert, err));
	TRY(take_names(d, &cert, err));
	key_free(d->current_key);
	d->current_key = take(key);
	buf_clear(&d->current_cert);
	d->current_cert = buf_take(&der);
	return OK;
}

/* ---- may it replace it? ---- */

/* RFC 8894 has the CA decide on names; a device that asked for its own wants no others. */
static RESULT check_names(const struct device *d, const struct cert *cert, struct err *err)
{
	BUF name = BUF_INIT;

	if (d->subject.len == 0 || name_equal_unordered(cert->subject, buf_span(&d->subject)))
		return OK;
	TRY(name_put_text(&name, cert->subject, err));
	return err_set(err, ERR_BAD_CERT_ID,
		       "the CA sent a certificate for \"%.200s\", which is not what was asked for",
		       name.len ? buf_cstr(&name) : "");
}

enum result device_renewal_check(const struct device *d, struct span der, struct err *err)
{
	char old_text[CLOCK_TEXT_MAX], new_text[CLOCK_TEXT_MAX];
	struct cert old, new;

	TRY(cert_parse(der, &new, err));
	TRY(cert_parse(buf_span(&d->current_cert), &old, err));
	TRY(check_names(d, &new, err));
	if (span_eq(der, old.der))
		return err_set(err, ERR_BAD_CERT_ID,
			       "the CA sent the certificate that was to be renewed");
	if (new.not_after >= old.not_after)
		return OK;
	clock_format(old.not_after, old_text);
	clock_format(new.not_after, new_text);
	return err_set(err, ERR_BAD_TIME,
		       "the CA sent a certificate that ends at %s, before the old one (%s)",
		       new_text, old_text);
}

/* ---- the exchange ---- */

#define PATH_ROOM 4096

/* The certificate is written beside the old one first: from then on it can only go forward. */
static RESULT beside(const char *cert_path, char out[PATH_ROOM], struct err *err)
{
	if (snprintf(out, PATH_ROOM, "%s.new", cert_path) < PATH_ROOM)
		return OK;
	return err_set(err, ERR_USAGE, "%.80s...: path too long", cert_path);
}

static RESULT fits(struct crypto *c, const char *key_path, const struct cert *cert, bool *out,
		   struct err *err)
{
	CLEANUP(key_freep) struct key *key = NULL;

	*out = false;
	if (!file_exists(key_path))
		return OK;
	TRY(key_evp_load(&key, c, key_path, NULL, err));
	*out = pubkey_same(key_spki(key), cert->spki);
	return OK;
}

enum result device_recover(struct crypto *c, const char *new_key, const char *key_path,
			   const char *cert_path, struct err *err)
{
	char staged[PATH_ROOM];
	BUF der = BUF_INIT;
	struct cert cert;
	bool fit;

	TRY(beside(cert_path, staged, err));
	if (!file_exists(staged))
		return OK;
	TRY(cert_load(staged, &der, err));
	TRY(cert_parse(buf_span(&der), &cert, err));
	if (new_key) {
		TRY(fits(c, new_key, &cert, &fit, err));
		if (fit)
			TRY(file_rename(new_key, key_path, err));
	}
	TRY(fits(c, key_path, &cert, &fit, err));
	if (!fit)
		return err_set(err, ERR_CONFLICT,
			       "%s is for neither key at hand: remove it, if it is not needed",
			       staged);
	return file_rename(staged, cert_path, err);
}

enum result device_replace(const struct device *d, const char *new_key, const char *key_path,
			   const char *cert_path, struct err *err)
{
	char staged[PATH_ROOM];

	TRY(beside(cert_path, staged, err));
	TRY(device_save_cert(d, staged, err));
	return device_recover(d->c, new_key, key_path, cert_path, err);
}
