/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proofs of identity by a shared secret, and of the link between who asks and the key (RFC 5272
 * 6.2, 6.3). They are keyed with the secret, of which we keep nothing but hashes that are no such
 * keys (or who reads the store could make proofs): so they count where the secret is shown beside
 * them, as an EST password is.
 */
#include "cmc/shared_secret.h"
#include "der/oid.h"
#include "der/text.h"
#include "est/full_cmc.h"

typedef enum result witness_read_fn(struct span der, const char *what, struct cmc_witness *out,
				    struct err *err);

struct proof {
	const struct span *type;
	witness_read_fn *read;
};

static RESULT check_secret(const struct full_cmc *m, const char *what, struct err *err)
{
	if (m->x->password.len)
		return OK;
	return err_set(err, ERR_DENIED,
		       "RFC 5272 6.2: %s is keyed with a secret of which this server keeps a hash "
		       "only: show the secret, too, as the password of HTTP Basic or as "
		       "otpChallenge of the request",
		       what);
}

/* ---- identityProof ---- */

static RESULT check_identity(struct full_cmc *m, const struct proof *proof,
			     const struct cmc_control *control, struct err *err)
{
	struct cmc_shared_secret secret = { .secret = m->x->password };
	const char *what = oid_name(*proof->type);
	struct cmc_witness witness;
	struct der_tlv value;

	m->fail_info = CMC_FAIL_BAD_IDENTITY;
	TRY(cmc_control_value(control, what, &value, err));
	TRY(proof->read(value.whole, what, &witness, err));
	TRY(check_secret(m, what, err));
	TRY(cmc_control_content(&m->data.controls, OID_CMC_IDENTIFICATION, DER_UTF8_STRING,
				&secret.identification, err));
	TRY(err_prefix(err,
		       cmc_witness_check(&witness, m->x->c, &secret, m->data.req_sequence, err),
		       "RFC 5272 6.2: %s", what));
	m->fail_info = CMC_FAIL_NONE;
	return OK;
}

static RESULT check_identities(struct full_cmc *m, struct err *err)
{
	static const struct proof proofs[] = {
		{ &OID_CMC_IDENTITY_PROOF_V2, cmc_witness_read_v2 },
		{ &OID_CMC_IDENTITY_PROOF, cmc_witness_read_v1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(proofs); i++) {
		const struct cmc_control *control =
		    cmc_control_find(&m->data.controls, *proofs[i].type);

		if (control)
			TRY(check_identity(m, &proofs[i], control, err));
	}
	return OK;
}

/* ---- popLinkWitness, an attribute of the request ---- */

static RESULT check_link(struct full_cmc *m, const struct proof *proof, struct span attribute,
			 struct err *err)
{
	const struct cmc_shared_secret secret = { .secret = m->x->password };
	const char *what = oid_name(*proof->type);
	struct span random = SPAN_NONE;
	struct cmc_witness witness;
	enum result r;

	TRY(proof->read(attribute, what, &witness, err));
	TRY(cmc_control_content(&m->data.controls, OID_CMC_POP_LINK_RANDOM, DER_OCTET_STRING,
				&random, err));
	if (random.len == 0)
		return err_set(err, ERR_BAD_POP,
			       "RFC 5272 6.3.1: the request has %s, and the message no "
			       "popLinkRandom",
			       what);
	TRY(check_secret(m, what, err));
	r = cmc_witness_check(&witness, m->x->c, &secret, random, err);
	return err_prefix(err, r == ERR_BAD_CHECK ? ERR_BAD_POP : r, "RFC 5272 6.3.1: %s", what);
}

static RESULT check_links(struct full_cmc *m, struct err *err)
{
	static const struct proof proofs[] = {
		{ &OID_CMC_POP_LINK_WITNESS_V2, cmc_witness_read_v2 },
		{ &OID_CMC_POP_LINK_WITNESS, cmc_witness_read_v1 },
	};
	struct der_tlv value;
	bool found = false;
	size_t i;

	for (i = 0; i < ARRAY_LEN(proofs); i++) {
		enum result r =
		    csr_attr(&m->x->csr, *proofs[i].type, oid_name(*proofs[i].type), &value, err);

		if (r == ERR_NOT_FOUND)
			continue;
		TRY(r);
		TRY(check_link(m, &proofs[i], value.whole, err));
		found = true;
	}
	if (found || !cmc_control_find(&m->data.controls, OID_CMC_POP_LINK_RANDOM))
		return OK;
	return err_set(err, ERR_BAD_POP,
		       "RFC 5272 6.3.1: the message has popLinkRandom, and the request no "
		       "popLinkWitness");
}

enum result full_cmc_check_proofs(struct full_cmc *m, struct err *err)
{
	enum result r = check_identities(m, err);

	if (r == OK)
		r = check_links(m, err);
	if (r != OK)
		enrol_trace_add(&m->x->trace, "shared secret", false, "%s", err_text(err));
	return r;
}
