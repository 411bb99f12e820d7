/* SPDX-License-Identifier: Apache-2.0 */
/* Which controls are understood (RFC 5272 6), and those that every request may have. */
#include "base/hex.h"
#include "der/oid.h"
#include "est/full_cmc.h"

static bool is_understood(struct span type)
{
	static const struct span *const types[] = {
		&OID_CMC_TRANSACTION_ID,  &OID_CMC_SENDER_NONCE,   &OID_CMC_RECIPIENT_NONCE,
		&OID_CMC_DATA_RETURN,     &OID_CMC_REG_INFO, /* means nothing here; RFC 5272 6.12
								leaves it to agreement */
		&OID_CMC_IDENTIFICATION,  &OID_CMC_IDENTITY_PROOF, &OID_CMC_IDENTITY_PROOF_V2,
		&OID_CMC_POP_LINK_RANDOM, &OID_CMC_QUERY_PENDING,  &OID_CMC_GET_CERT,
		&OID_CMC_GET_CRL,         &OID_CMC_REVOKE_REQUEST,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(types); i++)
		if (span_eq(*types[i], type))
			return true;
	return false;
}

/* RFC 5272 3.2.1.1: one that is not understood fails the whole, and all such are named. */
static RESULT check_understood(struct full_cmc *m, struct err *err)
{
	const struct cmc_control *first = NULL;
	BUF text = BUF_INIT;
	size_t i;

	for (i = 0; i < m->data.controls.n; i++) {
		const struct cmc_control *control = &m->data.controls.list[i];

		if (is_understood(control->type))
			continue;
		first = first ? first : control;
		m->bodies[m->n_bodies++] = control->id;
	}
	if (!first)
		return OK;
	/* RFC 5272 6.8 wants this for witnesses of a registration authority */
	if (span_eq(first->type, OID_CMC_LRA_POP_WITNESS))
		m->fail_info = CMC_FAIL_POP_FAILED;
	oid_put_text(&text, first->type);
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 5272 3.2.1.1: this server does not support the control %.64s",
		       oid_name(first->type) ? oid_name(first->type) : buf_cstr(&text));
}

static RESULT read_octets(const struct full_cmc *m, struct span type, struct span *out,
			  struct err *err)
{
	TRY(cmc_control_content(&m->data.controls, type, DER_OCTET_STRING, out, err));
	if (out->len > FULL_CMC_NONCE_MAX)
		return err_set(err, ERR_LIMIT, "%s of %zu octets, at most %d", oid_name(type),
			       out->len, FULL_CMC_NONCE_MAX);
	return OK;
}

/* The client's name for what it does; ours is made of what it asks for. */
static RESULT read_transaction_id(struct full_cmc *m, struct err *err)
{
	BUF text = BUF_INIT;

	TRY(cmc_control_content(&m->data.controls, OID_CMC_TRANSACTION_ID, DER_INTEGER,
				&m->transaction_id, err));
	if (m->transaction_id.len > FULL_CMC_NONCE_MAX)
		return err_set(err, ERR_LIMIT, "transactionId of %zu octets, at most %d",
			       m->transaction_id.len, FULL_CMC_NONCE_MAX);
	if (m->transaction_id.len == 0)
		return OK;
	hex_put(&text, span_sub(m->transaction_id, 0, EST_TRANSACTION / 2));
	TRY(buf_check(&text, err));
	log_bind(&m->x->log, LOG_STR("transactionId", buf_cstr(&text)));
	return OK;
}

enum result full_cmc_check_controls(struct full_cmc *m, struct err *err)
{
	TRY(read_transaction_id(m, err));
	TRY(read_octets(m, OID_CMC_SENDER_NONCE, &m->sender_nonce, err));
	TRY(cmc_control_content(&m->data.controls, OID_CMC_DATA_RETURN, DER_OCTET_STRING,
				&m->data_return, err));
	return check_understood(m, err);
}
