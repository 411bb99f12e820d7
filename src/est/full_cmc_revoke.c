/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revokeRequest (RFC 5272 6.11), signed with the certificate that is to be revoked or by a
 * registration authority.
 */
#include <stdio.h>

#include "ca/revoke.h"
#include "ca/standing.h"
#include "est/full_cmc.h"
#include "pki/name.h"

struct actor {
	char text[160];
};

static void name_actor(const struct full_cmc *m, const char *who, struct actor *actor)
{
	BUF name = BUF_INIT;

	if (name_put_text(&name, m->signer.subject, NULL) != OK)
		buf_reset(&name);
	(void)snprintf(actor->text, sizeof(actor->text), "%s \"%.100s\"", who,
		       name.len ? buf_cstr(&name) : "");
}

/*
 * Its own certificate anybody may take back who has its key: after it has expired, too, and once
 * more where the answer was lost.
 */
static RESULT check_own(struct full_cmc *m, struct actor *actor, struct err *err)
{
	name_actor(m, "the holder of certificate", actor);
	return err_prefix(
	    err, ca_standing_check_issued(m->x->service->enrol->store, m->x->ca, &m->signer, err),
	    "RFC 5272 6.11: the signer");
}

static RESULT check_actor(struct full_cmc *m, const struct cmc_revoke *revoke, struct actor *actor,
			  struct err *err)
{
	if (m->signer_is_ours && span_eq(m->signer.serial, revoke->serial))
		return check_own(m, actor, err);
	if (!full_cmc_is_registrar(m))
		return err_set(err, ERR_DENIED,
			       "RFC 5272 6.11: a certificate is revoked by who signs with its key, "
			       "or by a registration authority that endpoint \"%s\" lets act for "
			       "others; the signer is neither",
			       m->x->endpoint->name);
	name_actor(m, "registration authority", actor);
	return full_cmc_check_standing(m, err);
}

static RESULT check(struct full_cmc *m, const struct cmc_revoke *revoke, struct actor *actor,
		    struct err *err)
{
	TRY(full_cmc_check_signature(m, err));
	TRY(check_actor(m, revoke, actor, err));
	if (!name_equal_unordered(revoke->issuer, m->x->ca->ca.cert.subject))
		return err_set(err, ERR_BAD_CERT_ID,
			       "RFC 5272 6.11: CA \"%s\" revokes what it has issued itself, and "
			       "issuerName is another's",
			       m->x->ca->name);
	return OK;
}

enum result full_cmc_revoke(struct full_cmc *m, const struct cmc_control *asked,
			    struct http_reply *reply, struct err *err)
{
	const struct enrol_context *enrol = m->x->service->enrol;
	const struct revoke_context ctx = { enrol->store, enrol->clock, &m->x->log };
	struct revoke_request req = { .ca = m->x->ca->name };
	struct cmc_revoke revoke;
	struct actor actor;
	enum result r;

	TRY(cmc_revoke_read(asked, &revoke, err));
	TRY(check(m, &revoke, &actor, err));
	req.serial = revoke.serial;
	req.reason = (enum crl_reason)revoke.reason;
	req.invalid_since = revoke.invalid_since;
	req.actor = actor.text;
	if (revoke.comment.len)
		log_info(&m->x->log, "revocation asked for",
			 LOG_SPAN("comment", span_sub(revoke.comment, 0, 256)));
	r = revoke_cert(&ctx, &req, err);
	if (r == OK)
		full_cmc_reply_done(m, "revoked", reply);
	else if (r == ERR_CONFLICT)
		full_cmc_reply_done(m, "it was revoked already", reply);
	else
		return err_prefix(err, r == ERR_NOT_FOUND ? ERR_BAD_CERT_ID : r, "RFC 5272 6.11");
	return OK;
}
