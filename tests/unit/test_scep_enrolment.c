/* SPDX-License-Identifier: Apache-2.0 */
/* The device's side against servers that lie: whom to trust, and which CertRep to take. */
#include "unit.h"

#include "der/oid.h"
#include "pki/key_evp.h"
#include "pki/name.h"
#include "scep/caps.h"
#include "scep/enrolment.h"

#define NOW 1795293840
#define DAY 86400

static struct {
	struct crypto *c;
	struct key *ca_key;
	struct key *ra_key;
	struct key *evil_key;
	struct key *device_key;
	struct buf ca; /* root, signs the RA */
	struct buf ra;
	struct buf evil_ca; /* the same names, other keys */
	struct buf evil_ra;
	struct buf old_ra; /* expired */
	struct buf leaf;   /* device_key by ca */
	struct buf evil_leaf;
	struct buf other_leaf; /* ra_key by ca */
	uint8_t fingerprint[DIGEST_MAX];
} t;

/* ---- certificates ---- */

struct make {
	const char *subject;
	struct key *key;
	struct key *issuer;
	bool ca;
	int64_t until;
};

static struct buf make_cert(const struct make *m)
{
	struct cert_template tmpl = { .serial = SPAN_LIT("\x05"),
				      .sig_alg = sig_alg_for(m->issuer->kind),
				      .not_before = NOW - DAY,
				      .not_after = m->until,
				      .spki = key_spki(m->key) };
	struct buf out = BUF_INIT;
	BUF issuer = BUF_INIT;
	BUF subject = BUF_INIT;
	BUF exts = BUF_INIT;

	assert_int_equal(name_parse_text("CN=CA", &issuer, NULL), OK);
	assert_int_equal(name_parse_text(m->subject, &subject, NULL), OK);
	if (m->ca)
		ext_put_basic_constraints(&exts, true, -1);
	tmpl.issuer = buf_span(&issuer);
	tmpl.subject = buf_span(&subject);
	tmpl.exts = buf_span(&exts);
	assert_int_equal(cert_issue(&tmpl, m->issuer, t.c, &out, NULL), OK);
	return out;
}

static struct key *make_key(void)
{
	struct key_spec rsa = { KEY_RSA, 2048 };
	struct key *key = NULL;

	assert_int_equal(key_evp_generate(&key, t.c, rsa, NULL), OK);
	return key;
}

static int set_up(void **state)
{
	int64_t later = NOW + 100 * DAY;

	(void)state;
	assert_int_equal(crypto_new(&t.c, true, NULL), OK);
	t.ca_key = make_key();
	t.ra_key = make_key();
	t.evil_key = make_key();
	t.device_key = make_key();
	t.ca = make_cert(&(struct make){ "CN=CA", t.ca_key, t.ca_key, true, later });
	t.ra = make_cert(&(struct make){ "CN=RA", t.ra_key, t.ca_key, false, later });
	t.old_ra = make_cert(&(struct make){ "CN=RA", t.ra_key, t.ca_key, false, NOW - 1 });
	t.evil_ca = make_cert(&(struct make){ "CN=CA", t.evil_key, t.evil_key, true, later });
	t.evil_ra = make_cert(&(struct make){ "CN=RA", t.evil_key, t.evil_key, false, later });
	t.leaf = make_cert(&(struct make){ "CN=d", t.device_key, t.ca_key, false, later });
	t.evil_leaf = make_cert(&(struct make){ "CN=d", t.device_key, t.evil_key, false, later });
	t.other_leaf = make_cert(&(struct make){ "CN=d", t.ra_key, t.ca_key, false, later });
	return cert_fingerprint(t.c, buf_span(&t.ca), DIGEST_SHA256, t.fingerprint, NULL) == OK ? 0
												: 1;
}

static int tear_down(void **state)
{
	struct buf *bufs[] = { &t.ca,     &t.ra,   &t.evil_ca,   &t.evil_ra,
			       &t.old_ra, &t.leaf, &t.evil_leaf, &t.other_leaf };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bufs); i++)
		buf_clear(bufs[i]);
	key_free(t.ca_key);
	key_free(t.ra_key);
	key_free(t.evil_key);
	key_free(t.device_key);
	crypto_free(t.c);
	return 0;
}

/* ---- whom to trust ---- */

#define CA_CERTS CLEANUP(scep_ca_certs_clear) struct scep_ca_certs

static struct scep_ca_certs answer(const struct buf *const *certs, size_t n)
{
	struct scep_ca_certs got = { 0 };
	struct span spans[4];
	BUF bytes = BUF_INIT;
	size_t i;

