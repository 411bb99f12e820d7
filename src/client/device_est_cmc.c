/* SPDX-License-Identifier: Apache-2.0 */
#include "client/device_est_cmc.h"

#include "base/clock.h"
#include "base/random.h"
#include "cmc/pki_data.h"
#include "cmc/pki_response.h"
#include "der/ber.h"
#include "der/oid.h"
#include "pki/cms_signed.h"

#define NONCE 16
#define TRANSACTION 16

/* What the answer has to repeat. */
struct asked {
	uint8_t transaction[DIGEST_MAX]; /* whose first octets are transactionId */
	uint8_t nonce[NONCE];
};

/* ---- the request ---- */

/* The same key is the same transaction; an INTEGER that is above 0, and has no octet too many. */
static RESULT make_transaction(const struct device *d, struct asked *asked, struct err *err)
{
	const struct span spki = key_spki(d->key);

	TRY(crypto_digest(d->c, DIGEST_SHA256, &spki, 1, asked->transaction, err));
	asked->transaction[0] = (uint8_t)((asked->transaction[0] & 0x3f) | 0x40);
	return OK;
}

/*
 * RFC 5272 3.2: with the certificate that is renewed, else with the key that is to be certified,
 * which is named by its identifier; with that key it is polled, too.
 */
static RESULT sign(const struct device *d, struct span content, struct buf *out, struct err *err)
{
	const struct span current = buf_span(&d->current_cert);
	bool by_own = !d->current_key || d->pend_token.len;
	struct cms_sign s = { .has_content = true,
			      .content = content,
			      .content_type = OID_CCT_PKI_DATA,
			      .digest = DIGEST_SHA256 };
	uint8_t id[20];

	if (by_own) {
		TRY(cert_key_id(d->c, key_spki(d->key), id, err));
		s.signer_ski = SPAN_ARRAY(id);
		return cms_sign(&s, d->key, d->c, out, err);
	}
	s.signer_cert = current;
	s.certs = &current;
	s.n_certs = 1;
	return cms_sign(&s, d->current_key, d->c, out, err);
}

static RESULT make_message(const struct device *d, struct span csr, struct asked *asked,
			   struct buf *out, struct err *err)
{
	const struct cmc_shared_secret secret = { secret_span(&d->challenge),
						  span_str(d->user ? d->user : "") };
	struct cmc_ask ask = { .csr = csr, .pend_token = buf_span(&d->pend_token) };
	BUF content = BUF_INIT;

	TRY(make_transaction(d, asked, err));
	TRY(random_fill(asked->nonce, NONCE, err));
	ask.transaction_id = span_of(asked->transaction, TRANSACTION);
	ask.sender_nonce = SPAN_ARRAY(asked->nonce);
	if (csr.len && !d->current_key && secret.secret.len)
		ask.secret = &secret;
	TRY(cmc_pki_data_put(&content, &ask, d->c, err));
	return sign(d, buf_span(&content), out, err);
}

/* ---- the answer ---- */

/* Not of a refusal: a server may not have come as far as to read them. */
static RESULT check_echo(const struct cmc_pki_response *response, const struct asked *asked,
			 struct err *err)
{
	if (response->status.status == CMC_FAILED)
		return OK;
	if (!span_eq(response->recipient_nonce, SPAN_ARRAY(asked->nonce)))
		return err_set(err, ERR_BAD_CHECK,
			       "RFC 5272 6.6: recipientNonce of the answer is not our senderNonce");
	if (!span_eq(response->transaction_id, span_of(asked->transaction, TRANSACTION)))
		return err_set(err, ERR_BAD_CHECK,
			       "RFC 5272 6.6: transactionId of the answer is not ours");
	return OK;
}

