/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/revoke.h"

#include <stdio.h>

/* RFC 5280 5.3.1: two are for certificates of authorities, one is for delta lists alone. */
static RESULT check_reason(enum crl_reason reason, struct err *err)
{
	if (!crl_reason_name(reason))
		return err_set(err, ERR_BAD_REQUEST, "RFC 5280 5.3.1: %d is no CRLReason",
			       (int)reason);
	if (reason == CRL_REMOVE_FROM_CRL)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5280 5.3.1: removeFromCRL is what delta lists say of a "
			       "certificate that was released from hold; release it");
	if (reason == CRL_CA_COMPROMISE || reason == CRL_AA_COMPROMISE)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 5280 5.3.1: %s is for the certificate of an authority; for a "
			       "device use keyCompromise",
			       crl_reason_name(reason));
	return OK;
}

static RESULT check_invalidity(const struct revoke_request *req, int64_t now, struct err *err)
{
	char text[CLOCK_TEXT_MAX];

	if (req->invalid_since <= now)
		return OK;
	clock_format(req->invalid_since, text);
	return err_set(err, ERR_BAD_REQUEST, "RFC 5280 5.3.2: invalidityDate %s has not come yet",
		       text);
}

enum result revoke_cert(const struct revoke_context *ctx, const struct revoke_request *req,
			struct err *err)
{
	bool hold = req->reason == CRL_CERTIFICATE_HOLD;
	struct store_revocation r = { .ca = req->ca,
				      .serial = req->serial,
				      .time = clock_now(ctx->clock),
				      .reason = req->reason,
				      .invalid_since = req->invalid_since };
	char since[CLOCK_TEXT_MAX] = "", reason[128];

	TRY(check_reason(req->reason, err));
	TRY(check_invalidity(req, r.time, err));
	if (req->invalid_since)
		clock_format(req->invalid_since, since);
	(void)snprintf(reason, sizeof(reason), "%s%s%s", crl_reason_name(req->reason),
		       since[0] ? ", invalid since " : "", since);
	r.event = (struct store_event){ .time = r.time,
					.kind = hold ? "cert.held" : "cert.revoked",
					.actor = req->actor,
					.reason = reason };
	TRY(store_revoke(ctx->store, &r, err));
	log_info(ctx->log, hold ? "certificate on hold" : "certificate revoked",
		 LOG_STR("ca", req->ca), LOG_HEX("serial", req->serial), LOG_STR("reason", reason),
		 LOG_STR("actor", req->actor));
	return OK;
}

enum result revoke_release(const struct revoke_context *ctx, const char *ca, struct span serial,
			   const char *actor, struct err *err)
{
	const struct store_event event = { .time = clock_now(ctx->clock),
					   .kind = "cert.released",
					   .actor = actor,
					   .reason = "released from hold" };

	TRY(store_release(ctx->store, ca, serial, &event, err));
	log_info(ctx->log, "certificate released from hold", LOG_STR("ca", ca),
		 LOG_HEX("serial", serial), LOG_STR("actor", actor));
	return OK;
}
