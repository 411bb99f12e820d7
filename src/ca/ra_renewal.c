/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/ra_renewal.h"

#include <stdio.h>

#include "ca/generation.h"

#define SOON (30 * (int64_t)86400)

/* A CA that ends first has nothing longer to give. */
static bool is_due(const struct authority_ca *ca, const struct ca_identity *ra, int64_t now)
{
	int64_t lasts = ra->cert.not_after - ra->cert.not_before;

	return ra->key && ra->cert.not_after < ca->ca.cert.not_after &&
	       now > ra->cert.not_after - (lasts / 3 < SOON ? lasts / 3 : SOON);
}

bool ra_renewal_is_due(const struct authority_ca *ca, int64_t now)
{
	return authority_ca_is_alive(ca, now) &&
	       (is_due(ca, &ca->ra_sign, now) || is_due(ca, &ca->ra_encrypt, now));
}

static void record_clear(struct store_ca_key *record)
{
	buf_clear(&record->cert);
}

static RESULT commit(struct store *store, const struct authority_ca *ca,
		     const struct store_ca_key *record, int64_t now, struct err *err)
{
	struct cert cert = { 0 };
	char until[CLOCK_TEXT_MAX], reason[192];
	struct store_event event = { .time = now,
				     .kind = "ra.renewed",
				     .ca = ca->name,
				     .actor = "clock",
				     .reason = reason };

	TRY(cert_parse(buf_span(&record->cert), &cert, err));
	clock_format(cert.not_after, until);
	(void)snprintf(reason, sizeof(reason),
		       "certificate of the registration authority's key %.63s, valid until %s",
		       record->key_id, until);
	event.serial = cert.serial;
	return store_put_ca_key(store, ca->name, record, &event, err);
}

struct renewing {
	struct store *store;
	const struct authority_ca *ca;
	struct generation g; /* what signs; its key is the CA's, borrowed */
};

static RESULT renew(struct renewing *r, enum store_key_role role, const struct ca_identity *ra,
		    struct err *err)
{
	CLEANUP(record_clear)
	struct store_ca_key record = { .role = role, .generation = r->ca->generation };

	if (!is_due(r->ca, ra, r->g.now))
		return OK;
	memcpy(record.key_id, ra->key_id, sizeof(record.key_id));
	r->g.ra_validity = ra->cert.not_after - ra->cert.not_before;
	TRY(generation_renew_ra(&r->g, &record, err));
	return commit(r->store, r->ca, &record, r->g.now, err);
}

enum result ra_renewal_make(struct store *store, struct keeper_client *keeper, struct crypto *c,
			    int64_t now, const struct authority_ca *ca, struct err *err)
{
	struct renewing r = { .store = store,
			      .ca = ca,
			      .g = { .keeper = keeper,
				     .c = c,
				     .now = now,
				     .name = ca->name,
				     .number = ca->generation,
				     .subject = ca->ca.cert.subject,
				     .key = ca->ca.key,
				     .cert = ca->ca.cert } };

	if (ca->ra_one)
		return renew(&r, STORE_KEY_RA, &ca->ra_sign, err);
	TRY(renew(&r, STORE_KEY_RA_SIGN, &ca->ra_sign, err));
	return renew(&r, STORE_KEY_RA_ENCRYPT, &ca->ra_encrypt, err);
}
