/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/enrol_limits.h"

#include <stdio.h>

#include "base/clock.h"
#include "der/oid.h"
#include "pki/ext.h"
#include "pki/name.h"

/* Whose limits are looked at. */
struct whose {
	enum throttle_whose kind;
	struct buf key; /* a challenge's hash; an identity's name_put_key() */
	char text[96];
};

static void whose_clear(struct whose *w)
{
	buf_clear(&w->key);
}

static RESULT read_challenge(const struct enrol_decision *d, struct whose *w, struct err *err)
{
	w->kind = THROTTLE_CHALLENGE;
	buf_put(&w->key, SPAN_ARRAY(d->auth.credential));
	(void)snprintf(w->text, sizeof(w->text), "this challenge");
	return buf_check(&w->key, err);
}

static RESULT read_identity(const struct profile_result *names, struct whose *w, struct err *err)
{
	struct span subject = buf_span(&names->subject);
	struct ext san = { 0 };
	BUF text = BUF_INIT;

	w->kind = THROTTLE_IDENTITY;
	TRY(name_put_key(&w->key, subject, err));
	if (w->key.len == 0 &&
	    ext_find(buf_span(&names->exts), OID_SUBJECT_ALT_NAME, &san, NULL) == OK) {
		buf_put(&w->key, san.value);
		(void)snprintf(w->text, sizeof(w->text), "this device");
		return buf_check(&w->key, err);
	}
	TRY(name_put_text(&text, subject, err));
	(void)snprintf(w->text, sizeof(w->text), "subject \"%.*s\"",
		       (int)span_sub(buf_span(&text), 0, 80).len, (const char *)text.data);
	return OK;
}

static RESULT check_rate(const struct enrol_decision *d, const struct whose *w, struct err *err)
{
	unsigned wait =
	    throttle_take(d->req->policy->throttle, w->kind, buf_span(&w->key), clock_mono_us());

	if (!wait)
		return OK;
	(void)!err_set(err, ERR_TOO_MANY, "limit: too many requests by %s: try again in %u seconds",
		       w->text, wait);
	enrol_trace_add(d->req->trace, "limit", false, "%s", err_text(err));
	return ERR_TOO_MANY;
}

/* Endpoint and kind are part of the key: neither of them holds a NUL. */
static RESULT add_quota(struct enrol_decision *d, const struct whose *w, bool refuse,
			struct err *err)
{
	static const char *const kinds[] = {
		[THROTTLE_CHALLENGE] = "challenge", [THROTTLE_IDENTITY] = "identity"
	};
	const struct rate *most = &throttle_config(d->req->policy->throttle)->certificates[w->kind];
	struct store_quota *q = &d->quotas[d->n_quotas];
	const char *endpoint = d->req->policy->endpoint;
	const struct span parts[] = { span_of(endpoint, strlen(endpoint) + 1),
				      span_of(kinds[w->kind], strlen(kinds[w->kind]) + 1),
				      buf_span(&w->key) };
	uint8_t digest[DIGEST_MAX];

	if (!most->count)
		return OK;
	TRY(crypto_digest(d->c, DIGEST_SHA256, parts, ARRAY_LEN(parts), digest, err));
	memcpy(q->key, digest, STORE_HASH);
	memcpy(q->whose, w->text, sizeof(q->whose));
	q->since = d->auth.now - most->seconds;
	q->most = refuse ? most->count : 0;
	d->n_quotas++;
	return OK;
}

enum result enrol_limits_check(struct enrol_decision *d, const struct profile_result *names,
			       struct err *err)
{
	CLEANUP(whose_clear) struct whose challenge = { .text = "" }, identity = { .text = "" };

	if (!d->req->policy->throttle)
		return OK;
	d->n_quotas = 0;
	TRY(read_identity(names, &identity, err));
	TRY(check_rate(d, &identity, err));
	TRY(add_quota(d, &identity, true, err));
	if (!d->auth.has_credential)
		return OK;
	TRY(read_challenge(d, &challenge, err));
	TRY(check_rate(d, &challenge, err));
	return add_quota(d, &challenge, true, err);
}

enum result enrol_limits_count(struct enrol_decision *d, const struct profile_result *names,
			       struct err *err)
{
	CLEANUP(whose_clear) struct whose identity = { .text = "" };

	if (!d->req->policy->throttle)
		return OK;
	TRY(read_identity(names, &identity, err));
	return add_quota(d, &identity, false, err);
}