/* A refusal as an error: RFC 5272 6.1.4. */
static enum result code_of(const struct cmc_status_info *status)
{
	static const enum result codes[] = {
		ERR_BAD_ALG,      /* badAlg */
		ERR_BAD_REQUEST,  /* badMessageCheck */
		ERR_DENIED,       /* badRequest */
		ERR_BAD_TIME,     /* badTime */
		ERR_BAD_CERT_ID,  /* badCertId */
		ERR_BAD_TEMPLATE, /* unsupportedExt */
		ERR_BAD_REQUEST,  /* mustArchiveKeys */
		ERR_DENIED,       /* badIdentity */
		ERR_BAD_POP,      /* popRequired */
		ERR_BAD_POP,      /* popFailed */
		ERR_DENIED,       /* noKeyReuse */
		ERR_IO,           /* internalCAError */
		ERR_BUSY,         /* tryLater */
		ERR_DENIED,       /* authDataFail */
	};
	int n = status->fail_info;

	return n >= 0 && (size_t)n < ARRAY_LEN(codes) ? codes[n] : ERR_DENIED;
}

static RESULT refused(const struct cmc_status_info *status, struct err *err)
{
	char text[300];

	span_line(status->text, text, sizeof(text));
	return err_set(err, code_of(status), "the CA refuses (%s): %s",
		       status->fail_info == CMC_FAIL_NONE ? cmc_status_name(status->status)
							  : cmc_fail_info_name(status->fail_info),
		       *text ? text : "it does not say why; its log may");
}

static RESULT must_wait(struct device *d, const struct cmc_status_info *status,
			struct est_wait *wait, struct err *err)
{
	struct clock clock = CLOCK_SYSTEM;

	wait->approval = true;
	if (status->pend_token.len) { /* the answer to a poll need not say it again */
		buf_reset(&d->pend_token);
		buf_put(&d->pend_token, status->pend_token);
		TRY(buf_check(&d->pend_token, err));
		if (wait->seconds < 0 && status->pend_time > clock_now(&clock))
			wait->seconds = (long)(status->pend_time - clock_now(&clock));
	}
	return err_set(err, ERR_BUSY, "the request waits for approval at the CA");
}

static RESULT heed_status(struct device *d, const struct cmc_pki_response *response,
			  struct est_wait *wait, struct err *err)
{
	if (!response->has_status)
		return err_set(err, ERR_SYNTAX, "RFC 5272 6.1: the answer has no CMCStatusInfo");
	if (response->status.status == CMC_PENDING)
		return must_wait(d, &response->status, wait, err);
	return response->status.status == CMC_SUCCESS ? OK : refused(&response->status, err);
}

/*
 * RFC 5272 4: certificates alone, which are checked like those of simpleenroll; or what a signature
 * vouches for.
 */
static RESULT read_answer(struct device *d, struct span der, const struct asked *asked,
			  struct est_wait *wait, struct err *err)
{
	struct cmc_pki_response response;
	struct cms_signed sd;

	TRY(cms_signed_parse(der, &sd, err));
	if (!sd.has_content && !sd.has_signer)
		return OK;
	if (!span_eq(sd.content_type, OID_CCT_PKI_RESPONSE))
		return err_set(err, ERR_SYNTAX,
			       "RFC 5272 4.2: eContentType of the answer is not "
			       "id-cct-PKIResponse");
	TRY(device_check_signer(d, &sd, "RFC 5272 4.2: the answer", err));
	TRY(cmc_pki_response_parse(sd.content, &response, err));
	TRY(check_echo(&response, asked, err));
	return heed_status(d, &response, wait, err);
}

enum result device_est_cmc_ask(struct device *d, struct span csr, struct buf *certs,
			       struct est_wait *wait, struct err *err)
{
	const struct est_client client = { .http = d->http, .url = d->url };
	struct asked asked;
	BUF message = BUF_INIT;
	BUF answer = BUF_INIT;
	BUF der = BUF_INIT;
	enum result r;

	TRY(make_message(d, csr, &asked, &message, err));
	TRY(est_client_full_cmc(&client, buf_span(&message), &answer, wait, err));
	TRY(ber_put_der(buf_span(&answer), &der, err));
	r = err_prefix(err, read_answer(d, buf_span(&der), &asked, wait, err), "fullcmc");
	if (r != ERR_BUSY) /* whatever it is, there is nothing more to be asked with this */
		buf_reset(&d->pend_token);
	TRY(r);
	buf_put(certs, buf_span(&der));
	return buf_check(certs, err);
}