	for (i = 0; i < n; i++)
		spans[i] = buf_span(certs[i]);
	assert_int_equal(cms_put_degenerate(&bytes, spans, n, NULL, 0, NULL), OK);
	assert_int_equal(scep_ca_certs_parse(buf_span(&bytes), &got, NULL), OK);
	return got;
}

static void trust_rows(void **state)
{
	static const struct {
		const char *what;
		const struct buf *certs[4];
		size_t n;
		enum result result;
		const struct buf *encrypter;
	} row[] = {
		{ "CA alone", { &t.ca }, 1, OK, &t.ca },
		{ "RA and CA", { &t.ra, &t.ca }, 2, OK, &t.ra },
		{ "CA first", { &t.ca, &t.ra }, 2, OK, &t.ra },
		{ "RA of another CA", { &t.evil_ra, &t.ca }, 2, OK, &t.ca },
		{ "expired RA", { &t.old_ra, &t.ca }, 2, OK, &t.ca },
		{ "another CA beside", { &t.evil_ra, &t.evil_ca, &t.ca }, 3, OK, &t.ca },
		{ "another CA", { &t.evil_ca }, 1, ERR_DENIED, NULL },
		{ "no CA", { &t.ra }, 1, ERR_DENIED, NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		CA_CERTS ca = answer(row[i].certs, row[i].n);
		struct err err = { 0 };
		enum result r =
		    scep_ca_certs_trust(&ca, t.c, span_of(t.fingerprint, 32), NOW, &err);

		if (r != row[i].result)
			fail_msg("%s: %s", row[i].what, err_text(&err));
		if (r != OK)
			continue;
		assert_true(span_eq(ca.certs[ca.issuer].der, buf_span(&t.ca)));
		if (!span_eq(ca.certs[ca.encrypter].der, buf_span(row[i].encrypter)))
			fail_msg("%s: encrypts for another", row[i].what);
		assert_null(scep_ca_certs_by_key(&ca, key_spki(t.evil_key)));
	}
}

static void trust_has_an_end_but_no_beginning(void **state)
{
	const struct buf *certs[] = { &t.ca };
	CA_CERTS ca = answer(certs, 1);
	struct span fingerprint = span_of(t.fingerprint, 32);

	(void)state;
	/* a device that has just booted in 1970 */
	assert_int_equal(scep_ca_certs_trust(&ca, t.c, fingerprint, 0, NULL), OK);
	assert_int_equal(scep_ca_certs_trust(&ca, t.c, fingerprint, NOW + 200 * DAY, NULL),
			 ERR_BAD_TIME);
	/* on first use */
	assert_int_equal(scep_ca_certs_trust(&ca, t.c, SPAN_NONE, NOW, NULL), OK);
}

static void fingerprint_that_is_of_none_is_told_those_there_are(void **state)
{
	const struct buf *certs[] = { &t.ca };
	CA_CERTS ca = answer(certs, 1);
	struct err err = { 0 };
	BUF hex = BUF_INIT;

	(void)state;
	assert_int_equal(scep_ca_certs_trust(&ca, t.c, SPAN_LIT("x"), NOW, &err), ERR_DENIED);
	hex_put(&hex, span_of(t.fingerprint, 32));
	assert_non_null(strstr(err_text(&err), buf_cstr(&hex)));
}

static enum result parse_answer(struct span bytes)
{
	CA_CERTS ca = { 0 };

	return scep_ca_certs_parse(bytes, &ca, NULL);
}

static void others_answers(void **state)
{
	BUF go = unit_vector("scep_go_ca.der");
	BUF degenerate = unit_vector("degenerate.der");
	BUF message = unit_vector("scep_no_envelope.der");

	(void)state;
	assert_int_equal(parse_answer(buf_span(&go)), OK);
	assert_int_equal(parse_answer(buf_span(&degenerate)), OK);
	unit_refuses_cuts(buf_span(&degenerate), parse_answer);
	assert_int_equal(parse_answer(buf_span(&message)), OK); /* certificates are in it */
	assert_int_not_equal(parse_answer(SPAN_LIT("<html>")), OK);
	assert_int_not_equal(parse_answer(SPAN_LIT("-----BEGIN X-----\n")), OK);
	assert_int_not_equal(parse_answer(SPAN_NONE), OK);
}

/* ---- which CertRep to take ---- */

/* What is zero is as it should be. */
struct reply {
	int type;   /* 0: CertRep */
	int status; /* 0: SUCCESS; -1: none */
	int fail_info;
	const char *text;
	const char *transaction; /* NULL: ours */
	bool old_nonce;
	bool no_envelope;
	struct key *signer;            /* NULL: the RA's */
	const struct buf *signer_cert; /* NULL: the RA's */
	const struct buf *leaf;        /* NULL: for our key, by the CA */
	enum digest_alg digest;        /* NONE: SHA-256 */
	const struct buf *to;          /* NULL: the device */
};

static struct buf make_reply(const struct scep_enrolment *e, const struct reply *how)
{
	static const uint8_t old_nonce[SCEP_NONCE] = { 1 };
	struct scep_message_new m = {
		.message_type = how->type ? how->type : SCEP_CERT_REP,
		.transaction_id = span_str(how->transaction ? how->transaction : e->transaction_id),
		.pki_status = how->status,
		.fail_info = how->status == SCEP_FAILURE ? how->fail_info : -1,
		.fail_info_text = how->text,
		.recipient_nonce = how->old_nonce ? SPAN_ARRAY(old_nonce) : SPAN_ARRAY(e->nonce),
		.digest = how->digest ? how->digest : DIGEST_SHA256,
		.signer_cert = buf_span(how->signer_cert ? how->signer_cert : &t.ra)
	};
	struct cms_envelop envelop = { .cipher = CIPHER_AES128_CBC };
	struct buf out = BUF_INIT;
	BUF certs = BUF_INIT;
	BUF envelope = BUF_INIT;

	if (!how->no_envelope) {
		struct span leaf = buf_span(how->leaf ? how->leaf : &t.leaf);

		assert_int_equal(cms_put_degenerate(&certs, &leaf, 1, NULL, 0, NULL), OK);
		envelop.plain = buf_span(&certs);
		assert_int_equal(cms_envelop_to_cert(&envelop, t.c,
						     buf_span(how->to ? how->to : &e->signer_cert),
						     &envelope, NULL),
				 OK);
	}
	m.envelope = buf_span(&envelope);
	assert_int_equal(
	    scep_message_build(&m, how->signer ? how->signer : t.ra_key, t.c, &out, NULL), OK);
	return out;
}

static struct scep_enrolment begin(uint32_t caps, bool legacy, enum result expected)
{
	struct scep_enrolment_config config = { .key = t.device_key,
						.subject = SPAN_LIT("\x30\x00"),
						.challenge = SPAN_LIT("c"),
						.caps = caps,
						.allow_legacy = legacy,
						.now = NOW };
	struct scep_enrolment e = { 0 };

	assert_int_equal(scep_enrolment_init(&e, &config, t.c, NULL), expected);
	return e;
}

#define ENROLMENT CLEANUP(scep_enrolment_clear) struct scep_enrolment
#define MODERN (SCEP_CAP_AES | SCEP_CAP_SHA256)

static void replies(void **state)
{
	const struct {
		const char *what;
		struct reply reply;
		enum result result;
		const char *says;
	} row[] = {
		{ "a certificate", { 0 }, OK, "" },
		{ "signed with SHA-1", { .digest = DIGEST_SHA1 }, OK, "" },
		{ "signed by the CA", { .signer = t.ca_key, .signer_cert = &t.ca }, OK, "" },
		{ "signed with MD5", { .digest = DIGEST_MD5 }, ERR_BAD_ALG, "MD5" },
		{ "signed by a stranger",
		  { .signer = t.evil_key, .signer_cert = &t.evil_ra },
		  ERR_BAD_CHECK,
		  "GetCACert did not answer" },
		{ "a stranger with the RA's certificate",
		  { .signer = t.evil_key },
		  ERR_BAD_CHECK,
		  "" },
		{ "signed by another device of the CA",
		  { .signer = t.device_key, .signer_cert = &t.leaf },
		  ERR_BAD_CHECK,
		  "GetCACert did not answer" },
		{ "of another transaction",
		  { .transaction = "other" },
		  ERR_BAD_REQUEST,
		  "3.2.1.1" },
		{ "a replay", { .old_nonce = true }, ERR_BAD_REQUEST, "3.2.1.5" },
		{ "no CertRep", { .type = SCEP_PKCS_REQ }, ERR_BAD_REQUEST, "3.2.1.2" },
		{ "status 1", { .status = 1 }, ERR_BAD_REQUEST, "pkiStatus 1" },
		{ "no status", { .status = -1 }, ERR_BAD_REQUEST, "pkiStatus" },
		{ "no envelope", { .no_envelope = true }, ERR_BAD_REQUEST, "pkcsPKIEnvelope" },
		{ "for another recipient", { .to = &t.ra }, ERR_BAD_CHECK, "" },
		{ "another key's certificate",
		  { .leaf = &t.other_leaf },
		  ERR_BAD_CERT_ID,
		  "for our key" },
		{ "another CA's certificate", { .leaf = &t.evil_leaf }, ERR_BAD_CHECK, "by no CA" },
	};
	const struct buf *certs[] = { &t.ra, &t.ca };
	CA_CERTS ca = answer(certs, 2);
	ENROLMENT e = begin(MODERN, false, OK);
	BUF request = BUF_INIT;
	size_t i;

	(void)state;
	assert_int_equal(scep_ca_certs_trust(&ca, t.c, span_of(t.fingerprint, 32), NOW, NULL), OK);
	assert_int_equal(scep_enrolment_request(&e, &ca, t.c, &request, NULL), OK);
	for (i = 0; i < ARRAY_LEN(row); i++) {
		CLEANUP(scep_enrolment_reply_clear) struct scep_enrolment_reply got = { 0 };
		BUF message = make_reply(&e, &row[i].reply);
		struct err err = { 0 };
		enum result r = scep_enrolment_read(&e, &ca, t.c, buf_span(&message), &got, &err);

		if (r != row[i].result || (r != OK && !strstr(err_text(&err), row[i].says)))
			fail_msg("%s: %s", row[i].what, err_text(&err));
		assert_true(r != OK || span_eq(buf_span(&got.cert), buf_span(&t.leaf)));
	}
}

static void refusals(void **state)
{
	const struct buf *certs[] = { &t.ra, &t.ca };
	CA_CERTS ca = answer(certs, 2);
	ENROLMENT e = begin(MODERN, false, OK);
	struct reply failure = {
		.status = SCEP_FAILURE, .fail_info = 4, .text = "no\x1b[2Jway", .no_envelope = true
	};
	struct reply pending = { .status = SCEP_PENDING, .no_envelope = true };
	CLEANUP(scep_enrolment_reply_clear) struct scep_enrolment_reply got = { 0 };
	BUF message = BUF_INIT;
	BUF waiting = BUF_INIT;

	(void)state;
	assert_int_equal(scep_ca_certs_trust(&ca, t.c, SPAN_NONE, NOW, NULL), OK);
	message = make_reply(&e, &failure);
	assert_int_equal(scep_enrolment_read(&e, &ca, t.c, buf_span(&message), &got, NULL), OK);
	assert_int_equal(got.status, SCEP_FAILURE);
	assert_int_equal(got.fail_info, 4);
	assert_string_equal(got.text, "no [2Jway"); /* nothing for a terminal to obey */
	waiting = make_reply(&e, &pending);
	assert_int_equal(scep_enrolment_read(&e, &ca, t.c, buf_span(&waiting), &got, NULL), OK);
	assert_int_equal(got.status, SCEP_PENDING);
}

static void point_10_legacy_on_the_users_word_only(void **state)
{
	static const struct {
		uint32_t caps;
		bool legacy;
		enum result result;
		enum digest_alg digest;
		enum cipher_alg cipher;
	} row[] = {
		{ MODERN, false, OK, DIGEST_SHA256, CIPHER_AES128_CBC },
		{ MODERN | SCEP_CAP_SHA512 | SCEP_CAP_SHA1 | SCEP_CAP_DES3, false, OK,
		  DIGEST_SHA256, CIPHER_AES128_CBC },
		{ SCEP_CAP_AES | SCEP_CAP_SHA512, false, OK, DIGEST_SHA512, CIPHER_AES128_CBC },
		{ 0, false, ERR_BAD_ALG, 0, 0 },
		{ SCEP_CAP_AES | SCEP_CAP_SHA1, false, ERR_BAD_ALG, 0, 0 },
		{ SCEP_CAP_SHA256 | SCEP_CAP_DES3, false, ERR_BAD_ALG, 0, 0 },
		{ 0, true, OK, DIGEST_SHA1, CIPHER_DES_EDE3_CBC },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(row); i++) {
		ENROLMENT e = begin(row[i].caps, row[i].legacy, row[i].result);

		assert_int_equal(e.digest, row[i].digest);
		assert_int_equal(e.cipher, row[i].cipher);
	}
}

static void same_key_same_transaction(void **state)
{
	ENROLMENT first = begin(MODERN, false, OK);
	ENROLMENT second = begin(MODERN, true, OK);
	struct span spki = key_spki(t.device_key);
	uint8_t digest[DIGEST_MAX];
	BUF hex = BUF_INIT;

	(void)state;
	assert_string_equal(first.transaction_id, second.transaction_id);
	assert_int_equal(crypto_digest(t.c, DIGEST_SHA256, &spki, 1, digest, NULL), OK);
	hex_put(&hex, span_of(digest, 32));
	assert_string_equal(first.transaction_id, buf_cstr(&hex));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trust_rows),
		cmocka_unit_test(trust_has_an_end_but_no_beginning),
		cmocka_unit_test(fingerprint_that_is_of_none_is_told_those_there_are),
		cmocka_unit_test(others_answers),
		cmocka_unit_test(replies),
		cmocka_unit_test(refusals),
		cmocka_unit_test(point_10_legacy_on_the_users_word_only),
		cmocka_unit_test(same_key_same_transaction),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
