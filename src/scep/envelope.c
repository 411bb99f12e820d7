/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a request's pkcsPKIEnvelope (RFC 8894 3.2.2): which recipient are we, with which key? */
#include "der/reader.h"
#include "pki/name.h"
#include "scep/exchange.h"

/* Private-key operations that one message may cost us. */
#define TRIES_MAX 6

/* Generations of the CA that are looked at, and what of each may decrypt. */
#define GENERATIONS_MAX 4
#define IDENTITIES_MAX 3

struct own {
	const struct ca_identity *id;
	const struct authority_ca *ca;
};

struct attempts {
	struct own own[GENERATIONS_MAX * IDENTITIES_MAX]; /* the likeliest first */
	size_t n_own;
	unsigned left;
};

static void add_own(struct attempts *a, const struct ca_identity *id, const struct authority_ca *ca)
{
	size_t i;

	if (!id->key || id->key->kind != KEY_RSA || a->n_own == ARRAY_LEN(a->own))
		return;
	for (i = 0; i < a->n_own; i++)
		if (a->own[i].id == id)
			return;
	a->own[a->n_own++] = (struct own){ id, ca };
}

static void add_generation(struct attempts *a, const struct authority_ca *ca)
{
	add_own(a, authority_ca_decrypter(ca), ca);
	add_own(a, &ca->ca, ca);
	if (ca->has_ra)
		add_own(a, &ca->ra_sign, ca);
}

/* The one in charge; the next; and those before, which devices remember for a while. */
static struct attempts attempts_of(const struct authority_ca *ca)
{
	struct attempts a = { .left = TRIES_MAX };
	const struct authority_ca *before;

	add_generation(&a, ca);
	if (ca->next)
		add_generation(&a, ca->next);
	for (before = ca->before; before; before = before->before)
		add_generation(&a, before);
	return a;
}

/* Serial numbers as numbers: leading zeros do not count. */
static struct span magnitude(struct span serial)
{
	while (serial.len > 1 && serial.p[0] == 0)
		serial = span_sub(serial, 1, SIZE_MAX);
	return serial;
}

/* Does it name this certificate? Names as people compare them: some devices re-order them. */
static bool names(const struct cms_recipient *r, const struct ca_identity *id)
{
	if (r->ski.len)
		return span_eq(r->ski, cert_ski(&id->cert));
	return span_eq(magnitude(r->serial), magnitude(id->cert.serial)) &&
	       name_equal_unordered(r->issuer, id->cert.issuer);
}

/* messageData of every request is a SEQUENCE: a wrong key that passed as padding stops here. */
static bool is_message_data(struct span plain)
{
	struct der_reader inner;

	return der_read_whole(plain, DER_SEQUENCE, "messageData", &inner, NULL) == OK;
}

static RESULT attempt(struct scep_exchange *x, struct attempts *a, const struct cms_recipient *r,
		      const struct ca_identity *id, struct err *err)
{
	SECRET content_key = SECRET_INIT;
	BUF_SECRET plain = BUF_INIT;

	if (a->left == 0)
		return err_set(err, ERR_LIMIT, "more than %d decryption attempts", TRIES_MAX);
	a->left--;
	TRY(key_decrypt(id->key, x->c, &r->transport, r->encrypted_key, &content_key, err));
	TRY(cms_enveloped_open(&x->request.envelope, x->c, secret_span(&content_key), &plain, err));
	if (!is_message_data(buf_span(&plain)))
		return err_set(err, ERR_BAD_CHECK, "messageData is no SEQUENCE");
	x->plain = buf_take(&plain);
	x->transport = r->transport;
	return OK;
}

/* It answers what was asked of it; and issues, too, unless its time is over. */
static void take_generation(struct scep_exchange *x, const struct authority_ca *asked)
{
	bool ahead = asked == x->ca->next, in_charge = asked == x->ca;
	const struct authority_ca *later = ahead ? asked : x->ca;
	char begins[CLOCK_TEXT_MAX];

	x->speaker = asked;
	x->ca = authority_ca_issuer(asked, clock_now(x->service->enrol->clock));
	if (in_charge)
		return;
	clock_format(later->begins, begins);
	enrol_trace_add(&x->trace, "generation", true,
			"asked of generation %u; %u %s over at %s; %u issues", asked->generation,
			later->generation, ahead ? "takes" : "has taken", begins,
			x->ca->generation);
}

/* All recipients with all keys, either where the one names the other, or where it does not. */
static RESULT try_pairs(struct scep_exchange *x, struct attempts *a, bool named, struct err *err)
{
	const struct cms_enveloped *e = &x->request.envelope;
	enum result r = ERR_BAD_CHECK;
	size_t i, j;

	for (i = 0; i < e->n_recipients; i++)
		for (j = 0; j < a->n_own; j++) {
			const struct cms_recipient *to = &e->recipients[i];

			if (to->kind != CMS_RECIPIENT_KEY_TRANSPORT || !to->transport_known ||
			    names(to, a->own[j].id) != named)
				continue;
			r = attempt(x, a, to, a->own[j].id, err);
			if (r == OK)
				take_generation(x, a->own[j].ca);
			if (r == OK || scep_is_our_fault(r))
				return r;
		}
	return r;
}

static RESULT check_recipients(const struct cms_enveloped *e, struct err *err)
{
	size_t i;

	for (i = 0; i < e->n_recipients; i++)
		if (e->recipients[i].kind == CMS_RECIPIENT_KEY_TRANSPORT) {
			if (e->recipients[i].transport_known)
				return OK;
			return err_set(err, ERR_BAD_ALG,
				       "RFC 8894 3.1: keyEncryptionAlgorithm is neither RSA "
				       "PKCS#1 v1.5 nor RSA-OAEP");
		}
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 8894 3.1: no KeyTransRecipientInfo for the CA among %zu recipients",
		       e->n_recipients);
}

enum result scep_does_not_open(struct scep_exchange *x, const char *step, const struct err *detail,
			       struct err *err)
{
	enrol_trace_add(&x->trace, step, false, "%s", err_text(detail));
	return err_set(err, ERR_BAD_REQUEST,
		       "RFC 8894 3.2.2: with no key of this CA does the pkcsPKIEnvelope open to "
		       "what a %s holds; is it encrypted for the certificates of this GetCACert?",
		       scep_message_type_name(x->request.message_type));
}

enum result scep_open_envelope(struct scep_exchange *x, struct err *err)
{
	struct scep_message *m = &x->request;
	struct attempts a = attempts_of(x->ca);
	struct err detail = { 0 };
	enum result r;

	TRY(scep_message_read_envelope(m, err));
	TRY(scep_floor_cipher(x, m->envelope.cipher, "pkcsPKIEnvelope", err));
	TRY(check_recipients(&m->envelope, err));
	if (a.n_own == 0)
		return err_set(err, ERR_BAD_REQUEST,
			       "RFC 8894 3.1: the CA \"%s\" has no RSA key to decrypt with; it "
			       "needs an RA",
			       x->ca->name);
	r = try_pairs(x, &a, true, &detail);
	if (r != OK && !scep_is_our_fault(r))
		r = try_pairs(x, &a, false, &detail);
	if (scep_is_our_fault(r)) {
		*err = detail;
		return r;
	}
	if (r != OK)
		return scep_does_not_open(x, "decryption", &detail, err);
	enrol_trace_add(&x->trace, "decryption", true, "%s, RSA %s",
			cipher_name(m->envelope.cipher),
			x->transport.oaep ? "OAEP" : "PKCS#1 v1.5");
	return OK;
}
